"""One finding at a threshold that somebody tries out."""

from xlite.evaluation.report import Report
from xlite.findings import FEW_POSITIVES, spoken
from xlite.metrics.operating_point import OperatingPoint, predictive_values
from xlite.metrics.thresholds import RULES
from xlite.report.document import Row, Table
from xlite.report.view import View
from xlite.text import capital, counted, percent

NOTE = (
    "Sensitivity and specificity are of these films, with 95 % intervals by patient. PPV and NPV follow from "
    "them by Bayes' theorem at the prevalence that you choose, and hold only if films with the finding "
    "look like these; their intervals take the low and the high ends of both rates, so they are rather too "
    "wide than too narrow."
)


def operating_table(view: View, point: OperatingPoint, prevalence: float) -> Table:
    """The rates at a threshold, and what a call is worth at a prevalence in 0-1."""
    values = predictive_values(point.sensitivity, point.specificity, prevalence)
    share = f"at a prevalence of {prevalence:.1%}"
    left_out = point.negative - point.alarms
    rows: list[Row] = [
        ["Sensitivity (recall)", view.cell(point.sensitivity), _of(point.found, point.positive, "called")],
        ["Specificity", view.cell(point.specificity), _of(left_out, point.negative, "not called")],
        [f"PPV {share}", view.cell(values.ppv), "of films called, the share with the finding"],
        [f"NPV {share}", view.cell(values.npv), "of films not called, the share without it"],
    ]
    patients = (
        f"{counted(point.positive_patients, 'patient')} with the finding and "
        f"{point.negative_patients:,} without it. "
    )
    return Table(
        [f"Called at {percent(point.cut)}", "Value (95 % interval)", "What it is"],
        rows,
        patients + NOTE,
        (2,),
    )


def rule_cuts(report: Report, finding: str) -> dict[str, float]:
    """Thresholds of a finding to try out at once: the model's, and those that validation chose, by rule.

    Those that are withheld are left out.
    """
    points = report.operating_points or {}
    found = {"The model's": report.per_class[finding].threshold}
    found |= {capital(RULES[rule]): one.per_class[finding].threshold for rule, one in points.items()}
    return {title: cut for title, cut in found.items() if cut is not None}


def not_offered_sentence(finding: str, patients: tuple[int, int]) -> str:
    """Why no threshold can be tried out: `patients` have the finding and lack it."""
    have, lack = patients
    if not have and not lack:
        return not_labelled_sentence(finding)
    return (
        f"{spoken(finding)}: {counted(have, 'patient')} with it and {lack:,} without it among these films. "
        f"With fewer than {FEW_POSITIVES} of either a threshold cannot be chosen by them, so none is offered."
    )


def not_labelled_sentence(finding: str) -> str:
    """That nothing can be said of a finding whose label is known of no film."""
    return f"{spoken(finding)} is not labelled here: its label is known of none of these films."


def point_sentence(point: OperatingPoint) -> str:
    """The point in words, for those who cannot see the chart."""
    return (
        f"At a threshold of {percent(point.cut)} sensitivity {point.sensitivity}, specificity "
        f"{point.specificity}, precision on these films "
        f"{'undefined' if point.precision is None else f'{point.precision:.3f}'}."
    )


def _of(count: int, films: int, what: str) -> str:
    which = "with it" if what == "called" else "without it"
    return f"{count:,} of {counted(films, 'film')} {which} {'is' if films == 1 else 'are'} {what}"
