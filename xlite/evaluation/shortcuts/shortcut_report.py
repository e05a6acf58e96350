"""`Shortcuts`: whether a model may read the hospital instead of the disease, as typed values. No torch."""

from xlite.evaluation.report_base import Bootstrap, ReportModel, WithCaveats
from xlite.evaluation.subgroups_report import Subgroups
from xlite.metrics.estimate import Estimate


class Told(ReportModel):
    """What can be told from the features: classes with their films, and the mean AUC of telling them apart.

    auc: None if a class has too few patients.
    """

    films: dict[str, int]
    auc: Estimate


class Hidden(ReportModel):
    """What hiding a part of each film does: the share of it that is hidden, and mean AUCs before and after.

    change: on the same resamples; per_class: the change of each finding judged.
    """

    share: float
    auc: Estimate
    change: Estimate
    per_class: dict[str, Estimate]


class Shortcuts(WithCaveats):
    """The whole report on one part of a split.

    known: how many of the films are known to the model or its teacher. findings: those with patients enough,
    over which means go. told: by attribute (view, sex, age). within:
    metrics within each group of an attribute. hidden: by what was hidden.
    """

    model: str
    split: str
    part: str
    films: int
    known: int = 0
    patients: int
    bootstrap: Bootstrap
    findings: tuple[str, ...]
    auc: Estimate
    told: dict[str, Told]
    within: dict[str, Subgroups]
    hidden: dict[str, Hidden]
