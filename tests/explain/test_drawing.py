import tracemalloc

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from xlite.explain import draw_cell, overlay, shrink, upsample_map
from xlite.explain.drawing import OPACITY, SCALES, scale_table


@settings(max_examples=50, deadline=None)
@given(
    coarse=hnp.arrays(np.float32, (7, 7), elements=st.floats(0, 1e6, width=32)),
    shape=st.tuples(st.integers(1, 300), st.integers(1, 300)),
)
def test_a_map_in_the_frame_of_the_film_is_between_0_and_1(coarse, shape):
    fine = upsample_map(coarse, shape)
    assert (fine.shape, fine.dtype) == (shape, np.float32)
    assert fine.min() >= 0
    assert fine.max() == (1 if fine.any() else 0)


def test_the_peak_of_a_map_lies_where_its_cell_lies():
    coarse = np.zeros((7, 7), np.float32)
    coarse[1, 5] = 3  # the cell of rows 100-199, columns 250-299 of a film of 700 x 350
    fine = upsample_map(coarse, (700, 350))
    rows, columns = np.nonzero(fine > 0.9)
    assert (rows.mean(), columns.mean()) == (149.5, 274.5)
    assert rows.min() >= 100 and rows.max() < 200 and columns.min() >= 250 and columns.max() < 300


def test_an_empty_map_stays_empty():
    assert not upsample_map(np.zeros((7, 7), np.float32), (20, 30)).any()


def test_a_cell_is_outlined_in_the_lower_left_corner():
    painted = np.full((700, 1400, 3), 90, np.uint8)
    draw_cell(painted, (100, 200))
    rows, columns = np.nonzero((painted == 255).all(2))
    assert 100 <= np.ptp(rows) <= 103 and 200 <= np.ptp(columns) <= 203  # the line has a width
    assert rows.min() > 550 and columns.max() < 250
    assert (painted[300:500] == 90).all() and (painted[:, 300:] == 90).all()


def in_floats(film: np.ndarray, coarse: np.ndarray, opacity: float) -> np.ndarray:
    """What an overlay is, by its definition and in floating point."""
    heat = upsample_map(coarse, film.shape)
    colours = cv2.applyColorMap(np.rint(255 * heat).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    alpha = opacity * heat[..., None]
    return (1 - alpha) * film[..., None] + alpha * colours


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    coarse=hnp.arrays(np.float32, (7, 7), elements=st.floats(0, 1e6, width=32)),
    shape=st.tuples(st.integers(32, 300), st.integers(32, 300)),
    opacity=st.sampled_from([0, 0.2, 0.45, 1]),
)
def test_an_overlay_is_the_sum_in_floating_point_to_a_few_grey_levels(coarse, shape, opacity):
    film = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    painted = overlay(film, coarse, opacity)
    assert (painted.shape, painted.dtype) == ((*shape, 3), np.uint8)
    off = abs(painted - in_floats(film, coarse, opacity))
    assert off.max() <= (3.5 if opacity <= OPACITY else 6)  # half a level of which is the last rounding


@pytest.mark.parametrize("shape", [(1, 70_000), (1024, 1024), (1023, 77)])
def test_an_overlay_of_many_strips_is_the_sum_too(shape):
    rng = np.random.default_rng(1)
    film = rng.integers(0, 256, shape, dtype=np.uint8)
    coarse = (rng.random((7, 7)) ** 3).astype(np.float32)
    off = abs(overlay(film, coarse) - in_floats(film, coarse, OPACITY))
    assert off.max() <= 3 and (off > 1.5).mean() < 0.02


def test_an_overlay_leaves_the_film_bare_where_nothing_was_seen():
    film = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert (overlay(film, np.zeros((7, 7), np.float32)) == film[..., None]).all()
    half = np.zeros((1, 2), np.float32)
    half[0, 1] = 1e-42  # however little activation: a map is relative to its peak
    painted = overlay(film, half)
    assert (painted[:, :4] == film[:, :4, None]).all() and (painted[:, 12:] != film[:, 12:, None]).any()


def test_an_overlay_is_yellow_at_the_peak_and_still_shows_the_film():
    dark, bright = np.full((8, 8), 40, np.uint8), np.full((8, 8), 200, np.uint8)
    peak = np.ones((2, 2), np.float32)
    red, green, blue = overlay(dark, peak)[0, 0].astype(int)
    assert green > blue and red > blue  # RGB, not BGR
    difference = overlay(bright, peak).astype(int) - overlay(dark, peak)
    assert (abs(difference - (1 - 0.45) * 160) <= 1).all()  # the film's own contrast, less the opacity
    assert (overlay(dark, peak, opacity=0) == 40).all()


def test_an_overlay_takes_little_more_memory_than_its_pixels():
    film, coarse = np.full((3000, 2000), 90, np.uint8), np.ones((7, 7), np.float32)
    tracemalloc.start()
    painted = overlay(film, coarse)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert painted.nbytes <= peak < 1.5 * painted.nbytes


def test_a_film_is_shrunk_to_a_side_and_never_enlarged():
    film = np.full((3000, 2000), 90, np.uint8)
    film[:, 1000:] = 200
    small = shrink(film)
    assert (small.shape, small.dtype) == ((1024, 683), np.uint8)
    assert (small[:, :340] == 90).all() and (small[:, 342:] == 200).all()
    assert shrink(film, 300).shape == (300, 200)
    assert shrink(np.zeros((32, 60_000), np.uint8)).shape == (1, 1024)
    assert shrink(small) is small


@pytest.mark.parametrize("title", SCALES)
def test_colours_are_opencvs_and_turbo_ends_where_it_is_reddest(title: str):
    levels = np.arange(256, dtype=np.uint8)[:, None]
    all_colours = cv2.applyColorMap(levels, SCALES[title])[:, 0, ::-1]
    wanted = all_colours[np.arange(256) * 220 // 255] if title == "Turbo" else all_colours
    np.testing.assert_array_equal(scale_table(title), wanted)


@pytest.mark.parametrize("title", ["Inferno", "Cividis"])
def test_what_is_for_the_colour_blind_rises_in_brightness_alone(title: str):
    """Where neither hue nor printer's colour is seen, brightness says how high a map is."""
    linear = (scale_table(title) / 255) ** 2.2
    brightness = linear @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(brightness[::8]) > 0).all() and brightness[-1] - brightness[0] > 0.6
