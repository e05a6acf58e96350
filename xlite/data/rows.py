"""Text files as rows: the one way that tables, lists, boxes and predictions are read."""

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from xlite.errors import DataError, sentence
from xlite.files import read_file
from xlite.text import counted

_MAX_BYTES = 2**28  # unpacked; NIH's table has 8 MB, predictions of all its films 20
_GZIP = b"\x1f\x8b"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SEPARATORS = (",", ";", "\t")
IMAGE_COLUMNS = ("image", "Image Index")
"""How a column of films may be called."""


def read_text(path: Path, content: bytes | None = None) -> str:
    """A text file, plain or compressed, in UTF-8 or, with its mark, in UTF-16; line ends as they are.

    content: of a file that was uploaded, and lies nowhere. Raises DataError if there is none, or if it is
    damaged or no text.
    """
    try:
        content = read_file(path) if content is None else content
        if path.suffix.lower() == ".gz" or content.startswith(_GZIP):
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
                content = packed.read(_MAX_BYTES + 1)
            if len(content) > _MAX_BYTES:
                raise DataError(f"{path} unpacks to more than {_MAX_BYTES // 2**20} MB, as no table does")
        text = content.decode("utf-16" if content.startswith(_UTF_16) else "utf-8-sig")
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}") from error
    except PermissionError as error:
        raise DataError(sentence(error, path)) from error
    except UnicodeError as error:
        raise DataError(
            f"{path} cannot be read as text: it is neither in UTF-8 nor in UTF-16; save it as UTF-8"
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read as text: {error}") from error
    if "\0" in text:
        raise DataError(f"{path} cannot be read as text: it has NUL bytes; save it as UTF-8")
    return text


def read_rows(path: Path) -> tuple[list[str], list[list[str]]]:
    """A table's header, without blanks around the names, and the rows under it; blank rows are left out.

    Columns are separated by commas, semicolons or tabs, whichever the header has most of. Raises DataError as
    `read_text` does, and if there is no header or a quoted text has no end.
    """
    return rows_of(path, read_text(path))


def rows_of(path: Path, text: str) -> tuple[list[str], list[list[str]]]:
    """The rows of a file's text, as `read_rows` gives them."""
    rows = _parse(path, text)
    return next(rows), list(rows)


def read_header(path: Path) -> list[str]:
    """The header alone, as `read_rows` gives it."""
    return next(_parse(path, read_text(path)))


def columns_of(
    path: Path, header: list[str], rows: list[list[str]], names: Sequence[str]
) -> dict[str, list[str]]:
    """The columns of these names, all of which the header has; without blanks around the values.

    Raises DataError unless there are rows, all long enough and none longer than the first, and if a column is
    there twice.
    """
    if twice := [name for name in names if header.count(name) > 1]:
        raise DataError(f"{path} has the column {twice[0]!r} more than once; keep the right one")
    positions = {name: header.index(name) for name in names}
    least = max(positions.values()) + 1
    if not rows:
        raise DataError(f"{path} lists no films; expected a row for each film under its header")
    for number, row in enumerate(rows, 1):
        if not least <= len(row) <= len(rows[0]):
            raise DataError(
                f"{path} cannot be read as a table: row {number} has {counted(len(row), 'value')}; expected "
                f"{max(least, len(rows[0]))}"
            )
    return {name: [row[at].strip() for row in rows] for name, at in positions.items()}


def _parse(path: Path, text: str) -> Iterator[list[str]]:
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    try:
        header = next((row for row in lines if any(map(str.strip, row))), None)
        if header is None:
            raise DataError(f"{path} is empty; expected a header and a row for each film")
        yield [name.strip() for name in header]
        # A row of nothing but separators is blank too, as spreadsheets leave them, if it is not too long.
        yield from (row for row in lines if any(map(str.strip, row)) or len(row) > len(header))
    except csv.Error as error:
        raise DataError(f"{path} cannot be read as a table: line {lines.line_num}: {error}") from error


def _separator(text: str) -> str:
    found = re.search(r"\S[^\r\n]{,9999}", text)
    first = [found[0] if found else ""]
    return max(_SEPARATORS, key=lambda separator: len(next(csv.reader(first, delimiter=separator))))
