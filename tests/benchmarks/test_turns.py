"""Ways to read a film are timed in processes of their own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from contention import steps_done
from noise_film import write_film
from turns import Way, film_folder, percentiles, times

from xlite.runs.status import RunStatus

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def test_each_film_but_the_first_ones_is_timed_in_a_fresh_process(tmp_path: Path) -> None:
    write_film(tmp_path / "a.png")
    found = times(Way("decode", str(tmp_path), repeats=7))
    assert len(found) == 7 and min(found) > 0
    assert percentiles([1.0, 2.0, 3.0]) == pytest.approx((2.0, 2.9))
    with film_folder(tmp_path) as folder:
        assert folder == str(tmp_path)


def test_steps_of_a_training_count_over_epochs(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    for status, steps in (
        (RunStatus(), 0),
        (RunStatus(epoch=1, step=4, steps=10), 4),
        (RunStatus(epoch=3, step=10, steps=10), 30),
    ):
        path.write_text(json.dumps(status.model_dump(mode="json")))
        assert steps_done(path) == steps


@pytest.mark.release
@pytest.mark.slow
def test_latency_has_a_row_for_each_way(tmp_path: Path) -> None:
    write_film(tmp_path / "a.png")
    words = [BENCHMARKS / "latency.py", "mobilenetv3_small_100", "--films", tmp_path]
    words += ["--rounds", 1, "--repeats", 2, "--threads", 1, "--size", 64]
    done = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, check=True)
    rows = [line.split(" | ") for line in done.stdout.splitlines()[2:]]
    assert [row[2] for row in rows] == ["decode", "limit", "read", "guarded", "peer"]
    assert (rows[1][5], rows[4][6]) == ("1.00", "1.0 |")
