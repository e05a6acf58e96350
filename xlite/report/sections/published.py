"""Published results beside this one: only those of the same films count, the others are marked."""

from collections.abc import Sequence

from xlite.findings import spoken
from xlite.report.document import Block, Cell, Row, Table, Text
from xlite.report.means import mean_auc
from xlite.report.sentences import reference_reason
from xlite.report.view import View
from xlite.text import NOT_LABELLED, number


def published(view: View) -> list[Block]:
    """This model among published results by their mean AUC."""
    report = view.report
    if not report.references:
        return [Text("These films are drawn: no published result may stand beside one of theirs.")]
    over, auc = mean_auc(report)
    mine: Row = [report.model, view.cell(auc), f"this report: {over}"]
    others = sorted(report.references, key=lambda one: (not one.comparable, one.auc))
    rows: list[Row] = [
        [Cell(text, grey=not one.comparable) for text in (one.name, number(one.auc), reference_reason(one))]
        for one in others
    ]
    same = sum(one.comparable for one in others)
    text = (
        f"Measured on these films too: {same}. The others are of other films and may not be ranked with "
        "this one."
        if same
        else "No published result is of these films: all are for orientation, and none may be ranked."
    )
    return [Text(text), Table(["Result", "Mean AUC", "Films"], [mine, *rows], words=(2,))]


def published_beside(view: View, findings: Sequence[str]) -> Table:
    """AUC of some findings beside that of each published result that has one for each."""
    report = view.report
    others = [(one, one.per_class) for one in report.references if one.per_class is not None]
    rows: list[Row] = [
        [
            spoken(finding),
            view.cell(found.auc) if (found := report.per_class[finding]).labelled else NOT_LABELLED,
            *(Cell(number(aucs[finding]), grey=not one.comparable) for one, aucs in others),
        ]
        for finding in findings
    ]
    grey = [one.name for one, _ in others if not one.comparable]
    caption = f"Of other films, not to be compared: {', '.join(grey)}." if grey else ""
    return Table(["AUC", report.model, *(one.name for one, _ in others)], rows, caption)
