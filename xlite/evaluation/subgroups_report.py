"""The groups of films that a report looks at, and the gaps between them, as typed values."""

from typing import Literal

from pydantic import Field

from xlite.evaluation.report_base import ReportModel
from xlite.metrics.estimate import Estimate


class GroupFinding(ReportModel):
    """One finding in one group; films: those whose label of it is known, None in an old report.

    recall, specificity: at the thresholds of the report, without a value if it has none, or is an old one.
    """

    positives: int
    auc: Estimate
    films: int | None = None
    recall: Estimate = Estimate(None)
    specificity: Estimate = Estimate(None)


class Group(ReportModel):
    """One group of films: its mean AUC over the `findings` with enough positives, then each finding."""

    images: int
    patients: int
    auc: Estimate
    findings: int
    per_class: dict[str, GroupFinding]


class Gap(ReportModel):
    """The difference of AUC between two groups, of the mean over `findings` or (finding) of one finding.

    values: the AUC of each of `between`; the difference is the first less the second. Its interval and p hold
    for all gaps that the report looks at together; it is larger than noise if p is below .05. p is None in an
    old report, and text the sentence of one that has no values.
    """

    between: tuple[str, str]
    finding: str | None
    findings: int = 0
    values: tuple[float, float] | None = None
    difference: Estimate
    p: float | None = None
    larger_than_noise: bool
    text: str | None = Field(default=None, validation_alias="sentence", exclude=True)


NotCompared = Literal["no_groups", "one_group", "few_patients"]
"""No film has a group, or all have the same, or no finding is frequent enough in two groups."""


class Subgroups(ReportModel):
    """The groups that one attribute makes, and the gaps between them: all of means, and of single findings
    those that are larger than noise.

    looks: how many gaps were looked at, None in an old report; not_compared: why there were none.
    """

    groups: dict[str, Group]
    gaps: tuple[Gap, ...]
    looks: int | None = None
    not_compared: NotCompared | None = None
