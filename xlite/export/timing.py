"""How long exported files take for a film, each in processes of its own, which take turns.

    python -m xlite.export.timing FILE.onnx RUNS

prints the median ms of a film's logits on one thread.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from xlite.engines.onnx_engine import OnnxEngine
from xlite.errors import RunError
from xlite.files import Steps
from xlite.text import last_line

TURNS, RUNS = 3, 30


def in_turns(
    files: Mapping[str, Path], turns: int = TURNS, runs: int = RUNS, steps: Steps | None = None
) -> list[float]:
    """The ms a film takes with each file: the best median of its processes, as others may disturb some.

    The files are named in errors by what they are, as they may be temporary. `steps` gets one for each
    process.
    """
    steps = steps or Steps()
    found: dict[str, list[float]] = {name: [] for name in files}
    for _ in range(turns):
        for name, file in files.items():
            words = [sys.executable, "-m", "xlite.export.timing", str(file), str(runs)]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            if done.returncode:
                died = f"its process ended with exit status {done.returncode}"
                why = last_line(done.stderr, died).replace(str(file), name)
                raise RunError(f"the {name} export cannot be timed: {why:.300}")
            found[name].append(float(done.stdout))
            steps.step()
    return [min(times) for times in found.values()]


def processor() -> str:
    """What this processor is called, and whether it multiplies 8-bit numbers by an instruction of its own."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown processor"
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = set(facts.get("flags", "").split()) & {"avx2", "avx_vnni", "avx512_vnni", "amx_int8"}
    return f"{facts.get('model name', 'unknown processor')} ({', '.join(sorted(flags)) or 'no AVX2'})"


def _median(file: Path, runs: int) -> float:
    engine = OnnxEngine.load(file, threads=1)
    side = engine.info.preprocess.size
    film = np.random.default_rng(0).normal(size=(1, 3, side, side)).astype(np.float32)
    times = []
    for _ in range(runs + 3):
        start = time.perf_counter()
        engine.logits(film)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times[3:])


if __name__ == "__main__":
    print(_median(Path(sys.argv[1]), int(sys.argv[2])))
