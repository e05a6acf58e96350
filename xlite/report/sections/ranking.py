"""Several models judged on the same films."""

from collections.abc import Sequence

from xlite.report.document import Row, Table
from xlite.report.means import mean_auc, mean_of, mean_rows, shown_mean
from xlite.report.view import View
from xlite.text import capital, number


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
    header = ["Model", "Mean AUC", "AP", "F1", "ECE", "ECE if perfect", "Accuracy of always no"]
    prevalence = number(mean_rows(models[0].report, ("ap",))[0].prevalence["ap"])
    caption = f"{_means(models)}AP at a mean prevalence of {prevalence}. {capital(models[0].source)}"
    return Table(header, rows, caption.rstrip())


def _means(models: Sequence[View]) -> str:
    """A sentence that names what each mean AUC is the mean of, once if it is the same for all."""
    over = {
        view.report.model: mean_of(view.report) if view.contaminated else mean_auc(view.report)[0]
        for view in models
    }
    if len(set(over.values())) == 1:
        return f"Mean AUC: {next(iter(over.values()))}. "
    return "".join(f"Mean AUC of {model}: {said}. " for model, said in over.items())
