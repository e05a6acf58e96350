"""A study of what choosing films to label is worth: labels that are known are hidden, and asked for in turn.

Each seed draws its own pool, four fifths of the train part's patients, and its first films. Then each
strategy labels some more, the learner begins again from the same start, and the same test films judge it.
Thresholds and calibration play no part: AUCs are compared.
"""

from dataclasses import dataclass

import numpy as np

from xlite.active import STRATEGIES, Strategy
from xlite.active.curves import Curve
from xlite.active.learner import Learner, Lesson
from xlite.active.strategies import Candidates, pick
from xlite.errors import DataError
from xlite.files import Progress
from xlite.findings import FEW_POSITIVES
from xlite.labels import positive
from xlite.metrics.bootstrap import RESAMPLES, Resamples
from xlite.metrics.per_finding import auc_per_class, macro
from xlite.patients import fewer_patients

POOL_SHARE = 0.8


@dataclass(frozen=True)
class StudyOptions:
    """How a study goes: first films, films added each round, rounds, seeds, and the strategies beside random.

    own_start: each strategy chooses the first films too, by what the model knew before; else they are drawn
    at random, the same for all. whole_patients: as `pick` has it.
    """

    start: int
    add: int
    rounds: int
    seeds: int = 5
    strategies: tuple[Strategy, ...] = STRATEGIES
    own_start: bool = False
    whole_patients: bool = False
    resamples: int = RESAMPLES

    @property
    def arms(self) -> tuple[Strategy, ...]:
        """The strategies, with random."""
        return tuple(dict.fromkeys([*self.strategies, "random"]))

    @property
    def trainings(self) -> int:
        """How often the learner learns."""
        return self.seeds * len(self.arms) * (self.rounds + 1) + 1


@dataclass(frozen=True, eq=False)
class StudyFilms:
    """Labels (N, 14) and patients (N,) of the films of the pool, and of those that judge."""

    labels: np.ndarray
    patients: np.ndarray
    test_labels: np.ndarray
    test_patients: np.ndarray


@dataclass(frozen=True, eq=False)
class Followed:
    """What came of a study: each strategy's curve, the findings known of a film (S, K), and the AUC of the
    whole pool. judged (14,) bool: the findings that means go over.
    """

    curves: dict[Strategy, Curve]
    positives: dict[Strategy, np.ndarray]
    judged: np.ndarray
    whole: float


def follow(
    learner: Learner,
    before: Lesson,
    films: StudyFilms,
    options: StudyOptions,
    progress: Progress | None = None,
) -> Followed:
    """Goes through the study; before: the model's own answers, of the pool's films.

    progress is called with the trainings done, and all. Raises DataError if no finding of the test films can
    be judged, or if the pool has too few films for all rounds.
    """
    judge = _Judge(films.test_labels, films.test_patients, options.resamples)
    most = options.start + options.rounds * options.add
    pools = [_pool(films.patients, seed) for seed in range(options.seeds)]
    if most > (least := min(map(len, pools))):
        raise DataError(
            f"the rounds label {most:,} films and a pool of the study has {least:,}: choose fewer rounds or "
            "fewer films a round"
        )
    steps = _Steps(learner, films, options, judge, progress)
    walked = {
        arm: [steps.walk(arm, pool, before, seed) for seed, pool in enumerate(pools)] for arm in options.arms
    }
    whole, _ = judge(learner.learn(np.arange(len(films.labels)), 0, "random").test)
    steps.advance()
    return Followed(
        {
            arm: Curve(
                *(np.array([getattr(walk, part) for walk in walks]) for part in ("films", "auc", "drawn"))
            )
            for arm, walks in walked.items()
        },
        {arm: np.array([walk.positives for walk in walks]) for arm, walks in walked.items()},
        judge.findings,
        whole,
    )


def _pool(patients: np.ndarray, seed: int) -> np.ndarray:
    """The rows of the films of a share of the patients, drawn by the seed."""
    different = np.unique(patients)
    rng = np.random.default_rng([seed, len(different)])
    kept = rng.choice(different, max(1, round(POOL_SHARE * len(different))), replace=False)
    return np.flatnonzero(np.isin(patients, kept))


class _Judge:
    """The mean AUC of scores (T, 14) of the test films over the findings judged, and its resamples (R,)."""

    def __init__(self, labels: np.ndarray, patients: np.ndarray, resamples: int):
        self.findings = fewer_patients(labels, patients) >= FEW_POSITIVES
        if not self.findings.any():
            raise DataError(
                f"none of the 14 findings has {FEW_POSITIVES} patients with it and as many without it among "
                f"the {len(labels):,} test films: take a split with a larger test part"
            )
        self.labels = labels[:, self.findings]
        self.resamples = Resamples(patients, resamples)

    def __call__(self, scores: np.ndarray) -> tuple[float, np.ndarray]:
        some = scores[:, self.findings]
        return float(macro(auc_per_class(self.labels, some))), macro(self.resamples.auc(self.labels, some))


class _Walk:
    """One strategy and seed, round by round."""

    def __init__(self) -> None:
        self.films: list[int] = []
        self.positives: list[float] = []
        self.auc: list[float] = []
        self.drawn: list[np.ndarray] = []


class _Steps:
    """Labels and learns in turn, and says how far it is."""

    def __init__(
        self,
        learner: Learner,
        films: StudyFilms,
        options: StudyOptions,
        judge: _Judge,
        progress: Progress | None,
    ):
        self.learner, self.films, self.options, self.judge = learner, films, options, judge
        self.progress, self.done = progress, 0

    def walk(self, arm: Strategy, pool: np.ndarray, before: Lesson, seed: int) -> _Walk:
        """Labels first films and then more, round by round; pool: the rows of the seed's films."""
        options, walk = self.options, _Walk()
        first: Strategy = arm if options.own_start else "random"
        labelled = self._add(first, before, pool, np.empty(0, np.int64), options.start, seed)
        for number in range(1, options.rounds + 2):
            asks: Strategy = arm if number <= options.rounds else "random"
            lesson = self.learner.learn(np.sort(labelled), seed, asks)
            auc, drawn = self.judge(lesson.test)
            walk.films.append(len(labelled))
            walk.positives.append(float(positive(self.films.labels[labelled]).sum(axis=1).mean()))
            walk.auc.append(auc)
            walk.drawn.append(drawn)
            self.advance()
            if number <= options.rounds:
                labelled = self._add(arm, lesson, pool, labelled, options.add, seed + 1000 * number)
        return walk

    def _add(
        self, arm: Strategy, lesson: Lesson, pool: np.ndarray, labelled: np.ndarray, count: int, seed: int
    ) -> np.ndarray:
        """The rows that are labelled after so many more of the pool are."""
        rest = np.setdiff1d(pool, labelled)
        films = (
            Candidates.unread(self.films.patients[rest])
            if arm == "random"
            else lesson.candidates(rest, labelled, self.films.labels, self.films.patients)
        )
        picked = pick(arm, films, count, self.options.whole_patients, seed)
        return np.concatenate([labelled, rest[picked.rows]])

    def advance(self) -> None:
        """Another training is done."""
        self.done += 1
        if self.progress:
            self.progress(self.done, self.options.trainings)
