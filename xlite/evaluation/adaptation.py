"""`Adaptation`: what a few local films change of a model's calibration and thresholds, as typed values."""

from xlite.evaluation.base import Bootstrap, Part
from xlite.metrics.estimate import Estimate
from xlite.metrics.ladder import Rung


class AdaptedFinding(Part):
    """A finding before and after, on the local films that fitted nothing.

    with_it, without: local patients by whom it was fitted. films, positives: judged, those of which the label
    is known. ece, brier, threshold, sensitivity, specificity: before and after, None if undefined. changed:
    the share of films whose call is another one now, None without both thresholds.
    """

    rung: Rung
    with_it: int
    without: int
    films: int
    positives: int
    ece: tuple[float | None, float | None]
    brier: tuple[float | None, float | None]
    threshold: tuple[float | None, float | None]
    sensitivity: tuple[float | None, float | None]
    specificity: tuple[float | None, float | None]
    changed: float | None


class CurvePoint(Part):
    """What so many local films give: means over the draws, each judged on films that none of its own was.

    films: 0 for the model as it is. findings: to which anything was fitted. ece, brier, f1: means over the
    findings judged, ece with the 10th and 90th percentile of the draws. changed: the share of calls that are
    other ones than before.
    """

    films: int
    findings: float
    ece: float
    ece_low: float
    ece_high: float
    brier: float
    f1: float | None
    changed: float | None


class Adaptation(Part):
    """A model adapted to a folder: `films` of `patients` fitted it, `judged` of `judged_patients` judge it.

    known: films of the folder left out, as the model was trained or chosen on them or their patients.
    findings: those judged, with patients enough. ece: the mean over them, before and after, with intervals;
    ece_change: of the same resamples. auc: the mean, which a calibrator moves by rounding only.
    """

    model: str
    data: str
    data_fingerprint: str
    label_version: str
    films: int
    patients: int
    judged: int
    judged_patients: int
    known: int
    seed: int
    draws: int
    bootstrap: Bootstrap
    findings: tuple[str, ...]
    auc: Estimate
    ece: tuple[Estimate, Estimate]
    ece_change: Estimate
    per_class: dict[str, AdaptedFinding]
    curve: tuple[CurvePoint, ...]
