"""How long X-Lite takes to start: the command line, and a job until its first step.

    python benchmarks/startup.py --data phantom

Goals: `xlite --help` under 0.5 s; a job's first step under 10 s beyond importing torch.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np


def timed(words: list[str]) -> float:
    """Seconds that a command of this Python takes."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def first_step(data: str) -> float:
    """Seconds from the start of `xlite train` until progress.json counts a step; the films are cached."""
    with tempfile.TemporaryDirectory() as home:
        words = ["train", "--data", data, "--name", "start", "--weights", "none"]
        words += ["--backbone", "mobilenetv3_small_100", "--epochs", "500"]
        start = time.perf_counter()
        job = subprocess.Popen(
            [sys.executable, "-m", "xlite", *words],
            env={**os.environ, "XLITE_HOME": home},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        progress = Path(home) / "checkpoints" / "start" / "progress.json"
        while not (progress.exists() and json.loads(progress.read_bytes()).get("step")):
            assert job.poll() is None, "the job ended before its first step"
            time.sleep(0.01)
        took = time.perf_counter() - start
        job.kill()
        job.wait()
        return took


def main() -> None:
    """Prints p50 and p95 of each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    data = str(Path(options.data).absolute())
    first_step(data)  # builds the cache and warms the files
    rows = [
        (timed(["-m", "xlite", "--help"]), timed(["-c", "import torch"]), first_step(data))
        for _ in range(options.rounds)
    ]
    helps, imports, steps = np.array(rows).T
    for name, seconds in (
        ("xlite --help", helps),
        ("import torch", imports),
        ("first step beyond it", steps - imports),
    ):
        print(f"{name:22} p50 {np.median(seconds):.2f} s   p95 {np.percentile(seconds, 95):.2f} s")


if __name__ == "__main__":
    main()
