"""The whole report: as a document, and as the tabs of the Results page."""

from xlite.report.document import Block, Heading, Text
from xlite.report.sections.calibration import calibration
from xlite.report.sections.confusion import confusion
from xlite.report.sections.elsewhere import elsewhere
from xlite.report.sections.findings import findings, roc_and_precision
from xlite.report.sections.localisation import localisation
from xlite.report.sections.overall import clean_films, overall
from xlite.report.sections.published import published
from xlite.report.sections.radiologists import radiologists
from xlite.report.sections.subgroups import subgroups
from xlite.report.sections.thresholds import thresholds
from xlite.report.sentences import comparison_sentence
from xlite.report.view import View

_USE = (
    "Research software, and no diagnosis. NIH's labels were taken from radiology reports by a program and "
    "are partly wrong. Metrics of different splits, label editions or mixes of films must not be ranked. Two "
    "models are compared by a paired test on the same films, never by two separate metrics. Few positives "
    "make a metric a guess: look at the interval first."
)


def whole(view: View) -> tuple[str, list[Block]]:
    """Title and blocks of the whole report."""
    report = view.report
    sections: dict[str, list[Block]] = {
        "": overall(view),
        "Beside its own test films": elsewhere(view),
        "Findings": findings(view),
        "Curves": roc_and_precision(view),
        "Published results": published(view),
        "Another model": [Text(f"{comparison_sentence(report.comparison)}.")] if report.comparison else [],
        "Thresholds": thresholds(view),
        "Calibration": calibration(view),
        "Subgroups": subgroups(view),
        "What is called in its place": confusion(view),
        "Where the maps look": localisation(view) if report.localisation else [],
        "Beside radiologists": radiologists(view) if report.radiologists else [],
        "What this may and may not be used for": [Text(_USE)],
    }
    blocks: list[Block] = []
    for title, section in sections.items():
        blocks += [Heading(title), *section] if title and section else section
    return f"Report on {report.model}", blocks


def tabs(view: View) -> dict[str, list[Block]]:
    """The sections on one model by the names of their tabs; those that say what is lacking are among them."""
    clean = clean_films(view)[1:]
    return {
        **({"Clean films": clean} if clean else {}),
        **({"Elsewhere": elsewhere(view)} if view.report.elsewhere else {}),
        "Findings": findings(view),
        "Published": published(view),
        "Thresholds": thresholds(view),
        "Calibration": calibration(view),
        "Subgroups": subgroups(view),
        "Confusion": confusion(view),
        "Maps": localisation(view),
        "Radiologists": radiologists(view),
    }
