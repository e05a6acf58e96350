"""Thresholds by each rule, chosen on validation films."""

from collections.abc import Iterator, Mapping
from typing import Literal

from xlite.evaluation.validation_report import OperatingPoints, Rate
from xlite.findings import FEW_POSITIVES
from xlite.metrics.estimate import Estimate
from xlite.metrics.intervals import LEAST_IN_MEAN
from xlite.metrics.thresholds import RULES
from xlite.report.document import Block, Row, Table, Text
from xlite.report.means import AT_PREVALENCE, CHOSEN_ON, called, of_labelled, threshold_cells
from xlite.report.sections.findings import RATES, withheld_star
from xlite.report.sentences import validation_note
from xlite.report.view import View
from xlite.text import capital, number

_EXPECTED = (
    "The last two columns are what the threshold did on the validation films, with the interval of what it "
    "will do on new patients like these."
)
_FIRST: tuple[Rate, ...] = ("f1", "recall", "specificity")
"""Rates that stand in the first table; precision stands beside what is called, at which prevalence."""
_TOO_FEW = f"every finding has fewer than {FEW_POSITIVES} patients with it or without it among them"

_PROMISED: dict[Literal["recall", "specificity"], str] = {
    "recall": "Sensitivity",
    "specificity": "Specificity",
}


def thresholds(view: View) -> list[Block]:
    """What thresholds by each rule give on the films judged."""
    report, note = view.report, validation_note(view.report.validation)
    if report.operating_points is None:
        return [Text(f"No thresholds were chosen: {note}.")]
    points = {capital(RULES[rule]): one for rule, one in report.operating_points.items()}
    if all(point.threshold is None for one in points.values() for point in one.per_class.values()):
        return [Text(f"No thresholds were chosen on {note}: {_TOO_FEW}.")]
    means = [row for rule, one in points.items() for row in _means(view, rule, one)]
    held = "Mean precision holds at the prevalences of the findings that have it."
    return [
        Text(f"Chosen per finding on {note}; the rates are those on the films judged here."),
        Table(["Mean over findings", *RATES.values(), "Findings"], means, held),
        *(table for rule, one in points.items() for table in _tables(view, rule, one)),
    ]


def _means(view: View, rule: str, points: OperatingPoints) -> Iterator[Row]:
    """The means of each rate, then those over the findings that bear an interval, if these are others."""
    found, fixed = points.macro_findings, points.macro_fixed
    means = {rate: points.macro[rate] for rate in RATES}
    yield _mean_row(view, rule, means, found)
    if any(one.findings and len(one.findings) != found[rate] for rate, one in fixed.items()):
        title = f"{rule}, of those with {LEAST_IN_MEAN} patients or more"
        means = {rate: fixed[rate].estimate for rate in RATES}
        yield _mean_row(view, title, means, {rate: len(fixed[rate].findings) for rate in RATES})


def _mean_row(view: View, title: str, means: Mapping[Rate, Estimate], found: Mapping[Rate, int]) -> Row:
    """The means of the rates, and over how many findings; of a mean over fewer it is said beside it."""
    over = max(found.values(), default=None)  # an old report does not say
    cells = (view.mean_cell(means[rate], found.get(rate), over or 0) for rate in RATES)
    return [title, *cells, "" if over is None else str(over)]


def _tables(view: View, rule: str, points: OperatingPoints) -> Iterator[Table]:
    """What a rule's thresholds give on the films judged; and what they call, and are to give on others."""
    rates: list[Row] = []
    calls: list[Row] = []
    for name, point in points.per_class.items():
        star = withheld_star(name, point)
        here = view.report.per_class[name]
        given = [view.cell(point.estimate(rate)) for rate in _FIRST]
        rates.append([star, *threshold_cells(point), *of_labelled(here, given)])
        expected = (view.cell(point.expected[rate]) if point.expected else "" for rate in _PROMISED)
        found: Row = [called(point), number(here.prevalence), view.cell(point.precision)]
        calls.append([star, *of_labelled(here, found), *expected])
    yield Table([rule, "Threshold", "Chosen on", *(RATES[rate] for rate in _FIRST)], rates, CHOSEN_ON)
    titles = [RATES["precision"], *(f"{title} to expect" for title in _PROMISED.values())]
    yield Table([rule, "Called", "Prevalence", *titles], calls, f"{AT_PREVALENCE} {_EXPECTED}")
