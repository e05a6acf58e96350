"""The report for a terminal."""

from xlite.evaluation.report import Report
from xlite.findings import spoken
from xlite.metrics.estimate import Estimate
from xlite.metrics.intervals import LEAST_IN_MEAN
from xlite.report.caveat_sentences import sentence
from xlite.report.elsewhere_sentences import elsewhere_sentences
from xlite.report.means import MeanRow, fixed_findings, mean_rows, missing_intervals
from xlite.report.sentences import clean, contaminated_films, gap_sentences
from xlite.text import NOT_LABELLED, counted, films_judged, number, of_edition

_SHOWN = ("auc", "ap", "f1")


def summary(report: Report) -> str:
    """A table of AUC with interval, AP, F1 and positives, then gaps between groups, and the caveats."""
    lines = [f"{'':<20}{'AUC':>6}  {'95 % interval':<17}{'AP':>6}{'F1':>7}{'positives':>11}"]
    for finding, one in report.per_class.items():
        if not one.labelled:
            lines.append(f"{spoken(finding):<20}{NOT_LABELLED}")
            continue
        lines.append(_line(spoken(finding), one.auc, one.ap.value, one.f1, one.positives))
    split, found = report.split, report.contamination
    means = mean_rows(report, _SHOWN)
    for row in means:
        mean = row.estimates
        lines.append(_line(_mean_title(row), mean["auc"], mean["ap"].value, mean["f1"].value, _fewer(row)))
    if means[1:]:
        lines.append("k: the fewer of the patients with a finding and of those without it.")
    lines += fixed_findings(report, _SHOWN)
    prevalence = number(means[0].prevalence["ap"])
    lines.append(f"AP holds at the prevalence of these films, {prevalence} in the mean.")
    if any(one.chosen_on for one in report.per_class.values()):
        lines.append(_thresholds(report))
    lines += missing_intervals(report)
    films = films_judged(f"split {split.id}, part {split.part}", split.id, split.data)
    lines.append(
        f"{counted(split.images, 'film')} of {counted(split.patients, 'patient')}, {films}, labels "
        f"{of_edition(split.label_version)}"
    )
    if found and report.contaminated:
        known = contaminated_films(found.films, found.of)
        lines.append(f"{known}; none of these metrics is that of a clean test")
    if found:
        lines.append(clean(report))
    lines += [text for gap, text in gap_sentences(report.subgroups) if not gap.finding]
    lines += elsewhere_sentences(report.elsewhere) if report.elsewhere else []
    return "\n".join([*lines, *(f"Warning: {sentence(caveat)}" for caveat in report.caveats)])


def _mean_title(mean: MeanRow) -> str:
    """`Mean of 14`, or `Mean of 9 (k ≥ 10)` over the fixed findings, which fits the column."""
    title = f"Mean of {mean.findings['auc']}"
    return title if mean.title == title.lower() else f"{title} (k ≥ {LEAST_IN_MEAN})"


def _fewer(mean: MeanRow) -> str:
    """Over how many findings the mean F1 is, if not over as many as the mean AUC."""
    few = mean.findings["f1"] != mean.findings["auc"] and mean.estimates["f1"].value is not None
    return f"F1 of {mean.findings['f1']}" if few else ""


def _thresholds(report: Report) -> str:
    """Each threshold that X-Lite chose, with the validation patients that chose it; others are a caveat."""
    kept = [
        f"{spoken(name)} {one.threshold:.3f} ({one.chosen_on.positive:,})"
        for name, one in report.per_class.items()
        if one.threshold is not None and one.chosen_on is not None
    ]
    return f"Thresholds (validation patients with the finding): {', '.join(kept) or 'none'}"


def _line(title: str, auc: Estimate, ap: float | None, f1: float | None, positives: int | str) -> str:
    value, precision, rate = (number(one, absent="–") for one in (auc.value, ap, f1))
    between = "" if auc.low is None or auc.high is None else f"{number(auc.low)} to {number(auc.high)}"
    return f"{title:<20}{value:>6}  {between:<17}{precision:>6}{rate:>7}{positives:>11}"
