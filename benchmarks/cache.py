"""How fast the cache is built beside bare OpenCV decoding and resizing on all cores: a ratio within one run.

    python benchmarks/cache.py phantom/images --size 224

Goal: 0.85 or more. The rounds alternate; both read the same files, which the first round brings into memory.
If other processes run at the same time, the ratio by CPU time says more.
"""

import argparse
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from xlite.data.cache import open_cache
from xlite.images import Preprocess, is_image_name


def bare(paths: list[Path], size: int) -> None:
    """Decodes and resizes with OpenCV alone, as threads on all cores, and keeps nothing."""

    def film(path: Path) -> np.ndarray:
        grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert grey is not None, path
        return cv2.resize(grey, (size, size), interpolation=cv2.INTER_AREA)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(film, paths):
            pass


def build(paths: list[Path], size: int) -> None:
    """Builds the cache of the films, checksums and all, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        open_cache(paths, Preprocess(size), Path(folder))


def main() -> None:
    """Prints both rates and their ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", type=Path, help="folder of PNG or JPEG films")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--films", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    paths = sorted(path for path in options.images.iterdir() if is_image_name(path.name))[: options.films]
    times = []
    for _ in range(options.rounds + 1):
        for act in (bare, build):
            start = time.perf_counter(), time.process_time()
            act(paths, options.size)
            times.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    seconds, cpu = np.moveaxis(np.array(times).reshape(-1, 2, 2)[1:], 2, 0)
    for name, rate in zip(("bare OpenCV", "cache"), len(paths) / np.median(seconds, axis=0), strict=True):
        print(f"{name}: {rate:.0f} films/s of {len(paths)}")
    low, middle, high = np.percentile(seconds[:, 0] / seconds[:, 1], [5, 50, 95])
    print(f"cache/bare   p50 {middle:.3f}   p5 {low:.3f}   p95 {high:.3f}")
    print(f"by CPU time   p50 {np.median(cpu[:, 0] / cpu[:, 1]):.3f}")


if __name__ == "__main__":
    main()
