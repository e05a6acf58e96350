"""The recipe of the lung network: what it is shown, and the command from phantoms to a file."""

import json
import sys
from pathlib import Path
from subprocess import run

import numpy as np
import onnx
import pytest
import torch

from xlite.evaluation.shortcuts.lungs import NOTES, Lungs
from xlite.training.lungs.drawn import SIDE, changed
from xlite.training.lungs.learn import dice
from xlite.training.lungs.network import LungNet


def test_a_phantom_and_its_lungs_are_moved_alike() -> None:
    lungs = np.zeros((96, 96), np.uint8)
    lungs[30:60, 20:50] = 255
    rng = np.random.default_rng(0)
    for _ in range(20):
        image, inside = changed(rng, lungs, lungs)
        assert image.shape == inside.shape == (SIDE, SIDE)
        bright = image.astype(float) - np.median(image)
        assert bright[inside > 200].mean() > bright[inside < 50].mean()


def test_an_overlap_by_hand() -> None:
    """A network that calls whatever is above the mean: half of the lungs, and as much beside them."""

    class Above(LungNet):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x - x.mean((2, 3), keepdim=True)

    picture = np.zeros((1, SIDE, SIDE), np.uint8)
    picture[:, :, 16:48] = 200
    lungs = np.zeros((1, SIDE, SIDE), np.uint8)
    lungs[:, :, :32] = 255
    assert dice(Above(), picture, lungs).tolist() == [0.5]


@pytest.mark.release
@pytest.mark.slow
def test_the_command_writes_a_network_that_is_opened(tmp_path: Path) -> None:
    out = tmp_path / "lungs.onnx"
    command = [sys.executable, "-m", "xlite.cli.lungs", "--out", out, "--drawn", "12", "--steps", "2"]
    done = run([*map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Lungs.load(out).mask(np.zeros((50, 40), np.uint8)).shape == (50, 40)
    notes = json.loads({one.key: one.value for one in onnx.load(out).metadata_props}[NOTES])
    assert {name: notes[name] for name in ("phantoms", "held_out", "steps", "seed")} == {
        "phantoms": 10,
        "held_out": 2,
        "steps": 2,
        "seed": 0,
    }
