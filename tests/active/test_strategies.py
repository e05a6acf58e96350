"""How films are ranked: by hand on a few, and the rules that hold for all strategies."""

import numpy as np
import pytest

from xlite.active import STRATEGIES, Strategy
from xlite.active.strategies import Candidates, entropy, pick
from xlite.errors import DataError


def candidates(common: list[float], **changes: np.ndarray) -> Candidates:
    """Films with these probabilities of each finding, each a patient's, on a line from 0 on."""
    count = len(common)
    known = {
        "probs": np.tile(np.array(common, np.float32)[:, None], (1, 14)),
        "features": np.arange(count, dtype=np.float32)[:, None],
        "patients": np.array([str(number) for number in range(count)]),
        "labels": np.empty((0, 14), np.float32),
        "centres": np.empty((0, 1), np.float32),
        "disagreement": np.zeros((count, 14), np.float32),
    }
    return Candidates(**known | changes)


def test_the_entropy_of_a_coin_is_one_bit_and_of_what_is_certain_none() -> None:
    np.testing.assert_allclose(
        entropy(np.array([0, 0.11, 0.5, 0.89, 1])), [0, 0.49992, 1, 0.49992, 0], atol=1e-5
    )


def test_the_most_uncertain_film_comes_first() -> None:
    picked = pick("uncertainty", candidates([0.1, 0.5, 0.95, 0.4]), 3)
    assert picked.rows.tolist() == [1, 3, 0]
    np.testing.assert_allclose(picked.scores, entropy(np.array([0.5, 0.4, 0.1])), rtol=1e-6)


def test_the_film_on_which_members_differ_most_comes_first() -> None:
    apart = np.zeros((3, 14), np.float32)
    apart[2, 5], apart[0, 0] = 0.28, 0.14
    picked = pick("disagreement", candidates([0.5] * 3, disagreement=apart), 2)
    assert picked.rows.tolist() == [2, 0]
    np.testing.assert_allclose(picked.scores, [0.02, 0.01], rtol=1e-6)


def test_without_an_ensemble_nothing_disagrees() -> None:
    alone = Candidates(
        *(getattr(candidates([0.5]), name) for name in ("probs", "features", "patients", "labels", "centres"))
    )
    with pytest.raises(DataError, match="name several with commas, or choose another strategy"):
        pick("disagreement", alone, 1)


def test_a_finding_weighs_by_how_few_films_have_it() -> None:
    probs = np.zeros((3, 14), np.float32)
    probs[0, 0], probs[1, 1], probs[2, :2] = 0.8, 0.4, 0.2
    labels = np.zeros((4, 14), np.float32)
    labels[:, 0], labels[0, 1], labels[3, 1] = 1, np.nan, 1
    picked = pick("rarity", candidates([0] * 3, probs=probs, labels=labels), 3)
    assert picked.rows.tolist() == [
        1,
        2,
        0,
    ]  # 4 films have the first finding and 1 the second, and expected 1.0, .6
    np.testing.assert_allclose(picked.scores, [0.4 / 1.6, 0.2 / 5 + 0.2 / 1.6, 0.8 / 5], rtol=1e-6)


def test_each_film_is_the_furthest_from_all_that_are_labelled_or_chosen() -> None:
    films = candidates([0.5] * 9, centres=np.array([[0.5]], np.float32))
    picked = pick("diversity", films, 4)
    assert picked.rows.tolist() == [8, 4, 6, 2] and picked.scores.tolist() == [7.5, 3.5, 2.0, 1.5]


def test_with_nothing_labelled_the_mean_is_the_first_centre() -> None:
    assert pick("diversity", candidates([0.5] * 5), 3).rows.tolist() == [0, 4, 1]


def test_chance_is_the_same_for_a_seed_and_needs_to_know_nothing() -> None:
    films = Candidates.unread(np.arange(50).astype(str))
    first, again, other = (pick("random", films, 10, seed=seed).rows.tolist() for seed in (1, 1, 2))
    assert first == again != other and len(set(first)) == 10


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_whole_patients_stand_together_and_one_who_does_not_fit_is_passed_over(strategy: Strategy) -> None:
    rng = np.random.default_rng(0)
    films = candidates(
        rng.random(12).tolist(),
        patients=np.array(["a"] * 5 + ["b"] * 3 + ["c"] * 3 + ["d"]),
        disagreement=rng.random((12, 14)).astype(np.float32),
    )
    rows = pick(strategy, films, 6, whole_patients=True).rows
    chosen = films.patients[rows].tolist()
    assert len(chosen) <= 6 and len(set(rows.tolist())) == len(rows)
    assert all(chosen.count(one) == films.patients.tolist().count(one) for one in set(chosen))
    assert [one for one, before in zip(chosen, ["", *chosen], strict=False) if one != before] == list(
        dict.fromkeys(chosen)
    )
    assert set(chosen) in ({"a", "d"}, {"b", "c"}, {"d", "b"}, {"d", "c"}) and len(rows) in (6, 4)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_budget_beyond_all_films_takes_them_all_once(strategy: Strategy) -> None:
    assert sorted(pick(strategy, candidates([0.1, 0.5, 0.9]), 10).rows.tolist()) == [0, 1, 2]
    assert pick(strategy, candidates([]), 10).rows.tolist() == []
