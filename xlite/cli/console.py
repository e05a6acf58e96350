"""What the commands share: options, progress bars, tables and JSON on a terminal."""

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TextIO

import typer

from xlite.errors import RunError, XliteError
from xlite.files import Progress
from xlite.findings import FINDINGS
from xlite.pacs.film_objects import MAPS_PER_FILM
from xlite.text import printable

if TYPE_CHECKING:
    from tqdm import tqdm

BAR_AFTER_S = 2.0

Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON")]
MODEL = "A run's name, a model file, or several with commas"
Model = Annotated[str, typer.Argument(metavar="MODEL", help=MODEL)]
DataFolder = Annotated[Path, typer.Argument(metavar="DATA", help="Data folder in the NIH layout")]
DataFolders = Annotated[
    list[Path],
    typer.Option(metavar="PATH", help="Data folder in the NIH layout; give several to take them as one"),
]
Out = Annotated[Path, typer.Option(metavar="DIR", help="Folder to write into")]
Heatmaps = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=len(FINDINGS),
        help=f"Maps a film, likeliest findings first  [default: {MAPS_PER_FILM} in DICOM, else 0]",
        show_default=False,
    ),
]
Fix = Annotated[
    bool, typer.Option("--fix", help="Turn upright and invert back what looks turned or inverted")
]
ThreeD = Annotated[
    bool, typer.Option("--3d", help="DICOM: reports as Comprehensive 3D SR, which some viewers want")
]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, mps")]


@contextmanager
def progress_bar(text: str, unit: str = "film") -> Iterator[Progress]:
    """Gives a callback (units done, in all) that draws a bar on stderr BAR_AFTER_S after its first call.

    In a file the bar redraws itself seldom, so that a log stays readable.
    """
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[misc]
        """Lines that are logged draw it anew: not before its time, and then its end knows of it."""

        def refresh(self, *words: Any, **options: Any) -> None:
            """Draws it."""
            now = time.time()
            if not self.delay or now >= self.start_t + self.delay:
                self.last_print_t = now
                super().refresh(*words, **options)

    interval = 0.1 if sys.stderr.isatty() else 10.0
    with ExitStack() as stack:

        @cache
        def bar() -> "tqdm[NoReturn]":  # not before it is needed: its time begins with it
            new: tqdm[NoReturn] = Bar(
                desc=text, unit=unit, delay=BAR_AFTER_S, mininterval=interval, file=sys.stderr
            )
            stack.enter_context(new)
            stack.enter_context(repeatedly(new.refresh, max(BAR_AFTER_S, interval)))  # in a long unit, too
            return new

        def show(done: int, total: int) -> None:
            bar().total = total
            bar().update(done - bar().n)

        yield show


@contextmanager
def busy(text: str) -> Iterator[None]:
    """For work that cannot tell how far it is: shows on a terminal what goes on and for how long."""
    from tqdm import tqdm

    shape = "{desc}: {elapsed}"
    with (
        tqdm(desc=text, bar_format=shape, delay=BAR_AFTER_S, miniters=0, leave=False, disable=None) as bar,
        repeatedly(lambda: bar.update(0)),
    ):
        yield


@contextmanager
def repeatedly(act: Callable[[], object], every_s: float = 0.5) -> Iterator[None]:
    """Does something every so many seconds, in a thread, until the block ends."""
    ended = threading.Event()

    def go_on() -> None:
        while not ended.wait(every_s):
            act()

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def ask_twice(kind: str, name: str, what: str) -> None:
    """Goes on only if somebody confirms that a run or study is to be deleted, and types its name."""
    if not sys.stdin.isatty():
        raise RunError(f"{kind} {name!r} is deleted for good, and nobody can be asked here: add --yes")
    confirm(f"Delete {kind} {name} {what}?", "Nothing was deleted")
    if typer.prompt("There is no way back. Type its name to delete it") != name:
        raise RunError(f"that is not {name!r}, so nothing was deleted")


def confirm(question: str, otherwise: str) -> None:
    """Goes on only after a yes; else says what was not done, and ends with status 1."""
    if not typer.confirm(question):
        say(otherwise)
        raise typer.Exit(1)


class _Lines(logging.Handler):
    """Writes each record's message as a line that does not break progress bars."""

    def __init__(self, stream: TextIO):
        super().__init__(logging.INFO)
        self.stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the message."""
        from tqdm import tqdm

        tqdm.write(printable(record.getMessage()), file=self.stream)
        self.stream.flush()


@contextmanager
def log_to(stream: TextIO | None = None, file: Path | None = None) -> Iterator[None]:
    """While it lasts, what X-Lite logs from INFO on is written to a stream (stdout by default) and a file.

    The file also gets an XliteError that ends the block, as `Error: …`. If the stream is that file, each line
    is written once.
    """
    out = stream or sys.stdout
    with ExitStack() as stack:
        stack.enter_context(_handling(out))
        kept = stack.enter_context(open(file, "a", encoding="utf-8")) if file else None
        if kept is None or _same_file(out, kept):
            yield
            return
        stack.enter_context(_handling(kept))
        try:
            yield
        except XliteError as error:
            print(printable(f"Error: {error}"), file=kept)
            raise


@contextmanager
def _handling(stream: TextIO) -> Iterator[None]:
    """While it lasts, what X-Lite logs from INFO on is written to the stream."""
    logger, handler = logging.getLogger("xlite"), _Lines(stream)
    before = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def _same_file(one: TextIO, other: TextIO) -> bool:
    try:
        return os.path.sameopenfile(one.fileno(), other.fileno())
    except (OSError, ValueError):  # a stdout without a file behind it
        return False


def say(text: str, file: TextIO | None = None) -> None:
    """Lines on stdout, or another stream; what a name in them would do to the terminal is spelt out."""
    print(printable(text, keep="\n"), file=file)


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    print(json.dumps(value, indent=2, default=str))


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Aligned columns on stdout; numbers to the right."""
    texts = [[printable(str(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *texts, strict=True)]
    for row, cells in zip([list(header), *texts], [header, *rows], strict=True):
        line = (
            text.rjust(width) if isinstance(cell, int | float) else text.ljust(width)
            for text, width, cell in zip(row, widths, cells, strict=True)
        )
        print("  ".join(line).rstrip())
