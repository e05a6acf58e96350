"""Learning curves: films needed by hand, and intervals of what is paired."""

import numpy as np

from xlite.active.curves import Curve, films_needed

SIZES = np.array([50.0, 100, 150])


def test_films_needed_lie_between_the_rounds_on_a_line() -> None:
    auc = np.array([[0.6, 0.6, 0.6, 0.6], [0.7, 0.7, 0.7, 0.7], [0.65, 0.8, 0.8, 0.8]])
    found = films_needed(SIZES, auc, np.array([0.65, 0.75, 0.5, 0.9]))
    np.testing.assert_allclose(found, [75, 125, 50, 150])


def test_a_plateau_is_reached_where_it_begins() -> None:
    auc = np.array([[0.6], [0.7], [0.7]])
    np.testing.assert_allclose(films_needed(SIZES, auc, np.array([0.7])), [100])


def curve(shift: float) -> Curve:
    """Five seeds and three rounds, with noise that all such curves share."""
    rng = np.random.default_rng(0)
    auc = np.array([0.6, 0.65, 0.7]) + rng.normal(0, 0.02, (5, 3))
    drawn = auc[:, :, None] + rng.normal(0, 0.03, (5, 1, 400))
    return Curve(np.tile(SIZES, (5, 1)), auc + shift, drawn + shift)


def test_what_two_curves_have_in_common_goes_out_of_their_difference() -> None:
    gains = curve(0.01).gains(curve(0))
    for gain in gains:
        assert gain.value is not None and gain.low is not None and gain.high is not None
        np.testing.assert_allclose([gain.value, gain.low, gain.high], 0.01)
    mean = curve(0).estimates()[0]
    assert mean.low is not None and mean.high is not None and mean.high - mean.low > 0.02


def test_a_better_curve_needs_fewer_films() -> None:
    chance, better = curve(0), curve(0.025)
    auc, drawn = chance.mean()
    own, other = (one.needed(float(auc[1]), drawn[1]) for one in (chance, better))
    assert own.value == 100 and other.value is not None and 70 < other.value < 80
    assert other.high is not None and other.high <= 100
