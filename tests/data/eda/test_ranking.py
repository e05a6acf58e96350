"""The orders of films, against values computed by hand."""

import numpy as np
import pytest

from xlite.data.eda import ranking
from xlite.data.eda.coded import CodedFilms
from xlite.data.eda.ranking import ModelProbabilities
from xlite.findings import FINDINGS

EVERYTHING = np.arange(8)
MASS = FINDINGS.index("Mass")


@pytest.fixture
def judged(coded: CodedFilms) -> ModelProbabilities:
    """0.1 everywhere but on 2_0 and 3_0; for a mass 0.8 on 1_0, which has it, 0.95 on 1_2, which has not."""
    probs = np.full((8, 14), 0.1, np.float32)
    probs[[0, 2], MASS] = 0.8, 0.95
    probs[[3, 4]] = np.nan
    return ModelProbabilities("demo", probs, ("test",))


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("table", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("first", [0, 3, 4, 6, 7, 1, 5, 2]),
        ("last", [2, 1, 5, 0, 3, 4, 6, 7]),
        ("young", [0, 1, 2, 6, 7, 3, 4, 5]),  # the age of 5 is missing
        ("old", [4, 3, 7, 6, 2, 1, 0, 5]),
        ("probability", [2, 0, 1, 5, 6, 7, 3, 4]),
        ("disagreement", [2, 0, 1, 5, 6, 7, 3, 4]),
        ("loss", [5, 2, 0, 1, 6, 7, 3, 4]),
    ],
)
def test_films_in_order(coded: CodedFilms, judged: ModelProbabilities, order: str, expected: list[int]):
    by = ranking.values(coded, EVERYTHING, order, judged, "Mass")
    assert ranking.ordered(EVERYTHING, by, order).tolist() == expected


def test_without_a_model_its_orders_are_the_table_s(coded: CodedFilms):
    for order in ranking.BY_MODEL:
        assert ranking.values(coded, EVERYTHING, order, None, "Mass") is None
    assert ranking.ordered(EVERYTHING[::2], None, "loss").tolist() == [0, 2, 4, 6]


def test_what_models_said_is_shown_of_an_open_film_and_in_their_orders():
    shown = [order for order in (None, "", *ranking.ORDERS) if ranking.shows_models(order, "")]
    assert shown == list(ranking.BY_MODEL) and ranking.shows_models(None, "1_0")


def test_loss_and_disagreement_by_hand(judged: ModelProbabilities):
    labels = np.zeros((2, 14))
    labels[0, MASS] = 1
    probs = np.full((2, 14), 0.25)
    probs[1, 0] = 1.0  # wrong and sure
    assert ranking.disagreement(labels, probs).tolist() == [0.75, 1.0]
    first, second = ranking.loss(labels, probs)
    assert first == pytest.approx(-(np.log(0.25) + 13 * np.log(0.75)) / 14)
    assert second == pytest.approx(-(np.log(1e-7) + 13 * np.log(0.75)) / 14, rel=1e-6)
    assert ranking.widest(labels[1], probs[1]) == FINDINGS[0]
    assert judged.films == 6
