"""A report as a PDF: its text can be searched, and says what the other renderings say."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from demo_home import drawn_report
from pdf_texts import pdf_texts

from xlite.evaluation.contamination.caveats import TrainedOn
from xlite.report.charts.paper import PAPER
from xlite.report.charts.rates import Curve, curves_figure
from xlite.report.document import Alert, Block, Cell, Chart, Heading, Table, Text
from xlite.report.document_pdf import to_pdf
from xlite.report.pdf_sheet import DISCLAIMER, shown
from xlite.report.sections.whole import whole
from xlite.report.view import View
from xlite.report.write import curves_of, write_report

pytestmark = pytest.mark.slow

WHEN = datetime(2026, 11, 28, 2, 31, tzinfo=UTC)


def texts_of(title: str, blocks: list[Block]) -> list[str]:
    """The text of each page, its lines joined."""
    return [" ".join(" ".join(page).split()) for page in pdf_texts(to_pdf(title, blocks, WHEN))]


def test_each_block_is_there_in_order_with_title_time_disclaimer_and_number() -> None:
    blocks: list[Block] = [
        Text("A sentence that is long enough to be broken. " * 6),
        Heading("Findings"),
        Alert("Contaminated: 7 films", ["The model was trained on them.", "中 is spelt out"], grave=True),
        Table(["Finding", "AUC", "What"], [["Edema", Cell("0.842", struck=True), "good"]], "A note.", (2,)),
        Chart(lambda: curves_figure([Curve("Mass  <s>0.8</s>", (0, 1), (0, 1))], (), palette=PAPER), "ROC."),
    ]
    [text] = texts_of("Report on demo", blocks)
    places = [
        *("Report on demo", "2026-11-28 02:31 UTC", "A sentence that is long enough", "Findings"),
        *("Contaminated: 7 films", "The model was trained on them.", "\\u4e2d is spelt out", "What"),
        *("Edema", "0.842", "good", "A note.", "ROC."),
    ]
    found = [text.find(one) for one in places]
    assert found == sorted(found) and found[0] >= 0
    assert "1 − specificity" in text and "sensitivity" in text
    assert text.count("A sentence that is long enough to be broken.") == 6
    assert "Mass" in text and "\u0336" in text  # the area in the legend is struck through
    assert DISCLAIMER in text and "page 1 of 1" in text


def test_a_long_table_goes_on_under_its_header_and_a_heading_stays_with_what_follows() -> None:
    rows = [[f"row {number}", f"{number:.3f}"] for number in range(120)]
    pages = texts_of("Long", [Table(["Name", "Value"], rows), Heading("Curves"), figure(), figure()])
    assert ["Name Value" in page for page in pages] == [True, True, True, False]
    text = " ".join(pages)
    assert [name in text for name, _ in rows] == [True] * 120
    at = [number for number, page in enumerate(pages) if "Curves" in page]
    assert at == [number for number, page in enumerate(pages) if "specificity" in page][:1]


def figure() -> Chart:
    """A chart that takes half a page."""
    return Chart(lambda: curves_figure([Curve("one", (0, 1), (0, 1))], (), palette=PAPER))


def test_a_table_that_is_too_wide_is_written_smaller_and_its_words_are_broken() -> None:
    words = "measured on a list of films that is not the one of this report " * 3
    [text] = texts_of(
        "Wide", [Table(["Result", *"ABCDEFG", "Films"], [["x", *["0.842"] * 7, words]], "", (8,))]
    )
    assert words.strip() in text and text.count("0.842") == 7


def test_the_whole_report_says_what_it_says_elsewhere(tmp_path: Path) -> None:
    report, films = drawn_report(caveats=[TrainedOn(films=200, known=7)])
    write_report(tmp_path, report, films, pdf=True)
    pages = [" ".join(" ".join(page).split()) for page in pdf_texts((tmp_path / "report.pdf").read_bytes())]
    text = " ".join(pages)
    title, blocks = whole(View(report, curves_of(report, films)))
    assert title in pages[0]
    wanted: list[str] = []
    for block in blocks:
        if isinstance(block, Table):
            wanted += [*block.header, block.caption, *(cell for row in block.texts for cell in row)]
        elif isinstance(block, Alert):
            wanted += [block.title, *block.sentences]
        elif isinstance(block, Chart):
            wanted.append(block.caption)
        else:
            wanted.append(block.text)
    plain = text.replace(" ", "")  # captions and headers are broken into lines, and so is a page
    assert [one for one in wanted if shown(one).replace(" ", "") not in plain] == []
    assert len(wanted) > 500
    write_report(tmp_path, report, films)
    assert not (tmp_path / "report.pdf").exists()  # none that says what another report said
