"""Each finding's metrics and curves."""

from functools import partial

from xlite.evaluation.report import FindingMetrics, Report
from xlite.evaluation.validation_report import PointAtThreshold, Rate
from xlite.findings import FEW_POSITIVES, FINDINGS, spoken
from xlite.metrics.estimate import Estimate
from xlite.report.charts.intervals import auc_figure
from xlite.report.charts.rates import curve_of, curves_grid
from xlite.report.document import Block, Chart, Row, Table
from xlite.report.means import (
    AT_PREVALENCE,
    CHOSEN_ON,
    called,
    films_of,
    mean_rows,
    missing_intervals,
    of_labelled,
    positives,
    threshold_cells,
    undefined_resamples,
)
from xlite.report.view import View
from xlite.text import NOT_LABELLED, capital, number

RATES: dict[Rate, str] = {
    "f1": "F1",
    "precision": "Precision",
    "recall": "Sensitivity",
    "specificity": "Specificity",
}


def starred(finding: str, metrics: FindingMetrics) -> str:
    """A finding's name, with a star if it has too few positives."""
    return spoken(finding) + ("*" if metrics.few_positives and metrics.labelled else "")


def withheld_star(finding: str, metrics: FindingMetrics | PointAtThreshold) -> str:
    """A finding's name, with a star if too few validation patients would choose its threshold."""
    return spoken(finding) + ("*" if metrics.threshold is None else "")


def strongest(report: Report, count: int = 4) -> list[str]:
    """The findings with the most positives that have an AUC: the least noisy curves to begin with."""
    defined = [name for name in FINDINGS if report.per_class[name].auc.value is not None]
    return sorted(defined, key=lambda name: -report.per_class[name].positives)[:count]


def findings(view: View) -> list[Block]:
    """AUC of each finding as a chart, then all its metrics as tables."""
    report = view.report
    models = {report.model: {name: report.per_class[name].auc for name in FINDINGS}}
    bare = [name for name, one in report.per_class.items() if not one.labelled]
    draw = partial(auc_figure, models, view.source_lines, report.references, view.palette, bare)
    return [Chart(draw), _metrics(view), _thresholds(view), _rates(view)]


def _metrics(view: View) -> Table:
    report = view.report
    rows: list[Row] = [
        [
            starred(name, one) + films_of(report, name),
            *of_labelled(
                one,
                [
                    positives(one),
                    view.cell(one.auc),
                    view.cell(one.ap),
                    number(one.prevalence),
                    view.cell(one.brier),
                    view.cell(one.ece),
                ],
            ),
        ]
        for name, one in report.per_class.items()
    ]
    means: list[Row] = [
        [
            capital(mean.title),
            "",
            view.cell(mean.estimates["auc"]),
            view.mean_cell(mean.estimates["ap"], mean.findings["ap"], over),
            number(mean.prevalence["ap"], ""),
            *(
                view.mean_cell(Estimate(mean.estimates[name].value), mean.findings[name], over)
                for name in ("brier", "ece")
            ),
        ]
        for mean in mean_rows(report, ("auc", "ap", "brier", "ece"))
        for over in (mean.findings["auc"],)
    ]
    few = any(one.few_positives and one.labelled for one in report.per_class.values())
    star = [f"* fewer than {FEW_POSITIVES} positive patients: hardly known."] if few else []
    header = ["Finding", "Positives", "AUC", "Average precision", "Prevalence", "Brier", "ECE"]
    held = "Average precision holds at the prevalence beside it."
    missing = [*missing_intervals(report), *undefined_resamples(report)]
    return Table(header, [*rows, *means], " ".join([*star, held, *missing, view.source]).rstrip())


def _thresholds(view: View) -> Table:
    report, base = view.report, view.report.baseline
    rows: list[Row] = [
        [
            withheld_star(name, one),
            *threshold_cells(one),
            *of_labelled(one, [view.cell(one.estimate("f1")), number(one.always_yes_f1)]),
        ]
        for name, one in report.per_class.items()
    ]
    means: list[Row] = [
        [
            capital(mean.title),
            *[""] * 2,
            view.mean_cell(mean.estimates["f1"], mean.findings["f1"], mean.findings["auc"]),
            number(base.always_yes_f1) if mean.findings is report.macro_findings else "",
        ]
        for mean in mean_rows(report, ("f1",))
    ]
    caption = (
        f"Accuracy {number(base.accuracy)}; always answering no has {base.always_no_accuracy:.3f}, so "
        f"accuracy says nothing. {CHOSEN_ON}"
    )
    header = ["At its threshold", "Threshold", "Chosen on", "F1", "F1 of always yes"]
    return Table(header, [*rows, *means], caption)


def _rates(view: View) -> Table:
    report = view.report
    names = [rate for rate in RATES if rate != "f1"]
    rows: list[Row] = [
        [
            withheld_star(name, one),
            *of_labelled(
                one,
                [
                    called(one),
                    number(one.prevalence),
                    *(view.cell(one.estimate(rate)) for rate in names),
                ],
            ),
        ]
        for name, one in report.per_class.items()
    ]
    means: list[Row] = [
        [
            capital(mean.title),
            "",
            number(mean.prevalence["precision"], ""),
            *(
                view.mean_cell(mean.estimates[rate], mean.findings[rate], mean.findings["auc"])
                for rate in names
            ),
        ]
        for mean in mean_rows(report, names)
    ]
    header = ["At its threshold", "Called", "Prevalence", *(RATES[rate] for rate in names)]
    return Table(header, [*rows, *means], AT_PREVALENCE)


def roc_and_precision(view: View) -> list[Block]:
    """ROC and precision-recall curves of all findings, with bands."""
    roc, pr = {}, {}
    for name, one in view.report.per_class.items():
        absent = ("no AUC", "no AP") if one.labelled else (NOT_LABELLED, NOT_LABELLED)
        auc, ap = (view.marked(area.value, no) for area, no in zip((one.auc, one.ap), absent, strict=True))
        roc[name] = [curve_of(view.curves[name], "roc", auc)]
        pr[name] = [curve_of(view.curves[name], "pr", ap)]
    return [
        Chart(
            partial(curves_grid, roc, view.source_lines, "roc", view.palette),
            "ROC curves; the number is the AUC.",
        ),
        Chart(
            partial(curves_grid, pr, view.source_lines, "pr", view.palette),
            "Precision over recall; the number is average precision, at the prevalence of these films. "
            "Bands: 95 % intervals place by place.",
        ),
    ]
