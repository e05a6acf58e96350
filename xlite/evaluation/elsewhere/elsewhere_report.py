"""`Elsewhere`: a model's report on films of another hospital beside that on its own test films.

"Here" is the test part of the model's own split, "there" are the films judged. Of two values the first is
that of here. They are of other films and other patients, so that no test is paired.
"""

from typing import Literal

from xlite.evaluation.report_base import Bootstrap, ReportModel
from xlite.guards.verdict import Reason, Verdict
from xlite.metrics.estimate import Estimate


class Side(ReportModel):
    """The films of one side, and by which labels they are judged.

    data: the name of the folder, if all of its films were judged; empty in an old report.
    left_out: films of patients that the model knows, which are in no metric compared; contaminated: it knows
    some that cannot be left out, so that its metrics are not to be relied on.
    """

    split_id: str
    part: str
    films: int
    patients: int
    label_version: str
    data: str = ""
    left_out: int = 0
    contaminated: bool = False
    bootstrap: Bootstrap


class Shift(ReportModel):
    """A metric here and there, and there minus here: an interval each, as far as there is one."""

    here: Estimate
    there: Estimate
    difference: Estimate


class FindingElsewhere(ReportModel):
    """One finding that both sides label.

    films: those whose label of it is known; perfect_ece: the calibration error of as many films if the
    probabilities were right; threshold: the model's, None if it has none, and then all rates at it are.
    """

    films: tuple[int, int]
    positives: tuple[int, int]
    prevalence: tuple[float | None, float | None]
    threshold: float | None
    auc: Shift
    ece: Shift
    perfect_ece: tuple[float | None, float | None]
    intercept: Shift
    slope: Shift
    sensitivity: Shift
    specificity: Shift


class Guarded(ReportModel):
    """What the guards say of `films` of a side's films, spread over all: films by verdict, and by reason."""

    films: int
    verdicts: dict[Verdict, int]
    reasons: dict[Reason, int]


class Distances(ReportModel):
    """How unlike those of training `films` of a side's films are, in the model's own features.

    patients: whose films these are; median: of their distances; limit: beyond it a film is called unlike, as
    `beyond` are; usual: the distance that a share `quantile` of `usual_films` validation films of the model's
    own did not exceed, and `unusual` films do.
    """

    films: int
    patients: int
    median: float
    limit: float
    beyond: int
    usual: float
    quantile: float
    usual_films: int
    unusual: int


Quantity = Literal["grey", "contrast", "grain"]
"""What is measured of a film as the model gets it, in greys of 0-255."""


class AppearanceShift(ReportModel):
    """The median of a quantity there and, if the films were at hand, here.

    more: the chance that a film there has more of it than one here, .5 if they are alike.
    """

    there: float
    here: float | None = None
    more: Estimate = Estimate(None)


class Elsewhere(ReportModel):
    """A model here and there.

    same_names: films that are called as one of the other side, and may be the same; only_here, only_there:
    findings that the other side does not label; mean_findings: over which the mean AUC
    is taken; mix: films by attribute (view, sex, age) and group; guards, distances: of the films there, and
    of those here if they were at hand. No distances if the model file does not say how near the films of its
    training are. appearance: of the films that the guards looked at, empty in an old report.
    """

    here: Side
    there: Side
    same_names: int
    only_here: tuple[str, ...]
    only_there: tuple[str, ...]
    mean_findings: tuple[str, ...]
    mean_auc: Shift
    per_class: dict[str, FindingElsewhere]
    mix: dict[str, dict[str, tuple[int, int]]]
    guards: Guarded
    distances: Distances | None = None
    guards_here: Guarded | None = None
    distances_here: Distances | None = None
    appearance: dict[Quantity, AppearanceShift] = {}
