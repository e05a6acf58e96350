"""Memory of the training loop over the epochs of one tiny run: it must not grow.

    python benchmarks/memory.py --data phantom --epochs 50

Goal: what the process holds after the last epoch is within 2 % of what it held after the second.
"""

import argparse
import os
import tempfile
from pathlib import Path

from xlite.config import make_config
from xlite.runs.run import Run
from xlite.training.loop import train


def held_mb() -> float:
    """What this process holds, in MB; as Linux tells."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Trains, and prints what was held after some of the epochs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--backbone", default="mobilenetv3_small_100")
    given = vars(parser.parse_args())
    held: list[float] = []

    def note(line: str) -> None:
        if line.startswith("epoch "):
            held.append(held_mb())

    with tempfile.TemporaryDirectory() as home:
        os.environ["XLITE_HOME"] = home
        settings = {"weights": "none", "device": "cpu", "name": "memory", "patience": given["epochs"]}
        config = make_config({**given, **settings, "data": Path(given["data"]).absolute()})
        train(config, Run.create(config), say=note)
    for epoch in sorted({2, 5, 10, 20, 30, 40, len(held)}):
        if 2 <= epoch <= len(held):
            print(f"after epoch {epoch}: {held[epoch - 1]:.0f} MB")
    print(f"last/second  {held[-1] / held[1]:.3f}")


if __name__ == "__main__":
    main()
