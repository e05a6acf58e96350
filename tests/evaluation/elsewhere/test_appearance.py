"""Grey, contrast and grain of films: what each sees, and how two folders differ in them."""

from pathlib import Path

import numpy as np
import pytest

from xlite.data.phantom import write_phantom
from xlite.evaluation.elsewhere.appearance import Appearance, appearance, appearance_shift
from xlite.evaluation.elsewhere.elsewhere_report import AppearanceShift
from xlite.evaluation.report_base import Bootstrap
from xlite.images import read_image

BOOTSTRAP = Bootstrap(resamples=100, seed=0)


def test_each_quantity_of_a_film_whose_greys_are_known() -> None:
    rng = np.random.default_rng(0)
    halves = np.full((64, 64), 50, np.uint8)
    halves[:, 32:] = 150
    noisy = np.clip(rng.normal(100, 10, (64, 64)), 0, 255).astype(np.uint8)
    found = appearance(np.stack([halves, noisy]), ["1", "2"])
    assert found.values["grey"] == pytest.approx([100, noisy.mean()])
    assert found.values["contrast"] == pytest.approx([50, noisy.std()], rel=1e-5)
    assert found.values["grain"][0] == 0  # an edge is no grain
    assert found.values["grain"][1] == pytest.approx(10, rel=0.15)  # the blur keeps some of the noise
    assert found.patients.tolist() == ["1", "2"]


def side(grey: float, contrast: float, grain: float, films: int = 80) -> Appearance:
    around = np.linspace(-1, 1, films)
    middles = {"grey": grey, "contrast": contrast, "grain": grain}
    return Appearance(
        {name: middle + around for name, middle in middles.items()}, np.arange(films).astype(str)
    )


def test_the_shift_is_how_often_a_film_there_has_more() -> None:
    there, here = side(100, 51, 3), side(100, 50, 9)
    found = appearance_shift(there, here, BOOTSTRAP)
    more = {name: one.more for name, one in found.items()}
    assert [(one.there, one.here) for one in found.values()] == [(100, 100), (51, 50), (3, 9)]
    assert (more["grey"].value, more["grain"].value) == (0.5, 0)
    assert more["contrast"].value == pytest.approx(0.875, abs=0.01)
    assert more["grey"].low < 0.5 < more["grey"].high and more["contrast"].low > 0.5
    assert appearance_shift(there, None, BOOTSTRAP)["grain"] == AppearanceShift(there=3)


def test_patients_of_two_folders_with_equal_numbers_are_two() -> None:
    """All here are of one patient, whose number is one of those there: nothing to draw an interval by."""
    there, here = side(100, 51, 3), side(100, 50, 9)
    found = appearance_shift(there, here._replace(patients=np.full(80, "7")), BOOTSTRAP)
    assert found["contrast"].more.value == pytest.approx(0.875, abs=0.01)
    assert found["contrast"].more.low is None


@pytest.mark.slow
def test_the_grain_sees_a_quarter_of_the_dose(tmp_path: Path) -> None:
    sides = []
    for technique in ("usual", "low-dose"):
        root = tmp_path / technique
        write_phantom(root, images=24, patients=24, size=256, seed=4, processes=1, technique=technique)
        films = np.stack([read_image(path) for path in sorted((root / "images").iterdir())])
        sides.append(appearance(films, np.arange(24).astype(str)))
    usual, low = sides
    grain = appearance_shift(low, usual, BOOTSTRAP)["grain"].more
    assert grain.value > 0.7 and grain.low > 0.5
