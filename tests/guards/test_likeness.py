"""The distance of a film's features from those of training films."""

import base64
import struct

import numpy as np
import pytest
from pydantic import ValidationError

from xlite.guards.likeness import SPARE, Likeness, fit

CHANGES = [
    *({"channels": 79}, {"channels": 10**9}, {"axes": 0}, {"values": "AAAA"}, {"values": "?"}, {"values": 7}),
    *({"limit": 0.0}, {"limit": "far"}, {"quantile": 2.0}, {"films": -1}, {"more": 1}),
]


def roots(rng: np.random.Generator, films: int, channels: int = 80) -> np.ndarray:
    """A cloud, of which features are the squares, with their signs."""
    mix = np.random.default_rng(7).normal(0, 1, (12, channels))
    return rng.normal(0, 1, (films, 12)) @ mix + rng.normal(3, 0.3, (films, channels))


def squared(cloud: np.ndarray) -> np.ndarray:
    return (cloud * np.abs(cloud)).astype(np.float32)


def drawn(rng: np.random.Generator, films: int, channels: int = 80) -> np.ndarray:
    return squared(roots(rng, films, channels))


@pytest.fixture
def likeness() -> Likeness:
    rng = np.random.default_rng(0)
    return fit(drawn(rng, 600), drawn(rng, 300))


def test_like_films_are_about_1_away_and_hardly_any_exceeds_the_limit(likeness: Likeness) -> None:
    away = likeness.distance(drawn(np.random.default_rng(1), 2000))
    assert np.median(away) == pytest.approx(1, abs=0.1)
    assert 0.001 < (away > likeness.limit / SPARE).mean() < 0.04
    assert (away > likeness.limit).mean() < 0.001


def test_films_beyond_and_beside_the_cloud_are_unlike(likeness: Likeness) -> None:
    rng = np.random.default_rng(2)
    like = roots(rng, 50)
    for odd in (3 + 4 * (like - 3), like + rng.normal(0, 1.5, like.shape)):
        assert (likeness.distance(squared(odd)) > likeness.limit).mean() > 0.9
    check = likeness.check(squared(3 + 9 * (like[0] - 3)))
    assert check is not None
    assert (check.reason, check.measure, check.limit) == ("unlike", "distance", likeness.limit)
    assert likeness.check(np.full(80, 9, np.float32)) is None


def test_a_saved_likeness_gives_the_same_distances(likeness: Likeness) -> None:
    films = drawn(np.random.default_rng(3), 5)
    again = Likeness.model_validate_json(likeness.model_dump_json())
    assert again.distance(films).tolist() == likeness.distance(films).tolist()
    assert (again.channels, again.films, again.quantile) == (80, 300, 0.99)
    assert again == likeness != again.model_copy(update={"limit": 9.0})


def test_with_fewer_films_than_channels_distances_are_numbers() -> None:
    rng = np.random.default_rng(4)
    likeness = fit(drawn(rng, 200, 400), drawn(rng, 100, 400))
    assert np.isfinite(likeness.distance(drawn(rng, 20, 400))).all()


def test_the_largest_network_takes_less_than_200_kb() -> None:
    rng = np.random.default_rng(5)
    likeness = fit(drawn(rng, 200, 1280), drawn(rng, 100, 1280))
    assert len(likeness.model_dump_json()) < 130_000


@pytest.mark.parametrize("change", CHANGES)
def test_a_damaged_likeness_is_refused(likeness: Likeness, change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Likeness.model_validate({**likeness.model_dump(), **change})


@pytest.mark.parametrize("number", [np.nan, np.inf, -1.0, 0.0])
def test_numbers_that_measure_nothing_are_refused(likeness: Likeness, number: float) -> None:
    """The variance in all directions beside the axes."""
    content = bytearray(base64.b64decode(likeness.values))
    struct.pack_into("<f", content, 4 * (likeness.channels + likeness.axes), number)
    with pytest.raises(ValidationError, match="of a likeness have to be"):
        Likeness.model_validate(likeness.model_dump() | {"values": base64.b64encode(content).decode()})


def test_too_few_films_are_refused() -> None:
    films = np.zeros((150, 5), np.float32)
    with pytest.raises(ValueError, match="150 training and 150 validation films are too few"):
        fit(films, films)
