"""What the training loop costs beside the bare step, as ratios within one run.

    python benchmarks/training.py --data phantom                                    # a student alone
    python benchmarks/training.py --data phantom --teacher checkpoints/demo/model.safetensors

`loader`: films a second with films from the cache, augmented, over those of the same step on one batch that
stays on the device (goal: 0.90 on 2 CPU cores with MobileNetV3-Small, 0.95 on a GPU with EfficientNet-B0).
`distilling`: time of a step with the teacher over the time of the student's step and of the teacher's forward
pass, each alone (goal: at most 1.05). The rounds alternate, so that a busy machine is busy for all.
"""

import argparse
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch

from xlite.config import make_config
from xlite.models.teachers import Teacher
from xlite.training.engine import open_fabric, usable_devices
from xlite.training.setup import open_job
from xlite.training.trainer import Batch, Trainer

ROUNDS, STEPS = 15, 8


def seconds(act: Callable[[], object], device: torch.device) -> float:
    """How long a call takes, with all that it left to the GPU."""
    start = time.perf_counter()
    act()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def endless(trainer: Trainer) -> Iterator[Batch]:
    """Batches from the real loader, epoch after epoch."""
    for epoch in itertools.count(1):
        trainer.sampler.set_epoch(epoch)
        trainer.job.train.set_epoch(epoch)
        yield from trainer.loader


def tell(name: str, ratios: list[float]) -> None:
    """One line: the median and the 5th and 95th percentile of a ratio."""
    low, middle, high = np.percentile(ratios, [5, 50, 95])
    print(f"{name:12} p50 {middle:.3f}   p5 {low:.3f}   p95 {high:.3f}")


def main() -> None:
    """Prints the rate of the step and both ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True)
    parser.add_argument("--backbone", default="mobilenetv3_small_100")
    parser.add_argument("--teacher", default="")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--device", default="auto")
    options = vars(parser.parse_args())
    config = make_config({**options, "weights": "none", "name": "benchmark"})
    fabric = open_fabric(config, usable_devices(config.device)[0].name)
    job = open_job(config, True, print, lambda done, total: None)
    trainer, device = Trainer(fabric, job), fabric.device
    alone = Trainer(fabric, replace(job, teacher=Teacher())) if config.teacher else trainer
    batches = endless(trainer)
    resident = fabric.to_device(next(batches))
    trainer.model.train()

    def from_loader() -> None:
        for batch in itertools.islice(batches, STEPS):
            trainer.step(fabric.to_device(batch), 1)

    def on_one_batch(of: Trainer) -> None:
        for _ in range(STEPS):
            of.step(resident, 1)

    def teacher_only() -> None:
        for _ in range(STEPS):
            with fabric.autocast():
                trainer.teacher(resident[0], resident[2])

    acts = [from_loader, lambda: on_one_batch(trainer), lambda: on_one_batch(alone), teacher_only]
    times = np.array([[seconds(act, device) for act in acts] for _ in range(ROUNDS + 1)])[1:]
    rate = STEPS * len(resident[0]) / np.median(times[:, 1])
    print(f"{config.backbone} on {device}: {rate:.0f} films/s with one resident batch of {len(resident[0])}")
    tell("loader", (times[:, 1] / times[:, 0]).tolist())
    if config.teacher:
        tell("distilling", (times[:, 1] / (times[:, 2] + times[:, 3])).tolist())


if __name__ == "__main__":
    main()
