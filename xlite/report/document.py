"""A document of headings, sentences, tables and charts, as one HTML file and as Markdown."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from xlite.text import in_markdown

if TYPE_CHECKING:
    import plotly.graph_objects as go


class Cell(NamedTuple):
    """A table's cell that is struck through (not to be relied on) or greyed (not to be compared)."""

    text: str
    struck: bool = False
    grey: bool = False


Row = Sequence[str | Cell]


@dataclass(frozen=True)
class Heading:
    """A section's title."""

    text: str


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Alert:
    """Sentences that must not be missed; grave if they cost the metrics their worth."""

    title: str
    sentences: Sequence[str]
    grave: bool = False


@dataclass(frozen=True)
class Table:
    """Rows under a header; the first column and those in `words` are text, the others numbers."""

    header: Sequence[str]
    rows: Sequence[Row]
    caption: str = ""
    words: Sequence[int] = ()

    @property
    def texts(self) -> list[list[str]]:
        """The rows without marks."""
        return [[cell if isinstance(cell, str) else cell.text for cell in row] for row in self.rows]


@dataclass(frozen=True)
class Chart:
    """A figure, made when it is drawn, and what it shows; if `wide`, it scrolls if a screen is narrow."""

    draw: "Callable[[], go.Figure]"
    caption: str = ""
    wide: bool = False


Block = Heading | Text | Alert | Table | Chart


def to_markdown(
    title: str, blocks: Iterable[Block], level: int = 2, escape: Callable[[str], str] | None = None
) -> str:
    """The document as Markdown, its headings of that level; charts, and sections of nothing else, are left to
    the HTML.

    escape: what makes a text harmless where it is shown, `in_markdown` if nothing is given.
    """
    escape = escape or in_markdown
    parts = [f"# {escape(title)}"] if title else []
    pending: list[str] = []  # a heading, until something stands under it
    for block in blocks:
        text = _markdown(block, level, escape)
        if isinstance(block, Heading):
            pending = [text]
        elif text:
            parts += [*pending, text]
            pending = []
    return "\n\n".join(parts) + "\n"


def _markdown(block: Block, level: int, escape: Callable[[str], str]) -> str:
    if isinstance(block, Heading):
        return f"{'#' * level} {escape(block.text)}"
    if isinstance(block, Text):
        return escape(block.text)
    if isinstance(block, Alert):
        lines = [f"**{escape(block.title)}**", "", *(f"- {escape(sentence)}" for sentence in block.sentences)]
        return "\n".join(f"> {line}".rstrip() for line in lines)
    if isinstance(block, Table):
        header = [escape(name) for name in block.header]
        ruler = ["---" if _is_text(block, column) else "---:" for column in range(len(header))]
        rows = [[marked_cell(cell, escape) for cell in row] for row in block.rows]
        lines = [f"| {' | '.join(row)} |" for row in (header, ruler, *rows)]
        return "\n".join(lines + (["", escape(block.caption)] if block.caption else []))
    return ""


def _is_text(table: Table, column: int) -> bool:
    return column == 0 or column in table.words


def marked_cell(cell: str | Cell, escape: Callable[[str], str] | None = None) -> str:
    """A cell as Markdown: what is struck through in tildes, what is grey in italics.

    escape: as of `to_markdown`.
    """
    escape = escape or in_markdown
    if isinstance(cell, str):
        return escape(cell)
    text = escape(cell.text)
    text = f"~~{text}~~" if cell.struck and text else text
    return f"*{text}*" if cell.grey and text else text


def to_html(title: str, blocks: Iterable[Block]) -> str:
    """The document as one HTML file that needs nothing else: styles are in it, and plotly for its charts."""
    blocks = list(blocks)
    body = "\n".join(_html(block, number) for number, block in enumerate(blocks))
    scripts = f"\n<script>{_plotly()}</script>" if any(isinstance(block, Chart) for block in blocks) else ""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>{_STYLE}</style>'
        f"{scripts}</head>\n<body><main>\n<h1>{escape(title)}</h1>\n{body}\n"
        "</main></body></html>\n"
    )


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    script: str = get_plotlyjs()
    return script


def _html(block: Block, number: int) -> str:
    if isinstance(block, Heading):
        return f"<h2>{escape(block.text)}</h2>"
    if isinstance(block, Text):
        return f"<p>{escape(block.text)}</p>"
    if isinstance(block, Alert):
        return alert_html(block)
    if isinstance(block, Table):
        return table_html(block)
    return _drawn(block, f"chart-{number}")


def alert_html(alert: Alert) -> str:
    """The sentences as HTML under their title, in a box."""
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in alert.sentences)
    kind = "alert grave" if alert.grave else "alert"
    return f'<div class="{kind}"><strong>{escape(alert.title)}</strong><ul>{items}</ul></div>'


def table_html(table: Table) -> str:
    """The table as HTML, in a box of its own that scrolls; its caption below."""
    header, *rows = (
        "".join(_cell(tag, cell, _is_text(table, column)) for column, cell in enumerate(row))
        for tag, row in (("th", table.header), *(("td", row) for row in table.rows))
    )
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    caption = f'<p class="note">{escape(table.caption)}</p>' if table.caption else ""
    grid = f"<table><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="wide">{grid}</div>{caption}'


def _cell(tag: str, cell: str | Cell, text: bool) -> str:
    cell = Cell(cell) if isinstance(cell, str) else cell
    kinds = " ".join(kind for kind, holds in (("text", text), ("grey", cell.grey)) if holds)
    inner = f"<s>{escape(cell.text)}</s>" if cell.struck and cell.text else escape(cell.text)
    return f'<{tag} class="{kinds}">{inner}</{tag}>' if kinds else f"<{tag}>{inner}</{tag}>"


def _drawn(block: Chart, name: str) -> str:
    figure = block.draw().update_layout(width=_WIDTH, font={"family": _FONT, "color": "#22313f"})
    config = {"displayModeBar": False, "responsive": False}
    chart = figure.to_html(full_html=False, include_plotlyjs=False, config=config, div_id=name)
    caption = f"<figcaption>{escape(block.caption)}</figcaption>" if block.caption else ""
    return f"<figure>{chart}{caption}</figure>"


_PAGE = 920  # px: the widest tables fit in single lines
_WIDTH = 840  # px of a chart
_ON_A4 = 700 / _WIDTH  # of it, on paper
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_STYLE = f"""
:root {{ color-scheme: light; }}
body {{ margin: 0; background: #fff; color: #22313f; font: 15px/1.55 {_FONT}; }}
main {{ max-width: {_PAGE}px; margin: 0 auto; padding: 40px 20px 80px; }}
h1 {{ font-size: 27px; font-weight: 650; line-height: 1.25; margin: 0 0 6px; }}
h2 {{ font-size: 19px; font-weight: 650; margin: 46px 0 10px; padding-top: 14px;
  border-top: 1px solid #d9dfe5; }}
p {{ margin: 8px 0; }}
.note, figcaption {{ color: #6b7a89; font-size: 12.5px; line-height: 1.45; margin: 4px 0 14px; }}
figure {{ margin: 14px 0; break-inside: avoid; overflow-x: auto; }}
.alert {{ background: #fdf6ea; border-left: 3px solid #c8702a; padding: 10px 16px; margin: 14px 0;
  font-size: 14px; }}
.alert.grave {{ background: #fcecec; border-color: #b3343a; }}
.alert ul {{ margin: 4px 0 0; padding-left: 18px; }}
.wide {{ overflow-x: auto; margin: 12px 0 4px; }}
table {{ border-collapse: collapse; width: 100%; font-size: 12.5px; font-variant-numeric: tabular-nums; }}
th, td {{ text-align: right; padding: 4px; border-bottom: 1px solid #e9edf1; }}
td {{ white-space: nowrap; }}
th.text, td.text {{ text-align: left; }}
td.text {{ white-space: normal; }}
td:first-child {{ white-space: nowrap; }}
th:first-child, td:first-child {{ padding-left: 0; }}
th:last-child, td:last-child {{ padding-right: 0; }}
th {{ color: #6b7a89; font-weight: 600; vertical-align: bottom; line-height: 1.3; }}
tr {{ break-inside: avoid; }}
td.grey {{ color: #9aa6b1; }}
s {{ color: #8a5a5e; text-decoration-color: #b3343a; text-decoration-thickness: 1px; }}
@page {{ size: A4; margin: 14mm 12mm; }}
@media print {{
  main {{ padding: 0; max-width: none; }}
  figure > div {{ zoom: {_ON_A4:.3f}; }}
  table {{ font-size: 10.5px; }}
  h2 {{ break-after: avoid; }}
  .alert {{ break-inside: avoid; font-size: 12px; }}
  body {{ font-size: 12.5px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }}
  .wide, figure {{ overflow: visible; }}
}}
"""
