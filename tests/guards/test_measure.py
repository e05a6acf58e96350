"""Thumbnails and what is measured on them."""

import numpy as np
import pytest

from xlite.guards.measure import Measurements, gate_input, measure, thumbnail


@pytest.mark.parametrize("shape", [(32, 32), (224, 224), (300, 447), (448, 448), (1024, 1100), (2500, 2048)])
def test_thumbnails_of_any_size_show_the_same_picture(shape: tuple[int, int]) -> None:
    rows = np.linspace(0, 255, shape[0])[:, None]
    small = thumbnail(np.broadcast_to(rows, shape).astype(np.uint8))
    assert (small.shape, small.dtype) == ((224, 224), np.uint8)
    assert np.abs(small - np.linspace(0, 255, 224)[:, None]).max() < 5


def test_a_blank_picture_measures_nothing() -> None:
    assert measure(np.full((224, 224), 90, np.uint8)) == Measurements(0.0, 0.0, 0.0)


def test_greys_and_sharpness_are_measured() -> None:
    rng = np.random.default_rng(0)
    half = np.repeat(np.array([50, 150], np.uint8), 112 * 224).reshape(224, 224)
    found = measure(half)
    assert (found.contrast, found.grey_range) == (100.0, 100.0)
    noise = rng.integers(0, 256, (224, 224), dtype=np.uint8)
    assert measure(noise).sharpness > 4 > 0.2 > found.sharpness
    assert measure(noise).contrast < 20


def test_the_input_of_the_gate_is_half_a_thumbnail() -> None:
    small = np.tile(np.array([[0, 100], [100, 200]], np.uint8), (112, 112))
    x = gate_input(small)
    assert (x.shape, x.dtype) == ((1, 1, 112, 112), np.float32)
    assert set(x.ravel().tolist()) == {100.0}
