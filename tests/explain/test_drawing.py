import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from xlite.explain import draw_cell, overlay, shrink, upsample_map
from xlite.explain.drawing import STRIP


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


def test_an_overlay_leaves_the_film_bare_where_nothing_was_seen():
    film = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert (overlay(film, np.zeros((16, 16), np.float32)) == film[..., None]).all()


def test_an_overlay_is_red_at_the_peak_and_still_shows_the_film():
    dark, bright = np.full((8, 8), 40, np.uint8), np.full((8, 8), 200, np.uint8)
    peak = np.ones((8, 8), np.float32)
    red, green, blue = overlay(dark, peak)[0, 0].astype(int)
    assert red > green and red > blue  # RGB, not BGR
    difference = overlay(bright, peak).astype(int) - overlay(dark, peak)
    assert (abs(difference - (1 - 0.45) * 160) <= 1).all()  # the film's own contrast, less the opacity
    assert (overlay(dark, peak, opacity=0) == 40).all()


def test_an_overlay_refuses_another_frame():
    with pytest.raises(ValueError, match=r"film \(8, 8\) and map \(7, 7\) must have the same shape"):
        overlay(np.zeros((8, 8), np.uint8), np.zeros((7, 7), np.float32))


def test_an_overlay_of_a_film_of_many_strips_is_that_of_its_parts():
    rng = np.random.default_rng(0)
    film = rng.integers(0, 256, (2 * STRIP + 7, 9), dtype=np.uint8)
    heat = rng.random(film.shape, dtype=np.float32)
    rows = [overlay(film[row : row + 1], heat[row : row + 1]) for row in range(len(film))]
    np.testing.assert_array_equal(overlay(film, heat), np.concatenate(rows))


def test_an_overlay_takes_little_more_memory_than_its_pixels():
    film, heat = np.full((3000, 2000), 90, np.uint8), np.ones((3000, 2000), np.float32)
    tracemalloc.start()
    painted = overlay(film, heat)
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
