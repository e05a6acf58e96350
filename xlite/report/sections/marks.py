"""How a report's cells are written."""

from xlite.findings import spoken
from xlite.report.document import Cell


def known(name: str, figures: dict) -> str:
    """A finding's name, with a star where it has too few positives."""
    return spoken(name) + ("*" if figures["few_positives"] else "")


def struck(report: dict, text: str) -> Cell:
    """A figure, struck through where its films are contaminated."""
    return Cell(text, struck=report["contamination"] is not None)


def capital(text: str) -> str:
    """The text with a capital; what it has already stays."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """The text with a capital and a full stop."""
    return capital(text) + "."
