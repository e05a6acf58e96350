"""`Report`: all that is known of a model, or of anyone's predictions, on some films, as typed values.

metrics.json is this model dumped, with what `xlite.report` puts into words beside the facts. Names of its keys
are a contract; a new one may come, none goes. Values are None if they are undefined.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from xlite.evaluation.caveats import Caveat
from xlite.metrics.estimate import Estimate

Rate = Literal["f1", "precision", "recall", "specificity"]
Interval = tuple[float | None, float | None]


class _Part(BaseModel):
    """A part of a report, which nothing changes."""

    model_config = ConfigDict(frozen=True)


class Judged(_Part):
    """What the metrics were computed on; the identity that they must never be separated from."""

    id: str
    part: str
    images: int
    patients: int
    label_version: str


class Means(_Part):
    """Means over the findings that have the metric."""

    auc: Estimate
    ap: Estimate
    f1: Estimate
    precision: Estimate
    recall: Estimate
    specificity: Estimate
    ece: Estimate
    brier: Estimate


class FindingMetrics(_Part):
    """One finding's metrics; `intervals` holds low and high of those that are plain numbers here."""

    auc: Estimate
    ap: Estimate
    positives: int
    few_positives: bool
    prevalence: float
    always_yes_f1: float | None
    always_no_accuracy: float
    accuracy: float
    threshold: float
    f1: float | None
    precision: float | None
    recall: float | None
    specificity: float | None
    ece: float | None
    brier: float | None
    intervals: dict[str, Interval]

    def estimate(self, name: str) -> Estimate:
        """A metric with its interval, whichever way it is kept."""
        value = getattr(self, name)
        return value if isinstance(value, Estimate) else Estimate(value, *self.intervals[name])


class Baseline(_Part):
    """What answers that look at no film would reach, beside the accuracy of the model."""

    always_no_accuracy: float
    accuracy: float
    prevalence: float
    always_yes_f1: float | None


class Bootstrap(_Part):
    """How intervals were made."""

    unit: Literal["patient"] = "patient"
    resamples: int
    seed: int


class Metrics(_Part):
    """The metrics of one set of predictions on one set of films, and what limits their worth."""

    split: Judged
    macro: Means
    per_class: dict[str, FindingMetrics]
    macro_findings: dict[str, int]
    baseline: Baseline
    bootstrap: Bootstrap
    caveats: tuple[Caveat, ...] = ()
    training_seed: int | None = None


class Contamination(_Part):
    """How many of the films judged are known to what is judged, why, and the metrics on the others.

    clean is None if none is left, or if it cannot be told which they are.
    """

    films: int
    of: int
    reasons: tuple[Caveat, ...]
    clean: Metrics | None


class Validation(_Part):
    """The validation films that choose thresholds and calibration, or why there are none.

    split_id: of a model, whose val part they are; file: of predictions. absent, if there are none: the folder
    lacks the model's split, that has no val part, the films judged are themselves that part, only `films` of the
    `expected` are here, or no validation predictions were given. text: the words of a report of old.
    """

    films: int = 0
    split_id: str = ""
    file: str = ""
    absent: Literal["", "no_split", "no_part", "same_films", "not_here", "not_given"] = ""
    here: int = 0
    expected: int = 0
    text: str = ""


class PointAtThreshold(_Part):
    """What one finding's threshold gives on the films judged."""

    threshold: float
    f1: Estimate
    precision: Estimate
    recall: Estimate
    specificity: Estimate


class OperatingPoints(_Part):
    """Thresholds by one rule: means over the findings, then each finding."""

    macro: dict[Rate, Estimate]
    per_class: dict[str, PointAtThreshold]


class CalibrationErrors(_Part):
    """Calibration error and Brier score after one calibrator: means, then each finding."""

    macro: dict[Literal["ece", "brier"], Estimate]
    per_class: dict[str, dict[Literal["ece", "brier"], float | None]]


class CalibrationReport(_Part):
    """The calibrator in use, the findings it leaves as they are, and what each calibrator would give."""

    in_use: str
    without_map: tuple[str, ...] = ()
    maps: dict[str, CalibrationErrors] | None


class Confusion(_Part):
    """Counts of films by true finding (row) and other finding (column), as `metrics.confusion` defines them."""

    findings: tuple[str, ...]
    films: tuple[int, ...]
    missed: tuple[int, ...]
    silent: tuple[int, ...]
    together: tuple[tuple[int, ...], ...]
    called: tuple[tuple[int, ...], ...]
    beside: tuple[tuple[int, ...], ...]
    in_place: tuple[tuple[int, ...], ...]


class GroupFinding(_Part):
    """One finding in one group."""

    positives: int
    auc: Estimate


class Group(_Part):
    """One group of films: its mean AUC over the `findings` with enough positives, then each finding."""

    images: int
    patients: int
    auc: Estimate
    findings: int
    per_class: dict[str, GroupFinding]


class Gap(_Part):
    """The difference of AUC between two groups, of the mean over `findings` or (finding) of one finding.

    values: the AUC of each of `between`, their difference is the first less the second.
    """

    between: tuple[str, str]
    finding: str | None
    findings: int = 0
    values: tuple[float, float] | None = None
    difference: Estimate
    larger_than_noise: bool
    text: str | None = Field(
        default=None, alias="sentence", exclude=True
    )  # of a report of old, without values


class Subgroups(_Part):
    """The groups that one attribute makes, and the gaps between them."""

    groups: dict[str, Group]
    gaps: tuple[Gap, ...]


class RadiologistsFinding(_Part):
    """What radiologists marked, against NIH's findings that say the same."""

    nih: tuple[str, ...]
    positives: int
    nih_positives: int
    nih_ppv: float | None
    nih_sensitivity: float | None
    auc: Estimate
    nih_auc: Estimate
    difference: Estimate


class Radiologists(_Part):
    """The films that radiologists read too."""

    images: int
    patients: int
    missed_by_no_finding: float | None
    findings: dict[str, RadiologistsFinding]


class Reference(_Part):
    """A published result: `films` says what it was measured on, `comparable` whether on exactly these films."""

    name: str
    auc: float
    per_class: dict[str, float] | None
    comparable: bool
    films: str = ""
    reason: str = ""


class Comparison(_Part):
    """Two models on the films that both have: macro AUC, the first less the second, and whether it is a tie."""

    names: tuple[str, str]
    first: float
    second: float
    difference: Estimate
    p: float
    tie: bool
    images: int
    patients: int


class BoxSummary(_Part):
    """A metric of boxes: over all boxes, the mean of the findings' means, and each finding."""

    all: Estimate
    mean: Estimate
    per_finding: dict[str, Estimate]


class Report(Metrics):
    """The whole report on one model, or on anyone's predictions."""

    model: str
    contamination: Contamination | None
    validation: Validation
    operating_points: dict[str, OperatingPoints] | None
    calibration: CalibrationReport
    confusion: Confusion
    subgroups: dict[str, Subgroups]
    radiologists: Radiologists | None
    references: tuple[Reference, ...]
    localisation: "LocalisationReport | None" = None
    comparison: Comparison | None = None


class LocalisationJudged(_Part):
    """The boxes judged, the films and patients they are of, and the boxes on films that are not here."""

    id: str
    part: str
    films: int
    patients: int
    boxes: int
    boxes_without_film: int
    label_version: str


class BoxCounts(_Part):
    """The boxes of a finding, whether they are too few to judge it, and how many are below a cell of the map."""

    boxes: int
    few: bool
    smaller_than_a_cell: int


class CheckedEstimate(_Part):
    """A sanity check's mean over the boxes that define it."""

    value: float | None
    low: float | None = None
    high: float | None = None
    boxes: int


class LocalisationReport(_Part):
    """Maps by several methods against radiologists' boxes.

    methods: by name, each metric of `metrics.localisation.FIGURES` and its differences from maps that know
    nothing as BoxSummary, "faults" as counts, "checks" as CheckedEstimate; the shape of localisation.json.
    """

    model: str
    split: LocalisationJudged
    grid: tuple[int, int]
    cell: float
    methods: dict[str, "MethodMetrics"]
    findings: dict[str, BoxCounts]
    published: tuple[dict[str, object], ...]
    bootstrap: Bootstrap
    training_seed: int | None
    caveats: tuple[Caveat, ...] = ()


class MethodMetrics(_Part):
    """One way to make maps: a BoxSummary a metric, how many maps have each fault, and the sanity checks."""

    metrics: dict[str, BoxSummary]
    faults: dict[str, int]
    checks: dict[str, CheckedEstimate] | None = None


Report.model_rebuild()
LocalisationReport.model_rebuild()
