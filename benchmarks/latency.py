"""How long one film takes: p50 and p95 of predict (probabilities) and read (with all maps), on the CPU.

    python benchmarks/latency.py student efficientnet_b0 --repeats 100

Each argument is a run, a model file, or a timm backbone, which is then timed with random weights.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import timm
import torch

from xlite.classify import Classifier
from xlite.images import Preprocess
from xlite.models.checkpoint import save_model
from xlite.models.info import ModelInfo
from xlite.models.student import Student


def open_model(spec: str, attention: str, size: int) -> Classifier:
    """The model named, or a student with random weights on the backbone named."""
    if not timm.is_model(spec):
        return Classifier.load(spec)
    model = Student(spec, attention)
    info = ModelInfo(
        backbone=spec,
        attention=attention,
        hidden=model.hidden,
        dropout=model.dropout,
        preprocess=Preprocess(size),
        split_id="none",
        label_version="none",
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{spec}.safetensors"
        save_model(path, model, info)
        return Classifier.load(path)


def milliseconds(act: Callable[[], object], repeats: int) -> tuple[float, float]:
    """p50 and p95 of a call, after five that do not count."""
    for _ in range(5):
        act()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        act()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times), float(np.percentile(times, 95))


def main() -> None:
    """Prints a row for each model and number of threads."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+", help="runs, model files or timm backbones")
    parser.add_argument("--attention", default="none", help="attention of the backbones named")
    parser.add_argument("--size", type=int, default=224, help="input side in px of the backbones named")
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, torch.get_num_threads()}))
    options = parser.parse_args()

    film = np.random.default_rng(0).integers(0, 256, (1024, 1024), dtype=np.uint8)
    print(
        "| model | parameters (M) | MB | multiply-adds (M) | threads | predict p50/p95 ms | read p50/p95 ms |"
    )
    print("|---|---|---|---|---|---|---|")
    for spec in options.models:
        classifier = open_model(spec, options.attention, options.size)
        size = classifier.size()
        for threads in options.threads:
            torch.set_num_threads(threads)
            predict = milliseconds(partial(classifier.predict, film), options.repeats)
            read = milliseconds(partial(classifier.read, film), options.repeats)
            print(
                f"| {classifier.name} | {size.parameters / 1e6:.2f} | {size.megabytes:.1f} "
                f"| {size.multiply_adds / 1e6:.0f} | {threads} "
                f"| {predict[0]:.1f} / {predict[1]:.1f} | {read[0]:.1f} / {read[1]:.1f} |"
            )


if __name__ == "__main__":
    main()
