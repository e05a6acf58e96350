"""What the Overview page says of a model's test AUC."""

from dataclasses import dataclass

from xlite.evaluation.report import Report
from xlite.report.sentences import clean, known_films, source


@dataclass(frozen=True)
class Headline:
    """A number and what it is of, both Markdown: a struck-through number is in tildes."""

    value: str
    detail: str


def auc_headline(report: Report) -> Headline:
    """The macro AUC with its interval and where it was measured.

    On contaminated films it is struck through, and that of the clean films takes its place if there is one.
    """
    auc, spoiled = str(report.macro.auc), report.contamination
    if spoiled is None:
        return Headline(auc, source(report))
    struck, known = f"~~{auc}~~", known_films(report)
    if spoiled.clean is None:
        return Headline(struck, f"{known}. {clean(report)}  \n{source(report)}")
    films = f"on the {spoiled.clean.split.images:,} clean films"
    return Headline(str(spoiled.clean.macro.auc), f"{films}  \n{struck} on all: {known}  \n{source(report)}")
