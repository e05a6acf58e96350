"""What the base install weighs, and how long it takes from the start of a process to a film's answer.

    ENVIRONMENT/bin/python benchmarks/base_install.py FILM

Run it by the Python of an environment that has `pip install xlite-cxr` alone. Goals: 650 MB, 1.5 s. Bytes are
those of all files but for pip's own; torch must not be loaded, or the exit status is 1.
"""

import argparse
import platform
import subprocess
import sys
import sysconfig
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

from xlite.processors import processors

MOST_MB = 650
PIPS = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "wheel")
LIBRARIES = ("numpy", "onnxruntime", "opencv-python-headless", "pandas", "scipy")


def megabytes(site: Path) -> float:
    """What the libraries of an environment weigh, compiled files included, in 10^6 bytes."""
    files = (path for path in site.rglob("*") if path.is_file() and not path.is_symlink())
    sizes = (path.stat().st_size for path in files if not path.relative_to(site).parts[0].startswith(PIPS))
    return sum(sizes) / 1e6


def predict(film: Path, out: str) -> float:
    """Seconds of `xlite predict demo FILM`, from the start of its process to its end."""
    words = [sys.executable, "-m", "xlite", "predict", "demo", str(film), "--out", out]
    began = time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def loads_torch(film: Path, out: str) -> bool:
    """Whether reading a film imports torch."""
    words = repr(["predict", "demo", str(film), "--out", out, "--json"])
    code = f"import sys; from xlite.cli import run; run({words}); sys.exit('torch' in sys.modules)"
    return subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL).returncode != 0


def main() -> int:
    """Prints the measures; returns 1 if the install is too large or torch was loaded."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("film", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    film = options.film.absolute()
    size = megabytes(Path(sysconfig.get_path("purelib")))
    with tempfile.TemporaryDirectory() as out:
        torch = loads_torch(film, out)
        seconds = [predict(film, out) for _ in range(options.rounds)]
    print(f"base install           {size:.0f} MB (goal {MOST_MB})")
    p50, p95 = np.percentile(seconds, (50, 95))
    print(f"xlite predict demo     p50 {p50:.2f} s   p95 {p95:.2f} s (goal 1.5), {processors()} cores")
    print(f"torch loaded           {'yes' if torch else 'no'}")
    print(f"Python {platform.python_version()}, {', '.join(f'{one} {version(one)}' for one in LIBRARIES)}")
    return int(torch or size > MOST_MB)


if __name__ == "__main__":
    sys.exit(main())
