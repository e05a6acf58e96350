"""Parts of a film painted over: only these change, and they become what the rest goes on as."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlite.data.phantom.draw import draw_film
from xlite.data.phantom.labels import draw_labels
from xlite.evaluation.shortcuts.hiding import painted_over, without_corners, without_surroundings
from xlite.evaluation.shortcuts.lungs import Lungs


def test_the_corners_go_and_nothing_else() -> None:
    film = np.random.default_rng(0).integers(0, 256, (100, 50), dtype=np.uint8)
    without, hidden = without_corners(film)
    assert hidden.sum() == 4 * 18 * 9
    assert hidden[:18, :9].all() and hidden[-18:, -9:].all() and not hidden[18:-18].any()
    np.testing.assert_array_equal(without[~hidden], film[~hidden])


def test_all_but_the_lungs_goes() -> None:
    [film] = draw_labels(1, 1, seed=99)
    drawing = draw_film(film, 160, seed=99)
    without, hidden = without_surroundings(drawing.image, Lungs.load())
    assert hidden[~drawing.lungs].mean() > 0.7 and hidden[drawing.lungs].mean() < 0.02
    np.testing.assert_array_equal(without[~hidden], drawing.image[~hidden])


def test_a_film_without_lungs_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lungs, "mask", lambda self, film: np.zeros(film.shape, bool))
    film = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    without, hidden = without_surroundings(film, Lungs.load())
    np.testing.assert_array_equal(without, film)
    assert not hidden.any()


def test_a_marker_in_a_corner_leaves_no_trace() -> None:
    film = np.full((224, 224), 90, np.uint8)
    marked = film.copy()
    marked[5:30, 8:25] = 255
    np.testing.assert_array_equal(without_corners(marked)[0], film)


def test_a_slope_goes_on() -> None:
    film = np.repeat(np.linspace(20, 220, 224)[None], 224, axis=0).astype(np.uint8)
    hidden = np.zeros(film.shape, bool)
    hidden[80:140, 80:140] = True
    assert np.abs(painted_over(film, hidden).astype(int) - film).max() < 40


@pytest.mark.slow
@given(seed=st.integers(0, 99), share=st.floats(0.05, 0.95), side=st.integers(1, 65))
def test_what_is_painted_lies_within_what_is_seen(seed: int, share: float, side: int) -> None:
    rng = np.random.default_rng(seed)
    film = rng.integers(60, 120, (side, side + 3), dtype=np.uint8)
    hidden = rng.random(film.shape) < share
    hidden[0, 0] = False
    painted = painted_over(film, hidden)
    seen = film[~hidden]
    np.testing.assert_array_equal(painted[~hidden], seen)
    assert seen.min() <= painted.min() and painted.max() <= seen.max()


def test_a_film_of_which_nothing_is_left_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing of the film is left"):
        painted_over(np.zeros((4, 4), np.uint8), np.ones((4, 4), bool))
