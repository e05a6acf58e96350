"""Thresholds by each rule, chosen on validation films."""

from xlite.metrics.thresholds import RULES
from xlite.report.document import Block, Row, Table, Text
from xlite.report.sections.findings import RATES, starred
from xlite.report.sentences import capital, validation_note
from xlite.report.view import View
from xlite.text import number


def thresholds(view: View) -> list[Block]:
    """What thresholds by each rule give on the films judged."""
    report, note = view.report, validation_note(view.report.validation)
    if report.operating_points is None:
        return [Text(f"No thresholds were chosen: {note}.")]
    points = {capital(RULES[rule]): one for rule, one in report.operating_points.items()}
    means: list[Row] = [
        [rule, *(view.cell(one.macro[rate]) for rate in RATES)] for rule, one in points.items()
    ]
    blocks: list[Block] = [
        Text(f"Chosen per finding on {note}; the rates are those on the films judged here."),
        Table(["Mean over findings", *RATES.values()], means),
    ]
    for rule, one in points.items():
        rows: list[Row] = [
            [
                starred(name, report.per_class[name]),
                number(point.threshold),
                *(view.cell(point.estimate(rate)) for rate in RATES),
            ]
            for name, point in one.per_class.items()
        ]
        blocks.append(Table([rule, "Threshold", *RATES.values()], rows))
    return blocks
