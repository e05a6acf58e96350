"""What radiologists marked on the films of a report, as typed values."""

from xlite.evaluation.report_base import ReportModel
from xlite.metrics.estimate import Estimate


class RadiologistsFinding(ReportModel):
    """What radiologists marked, against NIH's findings that say the same; `auc` is against their marks.

    prevalence: the share of the films that they marked, at which `nih_ppv` holds; nih_patients: those with
    NIH's findings; films: those of which it is known whether NIH has a finding that says the same, which all
    of this is of. An old report lacks these.
    """

    nih: tuple[str, ...]
    positives: int
    nih_positives: int
    nih_ppv: float | None
    nih_sensitivity: float | None
    auc: Estimate
    nih_auc: Estimate
    difference: Estimate
    prevalence: float | None = None
    nih_patients: int | None = None
    films: int | None = None


class Radiologists(ReportModel):
    """The films that radiologists read too.

    missed_by_no_finding: the share of NIH's "No Finding" films on which they marked something.
    """

    images: int
    patients: int
    missed_by_no_finding: float | None
    findings: dict[str, RadiologistsFinding]
