"""What a film and a training on the same processors do to each other.

    python benchmarks/contention.py MODEL.onnx --data phantom

A film is read every second or so, as from a page, on an idle machine and beside a training that uses all
cores, which is timed alone before and after. Goals: p95 of a film beside the training at most 4 times the p50
of an idle machine, and the training loses at most 10 % of its speed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from turns import Way, film_folder, percentiles, times

from xlite.models.available import find_model
from xlite.processors import processors
from xlite.runs.status import RunStatus


@contextmanager
def training(data: Path, backbone: str) -> Iterator[Path]:
    """A training that goes on meanwhile, after its first epoch; gives its progress.json."""
    with tempfile.TemporaryDirectory() as home:
        words = ["train", "--data", str(data), "--name", "busy", "--weights", "none", "--epochs", "10000"]
        job = subprocess.Popen(
            [sys.executable, "-m", "xlite", *words, "--patience", "10000", "--backbone", backbone],
            env={**os.environ, "XLITE_HOME": home},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        progress = Path(home) / "checkpoints" / "busy" / "progress.json"
        try:
            while not progress.exists() or steps_done(progress) < 3:
                assert job.poll() is None, "the training ended before its third step"
                time.sleep(0.1)
            yield progress
        finally:
            job.kill()
            job.wait()


def steps_done(progress: Path) -> int:
    """Training steps since the beginning."""
    status = RunStatus.model_validate_json(progress.read_bytes())
    return max(0, status.epoch - 1) * status.steps + status.step


def speed(progress: Path, seconds: float) -> float:
    """Steps a second of a training that is left alone."""
    began, before = time.perf_counter(), steps_done(progress)
    time.sleep(seconds)
    return (steps_done(progress) - before) / (time.perf_counter() - began)


def main() -> None:
    """Prints what a film and the training take, alone and together."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="a run, a model file or an export")
    parser.add_argument("--data", type=Path, required=True, help="the data folder to train on")
    parser.add_argument("--backbone", default="mobilenetv3_small_100", help="of the training")
    parser.add_argument("--films", type=Path, help="a folder of PNGs; phantoms are drawn without one")
    parser.add_argument("--every", type=float, default=1.0, help="seconds from film to film")
    parser.add_argument("--repeats", type=int, default=60, help="films")
    options = parser.parse_args()

    with film_folder(options.films) as films:
        model = str(find_model(options.model).absolute())
        way = Way("read", films, model, processors(), options.repeats, options.every)
        idle = percentiles(times(way))
        with training(options.data.absolute(), options.backbone) as progress:
            seconds = options.repeats * options.every
            before = speed(progress, seconds)
            began, steps = time.perf_counter(), steps_done(progress)
            beside = percentiles(times(way))
            together = (steps_done(progress) - steps) / (time.perf_counter() - began)
            alone = (before + speed(progress, seconds)) / 2
    print(f"film, idle machine     p50 {idle[0]:.1f} ms   p95 {idle[1]:.1f} ms")
    print(f"film, beside training  p50 {beside[0]:.1f} ms   p95 {beside[1]:.1f} ms")
    print(f"p95 beside by p50 idle {beside[1] / idle[0]:.2f}")
    lost = 1 - together / alone
    print(f"training               {alone:.2f} steps/s alone, {together:.2f} beside, {lost:.1%} less")


if __name__ == "__main__":
    main()
