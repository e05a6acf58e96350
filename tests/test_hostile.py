"""Random and targeted attacks on the reading of films end in a right picture or a sentence, within limits."""

import subprocess
import sys
from pathlib import Path

import pytest

MUTANTS, CHILDREN = 5_000, 4
ATTACKS = [["mutants", str(seed), str(MUTANTS // CHILDREN)] for seed in range(CHILDREN)]


@pytest.mark.slow
@pytest.mark.parametrize("words", [*ATTACKS, ["eaters"], ["large"]], ids=" ".join)
def test_an_attack_gives_the_film_or_a_sentence_within_the_limits(words: list[str]) -> None:
    """In a child, so that a crash of a decoder is a failure and not the end of the tests."""
    command = [sys.executable, str(Path(__file__).with_name("hostile.py")), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr[-1000:]
