"""Whether probabilities mean what they say, before and after each calibrator."""

from functools import partial

from xlite.evaluation.validation_report import CalibrationReport
from xlite.findings import FEW_POSITIVES, FINDINGS, spoken
from xlite.metrics.estimate import Estimate
from xlite.metrics.per_finding import ECE_BINS
from xlite.report.charts.reliability import LEAST_IN_BIN, reliability_grid
from xlite.report.document import Block, Chart, Row, Table, Text
from xlite.report.means import missing_intervals, of_labelled, positives
from xlite.report.sentences import CALIBRATORS, validation_note
from xlite.report.view import View
from xlite.text import difference, number


def calibration(view: View) -> list[Block]:
    """The calibrator in use, the errors that each gives, and reliability diagrams."""
    found, note = view.report.calibration, validation_note(view.report.validation)
    blocks: list[Block] = [Text(f"Calibrator in use: {_name(found.in_use)}{_others(found)}.")]
    if found.calibrators:
        rows: list[Row] = [
            [
                _name(method) + (" (in use)" if method == found.in_use else ""),
                view.cell(one.macro["ece"]),
                number(one.perfect_ece, "–"),
                view.cell(one.macro["brier"]),
            ]
            for method, one in found.calibrators.items()
        ]
        caption = (
            f"Each fitted on {note}, judged on the films of this report. Less is better. If perfect: the "
            "error that right probabilities would have on as many films."
        )
        blocks.append(
            Table(
                ["Calibrator", f"Calibration error ({ECE_BINS} bins)", "If perfect", "Brier score"],
                rows,
                caption,
            )
        )
    else:
        blocks.append(Text(f"No calibrators were fitted: {note}."))
    before = any(one.reliability_before for one in view.curves.values())
    caption = (
        "Share of films that have the finding over the probability given; on the dotted line is right. Of "
        f"{ECE_BINS} bins those with fewer than {LEAST_IN_BIN} films are not drawn."
        + (" Hollow: before calibration." if before else "")
    )
    lines = _lines(view)
    if lines:
        blocks.append(lines)
    return [*blocks, Chart(partial(reliability_grid, view.curves, view.source_lines, view.palette), caption)]


def _lines(view: View) -> Table | None:
    """Each finding's calibration, seen in ways that a rare one does not escape; an old report has none."""
    if not view.report.macro_fixed:
        return None
    rows: list[Row] = [
        [
            spoken(name),
            *of_labelled(
                one,
                [
                    positives(one),
                    _signed(one.calibration_intercept),
                    _plain(one.calibration_slope),
                    view.cell(one.estimate("ece")),
                    number(one.perfect_ece),
                ],
            ),
        ]
        for name, one in view.report.per_class.items()
    ]
    caption = (
        "Intercept: 0 is right; above, probabilities are too low, below, too high. Slope: 1 is right; below, "
        f"they are too extreme, above, not extreme enough. Neither is given below {FEW_POSITIVES} patients "
        "with the finding or without it. If perfect: what the error of probabilities that are right would be "
        "on as many films. A rare finding has a small error whatever is said of it: its intercept and slope "
        "tell. " + " ".join(missing_intervals(view.report))
    )
    header = ["Finding", "Positives", "Intercept", "Slope", "Calibration error", "If perfect"]
    return Table(header, rows, caption)


def _signed(one: Estimate) -> str:
    if one.value is None or one.low is None or one.high is None:
        return "–"
    return difference(one.value, one.low, one.high, digits=2)


def _plain(one: Estimate) -> str:
    return "–" if one.value is None else f"{one.value:.2f} ({one.low:.2f}–{one.high:.2f})"


def _name(method: str) -> str:
    """A calibrator's name; that of anyone's predictions has none: they are judged as given."""
    return CALIBRATORS[method].name if method in CALIBRATORS else method


def _others(found: CalibrationReport) -> str:
    """Which findings the calibrator in use leaves as they are; an old report does not say."""
    bare = found.without_calibrator
    if found.in_use == "none" or not bare:
        return ""
    return (
        f", for {len(FINDINGS) - len(bare)} of {len(FINDINGS)} findings; the others had too few patients "
        f"with them or without them in validation: {', '.join(map(spoken, bare))}"
    )
