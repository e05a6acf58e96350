"""Several models judged on the same films."""

from collections.abc import Sequence

from xlite.report.document import Row, Table
from xlite.report.view import View
from xlite.text import number


def ranking(models: Sequence[View]) -> Table:
    """The mean metrics of each model, best AUC first."""
    rows: list[Row] = [
        [
            view.report.model,
            *(view.cell(view.report.macro.estimate(name)) for name in ("auc", "ap", "f1", "ece")),
            number(view.report.baseline.always_no_accuracy),
        ]
        for view in sorted(models, key=lambda view: -(view.report.macro.auc.value or 0))
    ]
    header = ["Model", "Macro AUC", "AP", "F1", "ECE", "Accuracy of always no"]
    return Table(header, rows, models[0].source)
