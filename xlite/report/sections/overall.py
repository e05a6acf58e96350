"""What was judged, what is contaminated, and the means over the findings."""

from collections.abc import Sequence

from xlite.evaluation.report import Metrics, Report
from xlite.findings import FEW_POSITIVES, spoken
from xlite.metrics.intervals import LEAST_IN_MEAN
from xlite.metrics.per_finding import ECE_BINS
from xlite.report.caveat_sentences import sentence
from xlite.report.document import Alert, Block, Cell, Row, Table, Text
from xlite.report.means import MeanRow, fixed_findings, mean_rows, missing_intervals, positives
from xlite.report.sentences import as_sentence, clean_in_short, contaminated_films, source
from xlite.report.view import View
from xlite.text import capital, number

_MEANS = ("auc", "ap", "f1", "ece", "brier")


def overall(view: View) -> list[Block]:
    """What was judged on what, what to be warned of, and the means beside their baselines."""
    report = view.report
    base, means = report.baseline, mean_rows(report, _MEANS)
    rows: list[Row] = [
        [title, *_of_mean(view, means[0], name, beside), *_of_fixed(view, means[1:], name)]
        for name, title, beside in (
            ("auc", "AUC", "0.5 by chance"),
            ("ap", "Average precision", f"{number(means[0].prevalence['ap'])} (prevalence)"),
            ("f1", "F1 at the thresholds", f"{number(base.always_yes_f1)} (always yes)"),
            ("ece", f"Calibration error ({ECE_BINS} bins)", _perfect(report)),
            ("brier", "Brier score", "0 is best"),
        )
    ]
    always_no = f"{number(base.always_no_accuracy)} (always no)"
    with_threshold = sum(one.accuracy is not None for one in report.per_class.values())
    accuracy: Row = ["Accuracy", view.cell(base.accuracy), always_no, str(with_threshold)]
    rows.insert(3, [*accuracy, *([""] * 2 * (len(means) - 1))])
    return [
        Text(as_sentence(view.source)),
        *_contamination(view),
        *mild_alerts(view),
        Table(_header(means), rows, " ".join([*fixed_findings(report, _MEANS), *missing_intervals(report)])),
        *clean_films(view),
    ]


def _header(means: Sequence[MeanRow]) -> list[str]:
    fixed = [f"With {LEAST_IN_MEAN} patients or more", "Of them"] if means[1:] else []
    return ["Mean over findings", "Value (95 % interval)", "Baseline", "Findings", *fixed]


def _of_mean(view: View, mean: MeanRow, name: str, baseline: str) -> list[str | Cell]:
    return [view.cell(mean.estimates[name]), baseline, str(mean.findings[name])]


def _of_fixed(view: View, fixed: Sequence[MeanRow], name: str) -> list[str | Cell]:
    """The mean over the fixed findings and their number, if these are others."""
    return [cell for one in fixed for cell in (view.cell(one.estimates[name]), str(one.findings[name]))]


def _perfect(report: Report) -> str:
    """What the calibration error would be of probabilities that are right; an old report does not say."""
    perfect = report.baseline.perfect_ece
    return "0 is best" if perfect is None else f"{number(perfect)} (if perfect)"


def grave_blocks(view: View) -> list[Block]:
    """Of a contaminated report its count; a sentence on the clean films unless all are."""
    return [*_contamination(view), *clean_films(view)[:1]]


def mild_alerts(view: View) -> list[Alert]:
    """The caveats that leave the metrics standing, if there are any."""
    reasons = view.report.contamination.reasons if view.report.contamination else ()
    others = [as_sentence(sentence(caveat)) for caveat in view.report.caveats if caveat not in reasons]
    return [Alert("To keep in mind", others)] if others else []


def _contamination(view: View) -> list[Block]:
    found = view.report.contamination
    if found is None or not view.contaminated:
        return []
    reasons = [as_sentence(sentence(reason)) for reason in found.reasons]
    title = f"{contaminated_films(found.films, found.of)}. Metrics are struck through."
    return [Alert(title, reasons, grave=True)]


def clean_films(view: View) -> list[Block]:
    """A sentence and a table on the films that are new, or why there is none; nothing if all are new."""
    found = view.report.contamination
    if found is None:
        return []
    said = Text(as_sentence(clean_in_short(view.report)))
    return [said] if found.clean is None else [said, _clean_table(found.clean)]


def _clean_table(metrics: Metrics) -> Table:
    found = mean_rows(metrics, _MEANS)
    perfect = [number(metrics.baseline.perfect_ece, "–"), *([""] * (len(found) - 1))]
    means = [
        [capital(row.title), *(row.text(name) for name in _MEANS), right]
        for row, right in zip(found, perfect, strict=True)
    ]
    rows = [
        [
            f"{spoken(name)} ({positives(one, 'positives')})",
            *(str(one.estimate(metric)) for metric in _MEANS),
            number(one.perfect_ece, "–"),
        ]
        for name, one in metrics.per_class.items()
        if not one.few_positives
    ]
    few = f"Average precision at a mean prevalence of {number(found[0].prevalence['ap'])}. "
    few += f"Findings with at least {FEW_POSITIVES} positive patients among them."
    caption = " ".join([few, *fixed_findings(metrics, _MEANS), *missing_intervals(metrics), source(metrics)])
    header = ["Clean films alone", "AUC", "Average precision", "F1", "Calibration error", "Brier score"]
    return Table([*header, "Error if perfect"], [*means, *rows], caption)
