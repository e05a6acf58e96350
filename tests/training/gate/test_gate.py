"""The recipe of the gate network: what it is shown, and the command from films to a file."""

import sys
from pathlib import Path
from subprocess import run

import cv2
import numpy as np
import pytest

from xlite.guards.gate import Gate
from xlite.training.gate.augment import Changes, turn
from xlite.training.gate.drawn import DRAWN
from xlite.training.gate.pictures import library_pictures, read_others


def test_turned_films_are_mirrored_first_and_turned_clockwise() -> None:
    film = np.array([[1, 2], [3, 4]], np.uint8)
    assert turn(film, Changes(1)).tolist() == [[3, 1], [4, 2]]
    assert turn(film, Changes(2, 1)).tolist() == [[3, 4], [1, 2]]
    assert (Changes(3).turn, Changes(2, 1).turn) == (3, 6)


@pytest.mark.parametrize("name", DRAWN)
def test_drawn_pictures_follow_from_the_seed(name: str) -> None:
    one, again = (DRAWN[name](np.random.default_rng(3)) for _ in range(2))
    assert (one.shape, one.dtype) == ((224, 224), np.uint8)
    assert np.array_equal(one, again)


def test_pictures_of_one_source_share_a_group(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("lateral/a.png", "lateral/b.png", "hand/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / name), rng.integers(0, 256, (64, 64), dtype=np.uint8))
    (tmp_path / "sources.csv").write_text("file,source\nlateral/a.png,case\nlateral/b.png,case\n")
    found = [(one.name, one.group, one.what, one.kind) for one in read_others(tmp_path)]
    assert found == [
        ("hand/c.png", "hand/c.png", "hand", 2),
        ("lateral/a.png", "case", "lateral", 1),
        ("lateral/b.png", "case", "lateral", 1),
    ]


@pytest.mark.slow
def test_pydicom_brings_pictures_of_other_kinds() -> None:
    names = {picture.name for picture in library_pictures()}
    assert {"pydicom/CT_small.dcm", "pydicom/MR_small.dcm"} <= names


@pytest.mark.release
@pytest.mark.slow
def test_the_command_writes_networks_that_the_gate_opens(tmp_path: Path, tiny_folder: Path) -> None:
    out, others = tmp_path / "gate.onnx", tmp_path / "others"
    options = ["--split", "patient", "--folds", "2", "--steps", "2", "--more-steps", "2", "--drawn", "2"]
    command = [sys.executable, "-m", "xlite.cli.gate", "--films", tiny_folder, "--others", others]
    (others / "lateral").mkdir(parents=True)
    for number in range(3):
        noise = np.random.default_rng(number).integers(0, 256, (99, 99), dtype=np.uint8)
        cv2.imwrite(str(others / "lateral" / f"{number}.png"), noise)
    done = run([*map(str, command), "--out", str(out), *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for path in (out, tmp_path / "gate-fold1.onnx", tmp_path / "gate-fold2.onnx"):
        assert Gate.load(path).judge(np.zeros((50, 50), np.uint8)).reasons == ("blank",)
