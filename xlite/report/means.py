"""Means over the findings in words: over how many each is, and why a metric has no interval."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from xlite.evaluation.estimates import AT_ONE_PREVALENCE
from xlite.evaluation.report import FindingMetrics, Metrics
from xlite.evaluation.validation_report import PointAtThreshold
from xlite.findings import FEW_POSITIVES, FINDINGS, spoken
from xlite.metrics.estimate import Estimate, FixedMean
from xlite.metrics.intervals import ENOUGH, LEAST, LEAST_FOR_ECE, LEAST_FOR_MEAN, LEAST_IN_MEAN
from xlite.report.document import Cell
from xlite.text import NOT_LABELLED, counted, few_patients, number

_METRICS = {
    "auc": "AUC",
    "ap": "average precision",
    "f1": "F1",
    "precision": "precision",
    "recall": "sensitivity",
    "specificity": "specificity",
    "ece": "calibration error",
    "brier": "Brier score",
}
AT_PREVALENCE = "Precision holds at the prevalence beside it, its mean at that of the findings that have it."
CHOSEN_ON = (
    f"Chosen on: validation patients with the finding; if fewer than {FEW_POSITIVES} have it, or do not, "
    "there is no threshold and nothing is called."
)


class MeanRow(NamedTuple):
    """Means over findings: a title with the number of findings that have an AUC, and each metric's mean.

    findings: over how many each mean is. prevalence: of these, in the mean, of average precision and
    precision.
    """

    title: str
    estimates: dict[str, Estimate]
    findings: dict[str, int]
    prevalence: Mapping[str, float | None]

    def text(self, name: str) -> str:
        """A mean with its interval; the number of its findings too, if that is not the title's."""
        few = self.findings[name] != self.findings["auc"] and self.estimates[name].value is not None
        return str(self.estimates[name]) + (f" of {self.findings[name]}" if few else "")


def mean_rows(metrics: Metrics, shown: Collection[str]) -> list[MeanRow]:
    """The means over the findings that have a metric, then those over the fixed ones, if these are others.

    shown: the metrics that are shown of them, by name.
    """
    fixed, found = metrics.macro_fixed, metrics.macro_findings
    base = metrics.baseline.prevalence  # an old report has only this one
    prevalence = {name: metrics.macro_prevalence.get(name, base) for name in AT_ONE_PREVALENCE}
    estimates = {name: shown_mean(metrics, name) for name in found}
    every = MeanRow(mean_of(metrics), estimates, found, prevalence)
    if not any(
        one.findings and len(one.findings) != found[name] for name, one in fixed.items() if name in shown
    ):
        return [every]
    counts = {name: len(one.findings) for name, one in fixed.items()}
    means = {name: one.estimate for name, one in fixed.items()}
    shares = {name: _mean_prevalence(metrics, fixed[name].findings) for name in AT_ONE_PREVALENCE}
    return [every, MeanRow(_title(fixed["auc"]), means, counts, shares)]


def _mean_prevalence(metrics: Metrics, findings: Sequence[str]) -> float | None:
    """Of these findings; None of none, as precision has if nothing is called."""
    shares = [metrics.per_class[name].prevalence for name in findings]
    return float(np.mean([share for share in shares if share is not None])) if findings else None


def fixed_findings(metrics: Metrics, shown: Collection[str]) -> list[str]:
    """A sentence that names the fixed findings, if they have a row of their own among `mean_rows`."""
    if len(mean_rows(metrics, shown)) == 1:
        return []
    sets: dict[tuple[str, ...], list[str]] = {}
    for name, title in _METRICS.items():
        if name in shown:
            sets.setdefault(metrics.macro_fixed[name].findings, []).append(title)
    only = len(sets) == 1
    said = [
        _named(findings) + ("" if only else f" ({', '.join(titles)})") for findings, titles in sets.items()
    ]
    return [f"With {LEAST_IN_MEAN} patients or more: {'; '.join(said)}."]


def _named(findings: Sequence[str]) -> str:
    """All but those that lack, if these are fewer."""
    lacking = [name for name in FINDINGS if name not in findings]
    if not findings or not lacking:
        return "all" if findings else "none"
    some = findings if len(findings) <= len(lacking) else lacking
    return f"{'' if some is findings else 'all but '}{', '.join(map(spoken, some))}"


def mean_auc(metrics: Metrics) -> tuple[str, Estimate]:
    """What the mean AUC is taken over, and the AUC: always over all findings that have one on these films.

    If only the mean over the fixed findings has an interval, the words name that too.
    """
    fixed, every = metrics.macro_fixed.get("auc", FixedMean()), shown_mean(metrics, "auc")
    over = mean_of(metrics)
    if every.low is None and fixed.estimate.low is not None:
        over = f"{over}; {fixed.estimate} {_of_fixed(fixed)}"
    return over, every


def shown_mean(metrics: Metrics, name: str) -> Estimate:
    """The named mean over all findings that have it; with its interval if it is that of the fixed ones."""
    value, fixed = metrics.macro.estimate(name), metrics.macro_fixed.get(name)
    if fixed is None:  # an old report
        return value
    same = len(fixed.findings) == metrics.macro_findings[name]
    return fixed.estimate if same else Estimate(value.value)


def mean_of(metrics: Metrics) -> str:
    """`mean of 14`, or of as many findings as have an AUC on these films."""
    return f"mean of {metrics.macro_findings['auc']}"


def _title(fixed: FixedMean) -> str:
    return f"mean {_of_fixed(fixed)}"


def _of_fixed(fixed: FixedMean) -> str:
    return f"of the {len(fixed.findings)} with {LEAST_IN_MEAN} patients or more"


def of_labelled(metrics: FindingMetrics, cells: Sequence[str | Cell]) -> list[str | Cell]:
    """What a table says of a finding on the films judged; of one that is not labelled here only that."""
    return list(cells) if metrics.labelled else [NOT_LABELLED, *[""] * (len(cells) - 1)]


def some_unknown(metrics: Metrics) -> bool:
    """Whether some labels of a finding are known and others not, so that its films are others."""
    return any(films_of(metrics, finding) for finding in metrics.per_class)


def films_of(metrics: Metrics, finding: str) -> str:
    """`, known on 150 films` behind a finding's name; nothing if its label is known of all, or of none."""
    films = metrics.per_class[finding].films
    return "" if films in (None, 0, metrics.split.images) else f", known on {counted(films, 'film')}"


def positives(metrics: FindingMetrics, what: str = "") -> str:
    """`25 films of 19 patients`; in an old report, which does not count patients, `25`, of what if said.

    `not labelled here` of a finding whose label is known of no film.
    """
    if not metrics.labelled:
        return NOT_LABELLED
    if metrics.positive_patients is None or not metrics.positives:
        return f"{metrics.positives:,} {what}".rstrip()
    return f"{counted(metrics.positives, 'film')} of {counted(metrics.positive_patients, 'patient')}"


def called(metrics: FindingMetrics | PointAtThreshold) -> str:
    """`40 films of 31 patients` that reach the threshold; nothing if it is withheld, or in an old report."""
    if metrics.called is None:
        return ""
    patients = counted(metrics.called_patients or 0, "patient")
    return f"{counted(metrics.called, 'film')} of {patients}" if metrics.called else "0"


def threshold_cells(metrics: FindingMetrics | PointAtThreshold) -> list[str]:
    """A threshold, `none` if it is withheld, and how many validation patients chose it, if that is known."""
    one = metrics.chosen_on
    if metrics.threshold is None:
        return ["none", few_patients(one.positive, one.negative) if one else ""]
    return [number(metrics.threshold), counted(one.positive, "patient") if one else ""]


def missing_intervals(metrics: Metrics) -> list[str]:
    """Why some metrics have no interval, in sentences."""
    if not metrics.macro_fixed:  # an old report, whose intervals follow other rules
        return []
    return list(_reasons(metrics))


def _reasons(metrics: Metrics) -> Iterator[str]:
    known = {name: one for name, one in metrics.per_class.items() if one.auc.value is not None}
    few = [
        f"{spoken(name)} ({positives(one)})"
        for name, one in known.items()
        if min(one.positive_patients or 0, one.negative_patients or 0) < LEAST
    ]
    if few:
        yield (
            f"No interval of AUC, average precision and Brier score below {LEAST} patients with the finding "
            f"or without it: {', '.join(few)}."
        )
    if metrics.split.patients < LEAST_FOR_MEAN:
        yield f"No interval of means over findings below {LEAST_FOR_MEAN} patients."
    elif some_unknown(metrics) and any(_bare(one) for one in metrics.macro_fixed.values()):
        yield f"No interval of means over findings one of which is known of under {LEAST_FOR_MEAN} patients."
    if metrics.split.patients < LEAST_FOR_ECE:
        yield f"No interval of the calibration error below {LEAST_FOR_ECE:,} patients."
    elif any(one.ece is not None and one.intervals["ece"][0] is None for one in known.values()):
        whole = f", or {LEAST_FOR_ECE:,} whose label is known" if some_unknown(metrics) else ""
        few_with = f"{ENOUGH} patients with the finding or without it{whole}"
        yield f"No interval of the calibration error below {few_with}."


def _bare(mean: FixedMean) -> bool:
    """Whether it is a mean, but without an interval."""
    return mean.estimate.value is not None and mean.estimate.low is None


def undefined_resamples(metrics: Metrics) -> list[str]:
    """A sentence on findings whose metrics some resamples lack, with the largest share, if there are any."""
    found = {
        name: max(one.undefined_resamples.values(), default=0) for name, one in metrics.per_class.items()
    }
    shares = [f"{spoken(name)} {share:.1%}" for name, share in found.items() if share]
    said = "Some metrics are undefined in a share of the resamples, and their interval is of the others"
    return [f"{said}: {', '.join(shares)}."] if shares else []
