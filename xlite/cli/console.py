"""What the commands share: progress bars, tables and JSON on a terminal."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer

BAR_AFTER_S = 2.0

Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON")]
Progress = Callable[[int, int], None]


@contextmanager
def progress_bar(text: str, unit: str = "film") -> Iterator[Progress]:
    """Gives a callback (done, total) that draws a bar on stderr once the work takes longer than 2 s.

    Into a file the bar redraws itself seldom, so that a log stays readable.
    """
    from tqdm import tqdm

    interval = 0.1 if sys.stderr.isatty() else 10.0
    scaled = unit == "B"
    with tqdm(
        desc=text, unit=unit, unit_scale=scaled, delay=BAR_AFTER_S, mininterval=interval, file=sys.stderr
    ) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    print(json.dumps(value, indent=2, default=str))


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Aligned columns on stdout; numbers to the right."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *texts, strict=True)]
    for row, cells in zip([list(header), *texts], [header, *rows], strict=True):
        line = (
            text.rjust(width) if isinstance(cell, int | float) else text.ljust(width)
            for text, width, cell in zip(row, widths, cells, strict=True)
        )
        print("  ".join(line).rstrip())


def number(value: float | None, digits: int = 4) -> str:
    """A figure for a table; a dash where there is none."""
    return "-" if value is None or value != value else f"{value:.{digits}f}"
