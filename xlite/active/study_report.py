"""`SelectStudy`: what labelling by each strategy was worth, as typed values. No torch."""

from xlite.active import Strategy
from xlite.evaluation.report_base import Bootstrap, ReportModel
from xlite.metrics.estimate import Estimate


class Arm(ReportModel):
    """One strategy, round by round: films labelled, the mean AUC, and its gain over random, over the seeds.

    positives: the mean number of findings of a film that is labelled. needed: films to reach the study's
    target; that of the last round means so many or more. gains: on the same resamples; empty of random.
    """

    films: tuple[float, ...]
    positives: tuple[float, ...]
    auc: tuple[Estimate, ...]
    gains: tuple[Estimate, ...]
    needed: Estimate


class SelectStudy(ReportModel):
    """A study that hides labels it knows: films are labelled round by round, by each strategy.

    train: `head` or `run`. own_start: whether each strategy chose the first films too, by the model's own
    answers. pool, test: films, their patients, and of how many the model knows film or patient. findings:
    those that means go over, with patients enough in the test part. target: the AUC that random has in the
    middle round. whole: the mean AUC if all films of the pool are labelled.
    """

    data: str
    split: str
    label_version: str
    model: str
    train: str
    own_start: bool
    whole_patients: bool
    start: int
    add: int
    rounds: int
    seeds: int
    pool: int
    pool_patients: int
    pool_known: int
    test: int
    test_patients: int
    test_known: int
    findings: tuple[str, ...]
    bootstrap: Bootstrap
    target: float
    target_round: int
    whole: float
    arms: dict[Strategy, Arm]
