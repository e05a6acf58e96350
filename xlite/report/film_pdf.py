"""A reading to keep: a PDF with a page a film, its text searchable and its fonts embedded. No torch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from textwrap import wrap

import numpy as np
from matplotlib.figure import Figure

from xlite import __version__
from xlite.classify import Classifier
from xlite.explain.drawing import shrink
from xlite.findings import spoken
from xlite.guarded import GuardedReading
from xlite.reading import Reading
from xlite.report.film_sentences import film_cells, guard_alert
from xlite.report.model_words import calibration_words, thresholds_words
from xlite.report.pdf_sheet import (
    DISCLAIMER,
    HEIGHT,
    MARGIN,
    QUIET,
    SPACING,
    WIDTH,
    Sheet,
    TextLine,
    open_pdf,
    shown,
    width_of,
    wrapped,
)
from xlite.report.reading_sentences import map_sentence
from xlite.report.worth import worth_table
from xlite.text import labels_of, percent

_PRINTED = 720  # px; 85 mm have no use for more
_LONGEST_NAME = 160
_LONGEST_CELL = 20
_GAP = 1.0
"""Between two columns, in the size of their letters."""
_BELOW_PICTURES = 72
"""Points for their captions, of up to five lines, and for what keeps the parts of a page apart."""


@dataclass(frozen=True, eq=False)
class FilmPage:
    """A page: a film's name, what was found in it, or why it was not read, and what the model knows of it."""

    name: str
    found: GuardedReading | str
    learned: Sequence[str] = ()


def films_pdf(classifier: Classifier, films: Sequence[FilmPage], when: datetime) -> bytes:
    """The PDF of films as one model read them, a page each."""
    with open_pdf("X-Lite: chest films as a model read them", when) as (pages, out):
        for number, film in enumerate(films, 1):
            pages.savefig(_page(classifier, film, when, f"film {number} of {len(films)}"))
    return out.getvalue()


def _page(classifier: Classifier, film: FilmPage, when: datetime, number: str) -> Figure:
    """The page of one film; the pictures take what the text leaves."""
    sheet, found = Sheet(), film.found
    head = TextLine("X-Lite", 8, color=QUIET)
    sheet.text(MARGIN, head)
    sheet.text(WIDTH - MARGIN, TextLine(f"{when:%Y-%m-%d %H:%M %Z}, {number}", 8, color=QUIET), "right")
    sheet.y += 14
    sheet.lines(wrapped(film.name[:_LONGEST_NAME], size=13, bold=True))
    sheet.y += 2
    sheet.lines(_verdict(film))
    reading = None if isinstance(found, str) else found.reading
    foot = _foot(classifier, reading)
    rows = _rows(reading) if reading else []
    needed = sum(row.height for row in rows) + sum(line.size * SPACING for line in foot) + _BELOW_PICTURES
    room = HEIGHT - MARGIN - sheet.y - needed
    if not isinstance(found, str):
        side = max(120.0, min(room, (WIDTH - 2 * MARGIN - 14) / 2))
        _pictures(sheet, found, side)
    _table(sheet, rows)
    sheet.y = HEIGHT - MARGIN - sum(line.size * SPACING for line in foot) - 6
    sheet.rule()
    sheet.y += 6
    sheet.lines(foot)
    return sheet.figure


def _verdict(film: FilmPage) -> list[TextLine]:
    """What the guards say, what follows, and what the model knows of the film."""
    found = film.found
    if isinstance(found, str):
        return [TextLine("Not read", 9, bold=True), *wrapped(found)]
    alert = guard_alert(found)
    title = f"Guards: {alert.title[0].lower() + alert.title[1:] if alert else film_cells(found)[0]}"
    sentences = [*(alert.sentences if alert else ()), *film.learned]
    return [TextLine(title, 9, bold=True), *(line for one in sentences for line in wrapped(one))]


def _pictures(sheet: Sheet, found: GuardedReading, side: float) -> None:
    """The film, and beside it the map of the likeliest finding."""
    film = shrink(found.film, _PRINTED)
    sheet.y += 6
    ends = [_picture(sheet, MARGIN, side, film, "The film as it was read")]
    if found.reading is not None:
        reading = found.reading.in_frame(film.shape)
        finding, probability = reading.top(1)[0]
        said = map_sentence(reading, finding)
        caption = f"Map of {spoken(finding).lower()}, the likeliest finding ({percent(probability)})"
        painted = reading.overlay(film, finding)
        said = f"{caption}. {said}" if said else caption
        ends.append(_picture(sheet, MARGIN + side + 14, side, painted, said))
    sheet.y = max(ends) + 6


def _picture(sheet: Sheet, x: float, side: float, image: np.ndarray, caption: str) -> float:
    """A picture uint8 in a square of that side, its top at the sheet's `y`, lines below; where they end."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    height, width = height * scale, width * scale
    box = (x / WIDTH, 1 - (sheet.y + height) / HEIGHT, width / WIDTH, height / HEIGHT)
    axes = sheet.figure.add_axes(box)
    axes.set_axis_off()
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="none", aspect="auto")
    below = Sheet(sheet.figure, sheet.y + height + 3)
    below.lines(wrapped(caption, side, size=7, color=QUIET), x)
    return below.y


@dataclass(frozen=True)
class _Row:
    """A row of the table: its cells in lines; whether it is the header, and its finding is called."""

    cells: list[list[str]]
    header: bool = False
    above: bool = False

    @property
    def bold(self) -> bool:
        """Whether its letters are."""
        return self.header or self.above

    @property
    def height(self) -> float:
        """In points."""
        return 7 * 1.25 * max(map(len, self.cells)) + 2.6


def _rows(reading: Reading) -> list[_Row]:
    """What each verdict is worth, likeliest first, in cells of short lines."""
    table = worth_table(reading.worths())

    def cells(texts: Iterable[str]) -> list[list[str]]:
        return [wrap(shown(text), _LONGEST_CELL) or [""] for text in texts]

    header = [wrap(name, 12) for name in table.header]
    above = [reading.is_above(finding) for finding, _ in reading.top(len(table.rows))]
    rows = [_Row(cells(row), above=over) for row, over in zip(table.texts, above, strict=True)]
    return [_Row(header, header=True), *rows]


def _table(sheet: Sheet, rows: Sequence[_Row]) -> None:
    """The rows, as wide as the page; those of findings above their threshold are bold."""
    if not rows:
        return
    widths = _column_widths(rows)
    point = (WIDTH - 2 * MARGIN) / sum(widths)
    size = min(7.0, point)
    for row in rows:
        sheet.rule("#e2e2e2" if not row.header else "white")
        top, x = sheet.y + 2, MARGIN
        for width, lines in zip(widths, row.cells, strict=True):
            sheet.y = top
            for line in lines:
                sheet.text(x, TextLine(line, size, row.bold, QUIET if row.header else "black"))
                sheet.y += size * 1.25
            x += width * point
        sheet.y = top - 2 + row.height
    sheet.rule("#e2e2e2")


def _column_widths(rows: Sequence[_Row]) -> list[float]:
    """The width of each column with the gap behind it, in the size of its letters."""
    return [
        max(width_of(line, 1, row.bold) for row in rows for line in row.cells[at]) + _GAP
        for at in range(len(rows[0].cells))
    ]


def _foot(classifier: Classifier, reading: Reading | None) -> list[TextLine]:
    """Which model read the film, and what its numbers may be taken for."""
    info = classifier.info
    facts = [
        f"Model {classifier.name}: {info.backbone}, sees films at {info.preprocess.size} px, trained on "
        f"split {info.split_id} ({labels_of(info.label_version)}). SHA-256 {classifier.digest}",
    ]
    if reading is not None:
        facts += [
            f"Thresholds: {thresholds_words(info)}",
            f"Probabilities: {calibration_words(info)}. They rank, they do not diagnose.",
            worth_table(reading.worths()).caption,
            *([] if reading.fault(reading.top(1)[0][0]) else [reading.legend()]),
        ]
    lines = [line for fact in facts for line in wrapped(fact, size=6.8, color=QUIET)]
    return [
        *lines,
        TextLine(DISCLAIMER, 8, bold=True),
        TextLine(f"Written by X-Lite {__version__}", 6.8, color=QUIET),
    ]
