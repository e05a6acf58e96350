"""Memory of the training loop over the epochs of one tiny run: it must not grow.

    python benchmarks/memory.py --data phantom --epochs 50

Goal: the memory of the process after the last epoch is within 2 % of that after the second.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from xlite.config import make_config
from xlite.runs.run import Run
from xlite.training.loop import train
from xlite.training.recorder import Recorder


def resident_mb() -> float:
    """The resident memory of this process in MB, from Linux's /proc."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def memory_after_epochs() -> Iterator[list[float]]:
    """Gives a list that gets the memory of the process in MB at the end of each epoch."""
    megabytes: list[float] = []
    end_epoch = Recorder.end_epoch

    def measured(recorder: Recorder, row: dict[str, float]) -> None:
        end_epoch(recorder, row)
        megabytes.append(resident_mb())

    with patch.object(Recorder, "end_epoch", measured):
        yield megabytes


def main() -> None:
    """Trains, and prints the memory after some of the epochs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--backbone", default="mobilenetv3_small_100")
    given = vars(parser.parse_args())
    with tempfile.TemporaryDirectory() as home, memory_after_epochs() as megabytes:
        os.environ["XLITE_HOME"] = home
        settings = {"weights": "none", "device": "cpu", "name": "memory", "patience": given["epochs"]}
        config = make_config({**given, **settings, "data": Path(given["data"]).absolute()})
        train(config, Run.create(config))
    for epoch in sorted({2, 5, 10, 20, 30, 40, len(megabytes)}):
        if 2 <= epoch <= len(megabytes):
            print(f"after epoch {epoch}: {megabytes[epoch - 1]:.0f} MB")
    print(f"last/second  {megabytes[-1] / megabytes[1]:.3f}")


if __name__ == "__main__":
    main()
