"""What the training loop costs beside the bare step, as ratios within one run.

    python benchmarks/training.py --data phantom                                    # a student alone
    python benchmarks/training.py --data phantom --teacher checkpoints/demo/model.safetensors
    python benchmarks/training.py --data phantom --backbone efficientnet_b0 --batch-size 512 --compile \\
        --films 78000 --epoch                                                       # on a GPU

`loader`: films a second with films from the cache, augmented, over those of the same step on one batch that
stays on the device (goal: 0.90 on 2 CPU cores with MobileNetV3-Small, 0.95 on a GPU with EfficientNet-B0;
there by `--epoch`, as the thread that reads films works ahead while other rounds run).
`distilling`: time of a step with the teacher over the time of the student's step and of the teacher's forward
pass, each alone (goal: at most 1.05). The rounds alternate, so that a busy machine is busy for all.
`--films` repeats the folder's films to so many; `--epoch` times one whole epoch beside the bare step.
"""

import argparse
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch
from lightning_fabric import Fabric

from xlite.cli.console import log_to
from xlite.config import TrainConfig, make_config
from xlite.data.dataset import FilmDataset, FilmRows
from xlite.training.batch import StepBatch
from xlite.training.fabric import open_fabric, usable_devices
from xlite.training.job import Job, open_job
from xlite.training.step import Learner
from xlite.training.teachers import Teacher

ROUNDS, STEPS = 15, 4
RESIDENT_STEPS = 100
"""Steps on one resident batch that a whole epoch is compared with."""


def seconds(act: Callable[[], object], device: torch.device) -> float:
    """How long a call takes, with all that it left to the GPU."""
    start = time.perf_counter()
    act()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def with_films(job: Job, films: int) -> Job:
    """The job with its training films repeated to so many."""
    train = job.train
    assert isinstance(train.films, FilmRows)
    at = np.resize(np.arange(len(train)), films)
    repeated = FilmDataset(
        FilmRows(train.films.array, train.films.rows[at]),
        train.labels.numpy()[at],
        train.preprocess,
        seed=train.seed,
        file_logits=train.file_logits.numpy()[at],
    )
    return replace(
        job, train=repeated, train_stems=[job.train_stems[i] for i in at], attributes=job.attributes[at]
    )


def endless(learner: Learner) -> Iterator[StepBatch]:
    """Batches from the real loader, epoch after epoch, on the device and augmented."""
    for epoch in itertools.count(1):
        learner.begin(epoch)
        yield from learner.batches()


def tell(name: str, ratios: np.ndarray) -> None:
    """One line: the median and the 5th and 95th percentile of a ratio."""
    low, middle, high = np.percentile(ratios, [5, 50, 95])
    print(f"{name:12} p50 {middle:.3f}   p5 {low:.3f}   p95 {high:.3f}", flush=True)


def compare(fabric: Fabric, job: Job) -> None:
    """Prints the rate of the bare step and both ratios."""
    learner, device, config = Learner(fabric, job), fabric.device, job.config
    alone = Learner(fabric, replace(job, teacher=Teacher())) if config.teacher else learner
    batches = endless(learner)
    resident = next(batches)

    def from_loader() -> None:
        for batch in itertools.islice(batches, STEPS):
            learner.step(batch, 1)

    def on_one_batch(of: Learner) -> None:
        for _ in range(STEPS):
            of.step(resident, 1)

    def teacher_only() -> None:
        for _ in range(STEPS):
            with fabric.autocast():
                learner.teacher(resident.x, resident.file_logits)

    acts = [from_loader, lambda: on_one_batch(learner), lambda: on_one_batch(alone), teacher_only]
    times = np.array([[seconds(act, device) for act in acts] for _ in range(ROUNDS + 2)])[2:]
    rates = STEPS * len(resident.x) / times[:, :2]
    for name, rate in zip(("from the loader", "resident batch"), np.median(rates, axis=0), strict=True):
        print(f"{config.backbone} on {device}, {name} of {len(resident.x)}: {rate:.0f} films/s", flush=True)
    tell("loader", times[:, 1] / times[:, 0])
    if config.teacher:
        tell("distilling", times[:, 1] / (times[:, 2] + times[:, 3]))


def whole_epoch(fabric: Fabric, job: Job) -> None:
    """Prints how long an epoch takes, and what part of the bare step's rate that is."""
    learner, films = Learner(fabric, job), len(job.train)
    resident = next(endless(learner))
    for _ in range(20):
        learner.step(resident, 1)

    def on_one_batch() -> None:
        for _ in range(RESIDENT_STEPS):
            learner.step(resident, 1)

    bare = RESIDENT_STEPS * len(resident.x) / seconds(on_one_batch, fabric.device)
    took = seconds(lambda: [None for _ in learner.epoch(2)], fabric.device)
    rate = len(learner.sampler) / took
    print(f"resident batch of {len(resident.x)}: {bare:.0f} films/s")
    print(f"epoch of {films:,} films: {took:.1f} s, {rate:.0f} films/s, {rate / bare:.3f} of it", flush=True)


def options() -> tuple[TrainConfig, int, bool]:
    """The settings, how many films an epoch has (0: those there are), and whether to train a whole one."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True)
    parser.add_argument("--backbone", default="mobilenetv3_small_100")
    parser.add_argument("--teacher", default="")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--films", type=int, default=0)
    parser.add_argument("--epoch", action="store_true")
    given = vars(parser.parse_args())
    films, epoch = given.pop("films"), given.pop("epoch")
    return make_config({**given, "weights": "none", "name": "benchmark"}), films, epoch


def main() -> None:
    """Prints rates, ratios and, on a GPU, the peak of its memory."""
    config, films, epoch = options()
    fabric = open_fabric(config, usable_devices(config.device)[0].name)
    with log_to():
        job = open_job(config, None, lambda done, total: None)
    job = with_films(job, films) if films else job
    whole_epoch(fabric, job) if epoch else compare(fabric, job)
    if fabric.device.type == "cuda":
        print(f"peak memory {torch.cuda.max_memory_allocated() / 1e9:.1f} GB")


if __name__ == "__main__":
    main()
