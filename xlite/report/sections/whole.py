"""The whole report, for white paper."""

from xlite.report.charts.paper import PAPER
from xlite.report.document import Block, Heading, Text
from xlite.report.sections.decisions import calibration, thresholds
from xlite.report.sections.groups import confusion, radiologists, subgroups
from xlite.report.sections.maps import localisation
from xlite.report.sections.results import curve_grids, findings, head, references


def whole(report: dict, curves: dict) -> tuple[str, list[Block]]:
    """Title and blocks of the whole report, for white paper."""
    compared = report.get("comparison")
    return f"Report on {report['model']}", [
        *head(report),
        Heading("Findings"),
        *findings(report, PAPER),
        Heading("Curves"),
        *curve_grids(report, curves, PAPER),
        Heading("Published results"),
        *references(report),
        *([Heading("Another model"), Text(compared["sentence"] + ".")] if compared else []),
        Heading("Thresholds"),
        *thresholds(report),
        Heading("Calibration"),
        *calibration(report, curves, PAPER),
        Heading("Subgroups"),
        *subgroups(report, PAPER),
        Heading("What is called in its place"),
        *confusion(report, PAPER),
        *([Heading("Where the maps look"), *localisation(report)] if report.get("localisation") else []),
        *([Heading("Beside radiologists"), *radiologists(report)] if report["radiologists"] else []),
        Heading("What this may and may not be used for"),
        Text(
            "Research software, and no diagnosis. NIH's labels were taken from radiology reports by a "
            "program and are partly wrong. Figures of different splits, label editions or mixes of films "
            "must not be ranked. Two models are compared by a paired test on the same films (xlite score "
            "--against), never by two separate figures. Few positives make a figure a guess: look at the "
            "interval first."
        ),
    ]
