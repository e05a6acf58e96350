"""A document of headings, sentences, tables and charts as a PDF: its text searchable. No torch."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D

from xlite.report.document import Alert, Block, Cell, Chart, Heading, Table, Text
from xlite.report.pdf_sheet import (
    DISCLAIMER,
    HEIGHT,
    MARGIN,
    QUIET,
    RULE,
    SPACING,
    WIDTH,
    Sheet,
    TextLine,
    open_pdf,
    shown,
    width_of,
    wrapped,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

_TOP, _FOOT = MARGIN + 20, HEIGHT - MARGIN - 16
"""Between what stands at the head and the foot of each page."""
_ROOM = WIDTH - 2 * MARGIN
_CELL, _SMALLEST = 7.0, 5.0
_GAP = 7.0
"""Points between the columns of a table."""
_STRUCK, _GRAVE, _MILD = "#b3343a", "#b3343a", "#c8702a"
_SCREEN = 840  # px: the width that charts are laid out for
_LOWER = 0.78
"""Of its height on a screen, what a chart of rows has on paper."""
_LEFT = {False: 92.0, True: 18.0}
"""Points left of a chart's axes: for the names of findings, or of many panels for numbers alone."""


@dataclass(eq=False)
class _Paper:
    """The pages so far, the last of which is being drawn; `title` stands at the head of each."""

    title: str
    sheets: list[Sheet] = field(default_factory=list)

    @property
    def sheet(self) -> Sheet:
        """The page that is being drawn."""
        return self.sheets[-1]

    def new_page(self) -> None:
        """Goes on on the next page."""
        sheet = Sheet()
        sheet.text(MARGIN, TextLine(self.title, 7, color=QUIET))
        sheet.y = _TOP
        self.sheets.append(sheet)

    def need(self, points: float) -> None:
        """Goes on on the next page unless so much room is left on this one."""
        if self.sheet.y + points > _FOOT:
            self.new_page()

    def lines(self, lines: Sequence[TextLine], x: float = MARGIN) -> None:
        """Lines below each other, over as many pages as they take."""
        for line in lines:
            self.need(line.size * SPACING)
            self.sheet.lines([line], x)


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A chart with its figure, and how high it is with what stands below its axes, in points."""

    figure: "go.Figure"
    caption: list[TextLine]
    height: float
    below: float
    left: float

    @classmethod
    def of(cls, chart: Chart) -> "_Drawn":
        """The chart as it is printed, lower than on a screen."""
        from xlite.report.charts.printed import legend_rows

        figure = chart.draw()
        many = "xaxis2" in figure.layout
        caption = wrapped(chart.caption, size=6.8, color=QUIET)
        names = 46 if figure.data and figure.data[0].type == "heatmap" else 0  # slanted, below the map
        height = (figure.layout.height or 400) * _ROOM / _SCREEN * (1 if many or names else _LOWER)
        return cls(figure, caption, height, 30 + names + 11 * legend_rows(figure), _LEFT[many])

    @property
    def needed(self) -> float:
        """The room that it takes on a page."""
        return 16 + self.height + self.below + sum(line.size * SPACING for line in self.caption)


def to_pdf(title: str, blocks: Iterable[Block], when: datetime) -> bytes:
    """The document as a PDF of A4 pages, each with its title, the disclaimer and its number."""
    with open_pdf(title, when) as (pages, out):
        paper = _Paper(title)
        paper.new_page()
        paper.lines(wrapped(title, size=15, bold=True))
        paper.lines([TextLine(f"{when:%Y-%m-%d %H:%M %Z}", 7.5, color=QUIET)])
        paper.sheet.y += 6
        ready = [_Drawn.of(block) if isinstance(block, Chart) else block for block in blocks]
        for block, following in zip_longest(ready, ready[1:]):
            if isinstance(block, Heading):  # not at the foot of a page, without what it is the heading of
                paper.need(40 + (following.needed if isinstance(following, _Drawn) else 70))
            _DRAW[type(block)](paper, block)
        for number, sheet in enumerate(paper.sheets, 1):
            sheet.y = HEIGHT - MARGIN - 8
            sheet.text(MARGIN, TextLine(DISCLAIMER, 6.8, color=QUIET))
            place = f"page {number} of {len(paper.sheets)}"
            sheet.text(WIDTH - MARGIN, TextLine(place, 6.8, color=QUIET), "right")
            pages.savefig(sheet.figure)
    return out.getvalue()


def _heading(paper: _Paper, block: Heading) -> None:
    paper.sheet.y += 12
    paper.sheet.rule()
    paper.sheet.y += 6
    paper.lines(wrapped(block.text, size=11, bold=True))
    paper.sheet.y += 2


def _text(paper: _Paper, block: Text) -> None:
    paper.lines(wrapped(block.text, size=8))
    paper.sheet.y += 4


def _alert(paper: _Paper, block: Alert) -> None:
    color = _GRAVE if block.grave else _MILD
    paper.need(40)
    first, top = len(paper.sheets), paper.sheet.y
    paper.lines(wrapped(block.title, _ROOM - 10, 8, bold=True, color=color), MARGIN + 10)
    for sentence in block.sentences:
        head, *more = wrapped(sentence, _ROOM - 22, 7.6) or [TextLine("")]
        paper.need(head.size * SPACING)
        paper.sheet.text(MARGIN + 12, TextLine("•", 7.6, color=color))
        paper.lines([head, *more], MARGIN + 20)
    if len(paper.sheets) > first:
        top = _TOP
    _bar(paper.sheet, top, color)
    paper.sheet.y += 7


def _bar(sheet: Sheet, top: float, color: str) -> None:
    """A line beside what stands between `top` and here."""
    x = (MARGIN + 2) / WIDTH
    ends = [1 - top / HEIGHT, 1 - sheet.y / HEIGHT]
    sheet.figure.add_artist(Line2D([x, x], ends, color=color, linewidth=2))


def _table(paper: _Paper, block: Table) -> None:
    rows = [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in block.rows]
    size, widths = _fit(block, rows)
    header = [Cell(name) for name in block.header]
    paper.need(4 * size * SPACING)
    _row(paper, block, header, widths, size, bold=True)
    for row in rows:
        if paper.sheet.y + _height(block, row, widths, size) > _FOOT:
            paper.new_page()
            _row(paper, block, header, widths, size, bold=True)
        _row(paper, block, row, widths, size)
    paper.sheet.y += 3
    if block.caption:
        paper.lines(wrapped(block.caption, size=6.8, color=QUIET))
    paper.sheet.y += 8


def _fit(table: Table, rows: Sequence[Sequence[Cell]]) -> tuple[float, list[float]]:
    """The size of the letters, and the widths of the columns in points, so that the table fits the page.

    Columns of words are wrapped if smaller letters do not do.
    """
    count = len(table.header)
    room = _ROOM - _GAP * (count - 1)
    widths = [max(width_of(row[at].text, 1) for row in rows) if rows else 1.0 for at in range(count)]
    widths = [
        max(one, max((width_of(word, 1, True) for word in name.split()), default=0))
        for one, name in zip(widths, table.header, strict=True)
    ]
    size = max(_SMALLEST, min(_CELL, room / sum(widths)))
    points = [size * one for one in widths]
    if (over := sum(points) - room) > 0:
        wordy = [at for at in range(count) if _is_text(table, at)]
        words = sum(points[at] for at in wordy)
        for at in wordy:
            points[at] -= over * points[at] / words
    elif len(table.words) or count < 4:  # what is left, words have
        return size, points
    spare = max(0.0, room - sum(points)) / count
    return size, [one + spare for one in points]


def _is_text(table: Table, column: int) -> bool:
    return column == 0 or column in table.words


def _cells(
    table: Table, row: Sequence[Cell], widths: Sequence[float], size: float, bold: bool
) -> list[list[str]]:
    """The lines of each cell: words are wrapped, and so is a header."""
    found = []
    for at, (cell, width) in enumerate(zip(row, widths, strict=True)):
        if (bold or _is_text(table, at)) and width_of(cell.text, size, bold) > width + 0.5:
            found.append(_broken(cell.text, width, size, bold))
        else:
            found.append([cell.text])
    return found


def _broken(text: str, width: float, size: float, bold: bool) -> list[str]:
    """A text in lines that are no wider than so many points, broken at spaces if that is enough."""
    letters = len(text)
    while letters > 4:
        lines = wrap(shown(text), letters)
        if all(width_of(line, size, bold) <= width + 0.5 for line in lines):
            return lines
        letters -= 1
    return wrap(shown(text), 4)


def _height(
    table: Table, row: Sequence[Cell], widths: Sequence[float], size: float, bold: bool = False
) -> float:
    return max(map(len, _cells(table, row, widths, size, bold))) * size * 1.25 + 3.6


def _row(
    paper: _Paper,
    table: Table,
    row: Sequence[Cell],
    widths: Sequence[float],
    size: float,
    bold: bool = False,
) -> None:
    """A row, and the thin line below it; what is struck through has a line through it."""
    sheet, x = paper.sheet, MARGIN
    top, height = sheet.y + 2, _height(table, row, widths, size, bold)
    for at, (cell, lines) in enumerate(zip(row, _cells(table, row, widths, size, bold), strict=True)):
        sheet.y = top
        left = _is_text(table, at)
        place = x if left else x + widths[at]
        color = QUIET if bold or cell.grey else "black"
        for line in lines:
            sheet.text(place, TextLine(line, size, bold, color), "left" if left else "right")
            if cell.struck and line:
                wide = width_of(line, size, bold)
                start = place if left else place - wide
                sheet.stroke(start, start + wide, 0.62 * size, _STRUCK)
            sheet.y += size * 1.25
        x += widths[at] + _GAP
    sheet.y = top - 2 + height
    sheet.rule(RULE if bold else "#e9edf1")


def _chart(paper: _Paper, block: _Drawn) -> None:
    from xlite.report.charts.printed import print_figure

    paper.need(block.needed)
    sheet, left = paper.sheet, block.left
    box = (
        (MARGIN + left) / WIDTH,
        1 - (sheet.y + 8 + block.height) / HEIGHT,
        (_ROOM - left - 6) / WIDTH,
        block.height / HEIGHT,
    )
    print_figure(sheet.figure, block.figure, box)
    sheet.y += 8 + block.height + block.below
    paper.lines(block.caption)
    sheet.y += 8


_DRAW: dict[type, Callable[[_Paper, Any], None]] = {
    Heading: _heading,
    Text: _text,
    Alert: _alert,
    Table: _table,
    _Drawn: _chart,
}
