"""The shipped lung network, on drawn films whose lungs are known, and on what is not a film."""

from pathlib import Path

import numpy as np
import pytest

from xlite.data.phantom.draw import draw_film
from xlite.data.phantom.labels import draw_labels
from xlite.errors import CheckpointError
from xlite.evaluation.shortcuts.lungs import Lungs


@pytest.fixture(scope="module")
def lungs() -> Lungs:
    return Lungs.load()


@pytest.mark.slow
def test_the_lungs_of_drawn_films_are_found(lungs: Lungs) -> None:
    """All but 2 % of them lie in the mask, which is larger by its margin."""
    for film in draw_labels(6, 6, seed=99):
        drawing = draw_film(film, 160, seed=99)
        mask = lungs.mask(drawing.image)
        assert mask.shape == (160, 160) and mask[drawing.lungs].mean() > 0.98
        assert (mask & ~drawing.lungs).sum() < 0.6 * drawing.lungs.sum()


def test_a_film_of_any_size_has_its_own_mask(lungs: Lungs) -> None:
    [film] = draw_labels(1, 1, seed=99)
    image = draw_film(film, 224, seed=99).image
    large = np.repeat(np.repeat(image, 2, axis=0), 3, axis=1)
    mask = lungs.mask(large)
    assert mask.shape == (448, 672)
    assert (mask[::2, ::3] == lungs.mask(image)).mean() > 0.95


def test_what_is_no_lung_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lungs.onnx"
    with pytest.raises(CheckpointError, match="cannot be read"):
        Lungs.load(path)
    path.write_bytes(b"no network")
    with pytest.raises(CheckpointError, match="is not a lung network"):
        Lungs.load(path)
