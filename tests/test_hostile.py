"""Random and targeted attacks on the reading of films end in a right picture or a sentence, within limits."""

import subprocess
import sys
from pathlib import Path

import pytest

IN_PROCESS, APART = ["PNG", "JPEG", "DICOM"], ["TIFF", "WebP", "BMP"]  # where most of it is decoded
ATTACKS = [
    *(["mutants", str(seed), "1250", *IN_PROCESS] for seed in range(4)),
    *(["mutants", str(seed), "200", *APART] for seed in (4, 5)),
]


def attack(words: list[str]) -> None:
    """In a child, so that a crash of a decoder is a failure and not the end of the tests."""
    command = [sys.executable, str(Path(__file__).with_name("hostile.py")), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr[-1000:]


@pytest.mark.parametrize("kinds", [IN_PROCESS, APART], ids=" ".join)
def test_a_short_attack_gives_the_film_or_a_sentence_and_leaves_no_file(
    kinds: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = sorted(tmp_path.iterdir())
    attack(["mutants", "9", "20", *kinds])
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.slow
@pytest.mark.parametrize("words", [*ATTACKS, ["eaters"], ["large"]], ids=" ".join)
def test_an_attack_gives_the_film_or_a_sentence_within_the_limits(words: list[str]) -> None:
    attack(words)
