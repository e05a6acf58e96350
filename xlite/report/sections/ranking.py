"""Several models judged on the same films."""

from collections.abc import Sequence

from xlite.report.document import Row, Table
from xlite.report.means import mean_auc, mean_rows, shown_mean
from xlite.report.sentences import capital
from xlite.report.view import View
from xlite.text import number


def ranking(models: Sequence[View]) -> Table:
    """The mean metrics of each model, best AUC first."""
    rows: list[Row] = [
        [
            view.report.model,
            *(
                view.mean_cell(shown_mean(view.report, name), view.report.macro_findings[name])
                for name in ("auc", "ap", "f1", "ece")
            ),
            number(view.report.baseline.perfect_ece, "–"),
            number(view.report.baseline.always_no_accuracy),
        ]
        for view in sorted(models, key=lambda view: -(view.report.macro.auc.value or 0))
    ]
    header = ["Model", "Macro AUC", "AP", "F1", "ECE", "ECE if perfect", "Accuracy of always no"]
    prevalence = number(mean_rows(models[0].report, ("ap",))[0].prevalence["ap"])
    caption = f"{_with_intervals(models)}AP at a mean prevalence of {prevalence}. {capital(models[0].source)}"
    return Table(header, rows, caption.rstrip())


def _with_intervals(models: Sequence[View]) -> str:
    """A sentence with the mean AUC that Overview and Published show, if that of all has no interval."""
    means = {
        view.report.model: mean_auc(view.report)
        for view in models
        if not view.report.contaminated and shown_mean(view.report, "auc").low is None
    }
    told = [f"{model} {estimate}" for model, (_, estimate) in means.items() if estimate.low is not None]
    if not told:
        return ""
    over, _ = next(iter(means.values()))
    return f"Macro AUC, {over}: {', '.join(told)}. "
