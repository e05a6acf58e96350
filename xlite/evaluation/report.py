"""`Report`: all that is known of a model, or of anyone's predictions, on some films, as typed values.

metrics.json is this model dumped, with what `xlite.report` puts into words beside the facts. The names of its
keys are a contract: a new one may come, none goes. `Report.model_validate` reads the file back, also one of
an X-Lite that wrote sentences only: these become `Said` caveats and fields that hold words. A value is None
if it is undefined.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator, model_validator

from xlite.evaluation.contamination.caveats import Caveat, NotKnown
from xlite.evaluation.elsewhere.elsewhere_report import Elsewhere
from xlite.evaluation.localisation.localisation_report import LocalisationReport
from xlite.evaluation.old_formats import said_caveats
from xlite.evaluation.radiologists_report import Radiologists
from xlite.evaluation.report_base import Bootstrap, ReportModel, WithCaveats
from xlite.evaluation.subgroups_report import Subgroups
from xlite.evaluation.validation_report import CalibrationReport, OperatingPoints, Validation
from xlite.findings import FINDINGS
from xlite.metrics.confusion import Confusion
from xlite.metrics.estimate import Estimate, FixedMean
from xlite.metrics.thresholds import ValidationPatients

Interval = tuple[float | None, float | None]


class Judged(ReportModel):
    """What the metrics were computed on; the identity that they must never be separated from.

    data: the name of the folder, if all of its films were judged; an old report lacks it.
    """

    id: str
    part: str
    images: int
    patients: int
    label_version: str
    data: str = ""


class Means(ReportModel):
    """Means over the findings that have the metric; with an interval if they are those of `macro_fixed`.

    `auc` has one of all findings too, for programs that rely on it; reports show that of the fixed ones.
    """

    auc: Estimate
    ap: Estimate
    f1: Estimate
    precision: Estimate
    recall: Estimate
    specificity: Estimate
    ece: Estimate
    brier: Estimate

    def estimate(self, name: str) -> Estimate:
        """A metric by its name."""
        value: Estimate = getattr(self, name)
        return value


class FindingMetrics(ReportModel):
    """One finding's metrics; `intervals` holds low and high of those that are plain numbers here.

    films: those whose label of it is known, which all the rest is of; an old report lacks it, as all were. 0:
    the finding is not labelled here, and nothing of it is defined.
    positive_patients, negative_patients: patients with films of the kind; few_positives: the first are too
    few. perfect_ece: the calibration error of as many films if the probabilities were right.
    undefined_resamples: the share of resamples that lack a metric, if some do. called, called_patients: films
    that reach the threshold, and their patients. chosen_on: the validation patients that chose the threshold,
    which is None, with all rates at it, if they are too few. An old report lacks these.
    """

    auc: Estimate
    ap: Estimate
    positives: int
    few_positives: bool
    prevalence: float | None
    always_yes_f1: float | None
    always_no_accuracy: float | None
    accuracy: float | None
    threshold: float | None
    f1: float | None
    precision: float | None
    recall: float | None
    specificity: float | None
    ece: float | None
    brier: float | None
    intervals: dict[str, Interval]
    positive_patients: int | None = None
    negative_patients: int | None = None
    perfect_ece: float | None = None
    calibration_intercept: Estimate = Estimate(None)
    calibration_slope: Estimate = Estimate(None)
    undefined_resamples: dict[str, float] = {}
    called: int | None = None
    called_patients: int | None = None
    chosen_on: ValidationPatients | None = None
    films: int | None = None

    @property
    def labelled(self) -> bool:
        """Whether the label of any film is known."""
        return self.films != 0

    def estimate(self, name: str) -> Estimate:
        """A metric by its name, with its interval, whichever way it is kept."""
        value = getattr(self, name)
        return value if isinstance(value, Estimate) else Estimate(value, *self.intervals.get(name, ()))


class Baseline(ReportModel):
    """What answers that look at no film would reach, beside the accuracy of the model.

    perfect_ece: the mean calibration error of as many films if the probabilities were right.
    """

    always_no_accuracy: float
    accuracy: float | None
    prevalence: float
    always_yes_f1: float | None
    perfect_ece: float | None = None


class Metrics(WithCaveats):
    """The metrics of one set of predictions on one set of films, and what limits their worth.

    macro_findings: how many findings each mean is taken over. macro_fixed: by metric the mean over the
    findings that all resamples have and enough patients bear, so that it has an interval; an old report has
    none. macro_prevalence: the mean prevalence of the findings that the mean of average precision, or of
    precision, is taken over. training_seed: of the model, if it is known.
    """

    split: Judged
    macro: Means
    macro_fixed: dict[str, FixedMean] = {}
    per_class: dict[str, FindingMetrics]
    macro_findings: dict[str, int]
    macro_prevalence: dict[str, float | None] = {}
    baseline: Baseline
    bootstrap: Bootstrap
    training_seed: int | None = None

    @field_validator("per_class")
    @classmethod
    def _all_findings_are_there(cls, found: dict[str, FindingMetrics]) -> dict[str, FindingMetrics]:
        if missing := [finding for finding in FINDINGS if finding not in found]:
            raise ValueError(f"{', '.join(missing)} is missing")
        return found


class Contamination(ReportModel):
    """How many of the films judged are known to what is judged, why, and the metrics on the others.

    In a file the reasons are sentences; what is read back are those of the report's caveats that count films.
    films: 0 if none is known to be, but that is all that can be told. unknown: why nobody can tell which of
    the others are clean; an old report lacks it. clean: None if that is so, or if no film is left.
    """

    films: int
    of: int
    reasons: tuple[Caveat, ...]
    unknown: tuple[NotKnown, ...] = ()
    clean: Metrics | None = None


class Reference(ReportModel):
    """A published result, and whether it was measured on exactly the films judged.

    auc: the mean of 14; films: "official", "chexnet" (the test lists of these splits) or "random" (a random
    patient split of the authors'); reason: the words of an old report.
    """

    name: str
    auc: float
    per_class: dict[str, float] | None
    comparable: bool
    films: str = ""
    reason: str = Field(default="", exclude=True)


class Comparison(ReportModel):
    """A paired test of two models on the films that both have: mean AUC, the first less the second.

    p: two-sided; tie: p is not below .05, and the interval of the difference reaches zero. findings: how many
    the means are over, None in an old file; in_every_resample: whether every resample has all of them. known:
    how many of the films the first learned from, by themselves or by their patients; untold: there may be
    more, and nobody can tell; clean: the same test on the others, if they are enough. second_known,
    second_untold: the same of the second. least_films: the films whose label is known, of the finding
    compared that fewest are known of; None if all labels are, as in an old file.
    """

    names: tuple[str, str]
    first: float
    second: float
    difference: Estimate
    p: float
    tie: bool
    images: int
    patients: int
    findings: int | None = None
    in_every_resample: bool = True
    known: int = 0
    untold: bool = False
    clean: "Comparison | None" = None
    second_known: int = 0
    second_untold: bool = False
    least_films: int | None = None


class Report(Metrics):
    """The whole report on one model, or on anyone's predictions.

    elsewhere: beside the model's own test films, if those judged are of a folder without its split.
    """

    model: str
    contamination: Contamination | None
    validation: Validation
    operating_points: dict[str, OperatingPoints] | None
    calibration: CalibrationReport
    confusion: Confusion
    subgroups: dict[str, Subgroups]
    radiologists: Radiologists | None
    references: tuple[Reference, ...]
    localisation: LocalisationReport | None = None
    comparison: Comparison | None = None
    elsewhere: Elsewhere | None = None

    @property
    def contaminated(self) -> bool:
        """Whether films are known to what is judged: not if nobody can tell."""
        return self.contamination is not None and self.contamination.films > 0

    @model_validator(mode="before")
    @classmethod
    def _of_old(cls, content: Any) -> Any:
        return _with_reasons(content) if isinstance(content, Mapping) else content


def _with_reasons(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The content of a file with caveats for its sentences, among them those of its contamination."""
    contamination, old = content.get("contamination"), "caveats" not in content
    content = said_caveats(content)
    if not isinstance(contamination, Mapping):
        return content
    caveats = content["caveats"]
    if old:
        caveats = [
            {**caveat, "known": contamination["films"] if caveat["text"] in contamination["reasons"] else 0}
            for caveat in caveats
        ]
    reasons = [caveat for caveat in caveats if caveat["known"]]
    return {**content, "caveats": caveats, "contamination": {**contamination, "reasons": reasons}}
