"""Each finding's metrics and curves."""

from functools import partial

from xlite.evaluation.report import FindingMetrics, Report
from xlite.evaluation.validation_report import Rate
from xlite.findings import FEW_POSITIVES, FINDINGS, spoken
from xlite.report.charts.intervals import auc_figure
from xlite.report.charts.rates import curve_of, curves_grid
from xlite.report.document import Block, Cell, Chart, Row, Table
from xlite.report.means import mean_rows, missing_intervals, positives
from xlite.report.sentences import capital
from xlite.report.view import View
from xlite.text import number

RATES: dict[Rate, str] = {
    "f1": "F1",
    "precision": "Precision",
    "recall": "Sensitivity",
    "specificity": "Specificity",
}


def starred(finding: str, metrics: FindingMetrics) -> str:
    """A finding's name, with a star if it has too few positives."""
    return spoken(finding) + ("*" if metrics.few_positives else "")


def strongest(report: Report, count: int = 4) -> list[str]:
    """The findings with the most positives that have an AUC: the least noisy curves to begin with."""
    defined = [name for name in FINDINGS if report.per_class[name].auc.value is not None]
    return sorted(defined, key=lambda name: -report.per_class[name].positives)[:count]


def findings(view: View) -> list[Block]:
    """AUC of each finding as a chart, then all its metrics as tables."""
    report = view.report
    models = {report.model: {name: report.per_class[name].auc for name in FINDINGS}}
    draw = partial(auc_figure, models, view.source_lines, report.references, view.palette)
    return [Chart(draw), _metrics(view), _at_thresholds(view)]


def _metrics(view: View) -> Table:
    report = view.report
    rows: list[Row] = [
        [
            starred(name, one),
            positives(one),
            view.cell(one.auc),
            view.cell(one.ap),
            number(one.prevalence),
            view.cell(one.brier),
            view.cell(one.ece),
        ]
        for name, one in report.per_class.items()
    ]
    means: list[Row] = [
        [
            capital(mean.title),
            "",
            view.cell(mean.estimates["auc"]),
            view.cell(mean.estimates["ap"]),
            number(report.baseline.prevalence) if mean.findings is report.macro_findings else "",
            view.cell(mean.estimates["brier"].value),
            view.cell(mean.estimates["ece"].value),
        ]
        for mean in mean_rows(report)
    ]
    few = any(one.few_positives for one in report.per_class.values())
    star = [f"* fewer than {FEW_POSITIVES} positive patients: hardly known."] if few else []
    header = ["Finding", "Positives", "AUC", "Average precision", "Prevalence", "Brier", "ECE"]
    return Table(header, [*rows, *means], " ".join([*star, *missing_intervals(report), view.source]))


def _at_thresholds(view: View) -> Table:
    report, base = view.report, view.report.baseline
    rows: list[Row] = [
        [
            starred(name, one),
            number(one.threshold),
            *(view.cell(one.estimate(rate)) for rate in RATES),
            number(one.always_yes_f1),
        ]
        for name, one in report.per_class.items()
    ]
    mean: list[str | Cell] = ["Mean", "", *(view.cell(report.macro.estimate(rate)) for rate in RATES)]
    caption = (
        f"Accuracy {base.accuracy:.3f}; always answering no has {base.always_no_accuracy:.3f}, so accuracy "
        "says nothing."
    )
    header = ["At its threshold", "Threshold", *RATES.values(), "F1 of always yes"]
    return Table(header, [*rows, [*mean, number(base.always_yes_f1)]], caption)


def roc_and_precision(view: View) -> list[Block]:
    """ROC and precision-recall curves of all findings, with bands."""
    roc, pr = {}, {}
    for name, one in view.report.per_class.items():
        auc, ap = view.marked(one.auc.value, "no AUC"), view.marked(one.ap.value, "no AP")
        roc[name] = [curve_of(view.curves[name], "roc", auc)]
        pr[name] = [curve_of(view.curves[name], "pr", ap)]
    return [
        Chart(
            partial(curves_grid, roc, view.source_lines, "roc", view.palette),
            "ROC curves; the number is the AUC.",
        ),
        Chart(
            partial(curves_grid, pr, view.source_lines, "pr", view.palette),
            "Precision over recall; the number is average precision. Bands: 95 % intervals place by place.",
        ),
    ]
