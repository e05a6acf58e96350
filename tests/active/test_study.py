"""The study: what is labelled, what is judged, and that the learner begins anew each time."""

import numpy as np
import pytest

from xlite.active import Strategy
from xlite.active.heads import Heads
from xlite.active.learner import Lesson
from xlite.active.study import Followed, StudyFilms, StudyOptions, follow
from xlite.errors import DataError

OPTIONS = StudyOptions(20, 15, 2, seeds=2, strategies=("diversity", "rarity"), resamples=20)


def drawn(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features (N, 20) that tell the labels (N, 14) but for noise, and patients of two films each."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((count, 14)) < np.linspace(0.1, 0.5, 14)).astype(np.float32)
    features = np.concatenate([labels, np.zeros((count, 6))], axis=1) + rng.normal(0, 0.7, (count, 20))
    return features.astype(np.float32), labels, (np.arange(count) // 2).astype(str)


POOL, TEST = drawn(200, 0), drawn(120, 1)
FILMS = StudyFilms(POOL[1], POOL[2], TEST[1], TEST[2])
BEFORE = Lesson(np.empty((0, 14)), np.full((200, 14), 0.5), POOL[0])


class Noting:
    """Heads that note what they were asked to learn from."""

    def __init__(self) -> None:
        self.heads, self.asked = (
            Heads(POOL[0], POOL[1], TEST[0]),
            list[tuple[frozenset[int], int, Strategy]](),
        )

    def learn(self, rows: np.ndarray, seed: int, strategy: Strategy) -> Lesson:
        assert len(set(rows.tolist())) == len(rows)
        self.asked.append((frozenset(rows.tolist()), seed, strategy))
        return self.heads.learn(rows, seed, strategy)


@pytest.fixture(scope="module")
def noted() -> tuple[Noting, Followed, list[tuple[int, int]]]:
    learner, said = Noting(), list[tuple[int, int]]()
    return learner, follow(learner, BEFORE, FILMS, OPTIONS, lambda *at: said.append(at)), said


@pytest.mark.slow
def test_each_strategy_adds_to_the_same_first_films_of_a_seed(noted: tuple[Noting, Followed, object]) -> None:
    asked = noted[0].asked[:-1]
    walks = [asked[place : place + 3] for place in range(0, len(asked), 3)]
    assert [(walk[0][2], walk[0][1]) for walk in walks] == [
        *(("diversity", 0), ("diversity", 1), ("rarity", 0), ("rarity", 1), ("random", 0), ("random", 1))
    ]
    for walk in walks:
        assert [len(rows) for rows, _, _ in walk] == [20, 35, 50]
        assert walk[0][0] < walk[1][0] < walk[2][0] and walk[2][2] == "random"  # nothing is chosen any more
    firsts = {(walk[0][1], walk[0][0]) for walk in walks}
    assert len(firsts) == 2
    assert len({walk[2][0] for walk in walks}) == 6


def test_each_seed_has_four_fifths_of_the_patients(noted: tuple[Noting, Followed, object]) -> None:
    for seed in (0, 1):
        rows = frozenset[int]().union(*(rows for rows, one, _ in noted[0].asked[:-1] if one == seed))
        assert len({POOL[2][row] for row in rows}) <= 80


def test_curves_have_all_rounds_and_the_last_training_has_all_films(
    noted: tuple[Noting, Followed, list[tuple[int, int]]],
) -> None:
    learner, found, said = noted
    assert said == [(done, OPTIONS.trainings) for done in range(1, 20)] and OPTIONS.trainings == 19
    assert learner.asked[-1] == (frozenset(range(200)), 0, "random")
    assert list(found.curves) == ["diversity", "rarity", "random"] and found.judged.all()
    for curve in found.curves.values():
        assert curve.films.tolist() == [[20, 35, 50]] * 2
        assert curve.drawn.shape == (2, 3, 20) and curve.auc.min() > 0.5 and curve.auc.max() < found.whole < 1
    assert all(
        (found.curves[name].auc[:, 0] == found.curves["random"].auc[:, 0]).all() for name in found.curves
    )
    assert found.positives["rarity"][:, -1].mean() > found.positives["random"][:, -1].mean()


@pytest.mark.slow
def test_each_strategy_may_choose_the_first_films_too() -> None:
    learner = Noting()
    options = StudyOptions(20, 15, 1, seeds=2, strategies=("diversity",), own_start=True, resamples=20)
    follow(learner, BEFORE, FILMS, options)
    assert learner.asked[0][0] != learner.asked[4][0] and learner.asked[4][1:] == (0, "random")


def test_what_cannot_be_judged_or_labelled_is_refused() -> None:
    few = StudyFilms(POOL[1], POOL[2], TEST[1][:10], TEST[2][:10])
    with pytest.raises(DataError, match="none of the 14 findings has 10 patients with it"):
        follow(Noting(), BEFORE, few, OPTIONS)
    with pytest.raises(DataError, match="the rounds label 170 films and a pool of the study has 160"):
        follow(Noting(), BEFORE, FILMS, StudyOptions(20, 50, 3, seeds=2))


@pytest.mark.slow
def test_a_head_of_one_kind_of_label_gives_its_share_and_a_committee_disagrees() -> None:
    labels = POOL[1].copy()
    labels[:, 0], labels[:, 1], labels[:, 2] = 0, np.nan, 1
    heads = Heads(POOL[0], labels, TEST[0])
    lesson = heads.learn(np.arange(60), 0, "disagreement")
    assert lesson.test.shape == (120, 14) and lesson.disagreement is not None
    np.testing.assert_array_equal(lesson.probs[:, :3], np.tile([0, 0.5, 1], (200, 1)))
    assert (lesson.disagreement[:, :3] == 0).all() and (lesson.disagreement[:, 3:] > 0).all()
    assert heads.learn(np.arange(60), 0, "uncertainty").disagreement is None
