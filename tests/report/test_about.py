"""What About says: true numbers, the citation that is in CITATION.cff, and versions."""

import platform
from importlib.metadata import version
from pathlib import Path

from xlite import __version__
from xlite.report.about import CLAIMS, DATA, LIMITS, bibtex, card_text, versions

ROOT = Path(__file__).resolve().parents[2]


def test_the_numbers_are_those_of_the_documents() -> None:
    """They stand in docs/DESIGN.md, where a test compares them with NIH's tables."""
    design = (ROOT / "docs" / "DESIGN.md").read_text()
    said = " ".join(text for row in CLAIMS.texts for text in row) + DATA + LIMITS
    for number in ("87.6:1", "265.9:1", "53.84", "18.55", "40.18", "19,894", "112,120", "30,805", "81.5"):
        assert number in said and number in design, number
    assert "0.20 %" in said and "0.20%" in design and "2.05 %" in said and "2.05%" in design
    assert "4.03 M" in said and "| 4.03 M | 58% |" in design


def test_the_citation_has_the_title_and_the_version() -> None:
    cited, found = (ROOT / "CITATION.cff").read_text(), bibtex()
    title = cited.split('title: "')[1].split('"')[0]
    assert f"title   = {{{title}}}" in found and f"version = {{{__version__}}}" in found
    assert found.count("{") == found.count("}") and "ChestX-ray8" in found


def test_versions_are_asked_of_the_installation() -> None:
    rows = dict(versions().texts)
    assert rows["X-Lite"] == __version__ and rows["Python"] == platform.python_version()
    assert rows["numpy"] == version("numpy")


def test_a_card_fetches_no_picture() -> None:
    assert card_text("a ![x](https://evil.example/x.png) b") == "a [x](https://evil.example/x.png) b"
