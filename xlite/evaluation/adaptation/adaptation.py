"""`Adaptation`: what a few local films change of a model's calibration and thresholds, as typed values."""

from xlite.evaluation.report_base import Bootstrap, ReportModel
from xlite.findings import FEW_POSITIVES
from xlite.metrics.estimate import Estimate
from xlite.metrics.recalibration import Rung


class AdaptedFinding(ReportModel):
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

    @property
    def chosen(self) -> bool:
        """Whether its threshold was chosen anew."""
        return min(self.with_it, self.without) >= FEW_POSITIVES


class CurvePoint(ReportModel):
    """What so many local films give: means over the draws, each judged on films that none of its own was.

    films: 0 for the model as it is. thresholds: how many were chosen anew. ece, brier, f1: means over the
    findings judged, ece with the 10th and 90th percentile of the draws. changed: the share of calls that are
    other ones than before.
    """

    films: int
    thresholds: float
    ece: float
    ece_low: float
    ece_high: float
    brier: float
    f1: float | None
    changed: float | None


class Change(ReportModel):
    """A mean over the findings judged, before and after, and by how much it changes on the same resamples."""

    before: Estimate
    after: Estimate
    difference: Estimate


class Adaptation(ReportModel):
    """A model adapted to a folder: `films` of `patients` fitted it, `judged` of `judged_patients` judge it.

    known: films of the folder left out, as the model was trained or chosen on them or their patients.
    findings: those judged, with patients enough. ece, brier, auc: means over them; the last a calibrator
    moves by rounding only.
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
    ece: Change
    brier: Change
    per_class: dict[str, AdaptedFinding]
    curve: tuple[CurvePoint, ...]
