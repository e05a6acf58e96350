"""Random and targeted attacks on the reading of films end in a right picture or a sentence, within limits."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

IN_PROCESS, APART = ["PNG", "JPEG", "DICOM"], ["TIFF", "WebP", "BMP"]  # where most of it is decoded
LONG = [["mutants", str(seed), "1250", *IN_PROCESS] for seed in range(4)]
ATTACKS = [
    *LONG[:2],
    *(pytest.param(words, marks=pytest.mark.release) for words in LONG[2:]),
    ["mutants", "4", "200", *APART],
    pytest.param(["mutants", "5", "200", *APART], marks=pytest.mark.release),
]


def attack(words: list[str], folder: Path) -> None:
    """In a child, so that a crash of a decoder is a failure and not the end of the tests.

    Its temporary files go into `folder`, and none of them may stay.
    """
    before = sorted(folder.iterdir())
    command = [sys.executable, str(Path(__file__).with_name("hostile.py")), *words]
    environment = {**os.environ, "TMPDIR": str(folder)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, env=environment)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr[-1000:]
    assert sorted(folder.iterdir()) == before


@pytest.mark.release
@pytest.mark.parametrize("kinds", [IN_PROCESS, APART], ids=" ".join)
def test_a_short_attack_gives_the_film_or_a_sentence_and_leaves_no_file(
    kinds: list[str], tmp_path: Path
) -> None:
    attack(["mutants", "9", "20", *kinds], tmp_path)


@pytest.mark.parametrize("words", [*ATTACKS, ["eaters"], ["bombs"], ["large"]], ids=" ".join)
def test_an_attack_gives_the_film_or_a_sentence_within_the_limits(words: list[str], tmp_path: Path) -> None:
    attack(words, tmp_path)
