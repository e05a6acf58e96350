"""Pages of A4 that are drawn from top to bottom: what all PDFs of X-Lite are made of. No torch."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from io import BytesIO
from textwrap import wrap
from typing import Any

import matplotlib
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.ft2font import FT2Font
from matplotlib.lines import Line2D

from xlite import __version__
from xlite.text import in_one_line

DISCLAIMER = "Research software, not for clinical use. Its output is neither a diagnosis nor medical advice."
FONT = "DejaVu Sans"
"""It comes with matplotlib, so that each machine writes the same page."""
_SETTINGS: Any = {"pdf.fonttype": 42, "font.family": [FONT], "text.usetex": False}
_ONE_AT_A_TIME = threading.Lock()  # matplotlib's settings are those of the process
WIDTH, HEIGHT, MARGIN = 595.0, 842.0, 40.0
"""Of a page of A4 in points."""
EM = 0.57
"""The mean width of a letter, in its size."""
SPACING = 1.35
"""From line to line, in the size of the letters."""
QUIET, RULE = "#555555", "#bbbbbb"


@contextmanager
def open_pdf(title: str, when: datetime) -> Iterator[tuple[Any, BytesIO]]:
    """A PDF to add pages to, one at a time in the process, and the bytes that it is once the block ends."""
    out = BytesIO()
    about = {"Title": title, "Creator": f"X-Lite {__version__}", "CreationDate": when}
    with _ONE_AT_A_TIME, matplotlib.rc_context(_SETTINGS), PdfPages(out, metadata=about) as pages:
        yield pages, out


@dataclass(frozen=True)
class TextLine:
    """A line of text: its size in points, and how it looks."""

    text: str
    size: float = 8
    bold: bool = False
    color: str = "black"


@dataclass(eq=False)
class Sheet:
    """A page while it is drawn, from top to bottom; `y` is where it goes on, in points from the top."""

    figure: Figure = field(default_factory=lambda: Figure(figsize=(WIDTH / 72, HEIGHT / 72)))
    y: float = MARGIN

    def text(self, x: float, line: TextLine, align: str = "left") -> None:
        """A text at x points, its top at `y`."""
        self.figure.text(
            x / WIDTH,
            1 - self.y / HEIGHT,
            shown(line.text),
            size=line.size,
            weight="bold" if line.bold else "normal",
            color=line.color,
            ha=align,
            va="top",
            parse_math=False,
        )

    def lines(self, lines: Iterable[TextLine], x: float = MARGIN) -> None:
        """Lines below each other."""
        for line in lines:
            self.text(x, line)
            self.y += line.size * SPACING

    def rule(self, color: str = RULE) -> None:
        """A thin line over the width of the text."""
        self.stroke(MARGIN, WIDTH - MARGIN, color=color)

    def stroke(self, left: float, right: float, down: float = 0, color: str = RULE) -> None:
        """A thin line from x to x in points, so far below `y`."""
        height = 1 - (self.y + down) / HEIGHT
        ends = [left / WIDTH, right / WIDTH]
        self.figure.add_artist(Line2D(ends, [height, height], color=color, linewidth=0.6))


def shown(text: str) -> str:
    """The text in one line, with what the font lacks spelt out: `\\u4e2d`."""
    known = _known_signs()
    return "".join(
        one if ord(one) in known else one.encode("unicode_escape").decode() for one in in_one_line(text)
    )


@cache
def _known_signs() -> frozenset[int]:
    regular, bold = (_font(weight).get_charmap() for weight in ("normal", "bold"))
    return frozenset(regular.keys() & bold.keys())


def _font(weight: str) -> FT2Font:
    return FT2Font(findfont(FontProperties(family=FONT, weight=weight)))


@cache
def _widths(bold: bool) -> dict[int, float]:
    """The width of each sign of the font, in its size."""
    font = _font("bold" if bold else "normal")
    font.set_size(100, 72)
    return {code: font.load_char(code).linearHoriAdvance / 65536 / 100 for code in sorted(_known_signs())}


def width_of(text: str, size: float, bold: bool = False) -> float:
    """How wide a text is in points."""
    widths = _widths(bold)
    return size * sum(widths[ord(one)] for one in shown(text))


def wrapped(
    text: str, width: float = WIDTH - 2 * MARGIN, size: float = 8, bold: bool = False, color: str = "black"
) -> list[TextLine]:
    """A text in lines that are no wider than so many points."""
    letters = int(width / (size * EM * (1.12 if bold else 1)))
    return [TextLine(line, size, bold, color) for line in wrap(shown(text), letters)]
