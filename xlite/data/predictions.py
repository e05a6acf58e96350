"""predictions.csv: 14 probabilities for each film, written by X-Lite and read from anyone's model."""

import gzip
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from xlite.data.film_names import stem_of
from xlite.data.rows import IMAGE_COLUMNS, read_rows
from xlite.errors import DataError
from xlite.files import write_atomic
from xlite.findings import FINDINGS, canonical
from xlite.text import are, counted, from_cell, has_plain_digits, printable, quoted_cell

PREDICTIONS_FILE = "predictions.csv"
"""What the file is called in any folder of X-Lite's."""

PREFIX = "prob_"
HEADER = ",".join(("image", *FINDINGS))
_VALUES = ",%#.9g" * len(FINDINGS)


class Predictions(NamedTuple):
    """A predictions file, rows in its order."""

    stems: list[str]
    names: list[str]  # as written in the file
    probs: np.ndarray  # (N, 14) float64 in 0-1, NIH order


def prediction_line(name: str, values: Sequence[float]) -> str:
    """A film's line of predictions.csv: nine digits, so that float32 survives."""
    return quoted_cell(name) + _VALUES % tuple(values)


def write_predictions(path: Path | str, names: list[str], probs: np.ndarray) -> None:
    """Writes names (N,) and probabilities (N, 14); atomic.

    Compressed if the path ends in .gz, to the same bytes each time.
    """
    lines = [prediction_line(name, values) for name, values in zip(names, probs.tolist(), strict=True)]
    content = "\n".join([HEADER, *lines, ""]).encode()
    write_atomic(Path(path), gzip.compress(content, mtime=0) if Path(path).suffix == ".gz" else content)


def read_predictions(path: Path | str) -> Predictions:
    """Reads predictions.csv, plain or .gz; columns in any order, `Image Index`, `prob_` and name aliases too.

    Raises DataError if a column is missing or double, a film is listed twice, or a value lies outside 0-1.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"there is no predictions file {path}")
    header, rows = read_rows(path)
    image, columns = _columns(path, header)
    if not rows:
        raise DataError(f"{path} holds no predictions; expected a row for each film under the header")
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            raise DataError(
                f"{path}, row {number} has {counted(len(row), 'value')}; expected {len(header)}, as the "
                "header"
            )
    names = [from_cell(row[image].strip()) for row in rows]
    stems = [stem_of(name) for name in names]
    if "" in stems:
        raise DataError(f"{path}, row {stems.index('') + 1} names no film; fill in its name")
    twice = [stem for stem, count in Counter(stems).items() if count > 1]
    if twice:
        raise DataError(
            f"{path} lists {counted(len(twice), 'film')} more than once, {twice[0]} first; keep one "
            "row for each film"
        )
    probs = _numbers(path, [[row[column] for column in columns] for row in rows])
    _check_range(path, probs, names)
    return Predictions(stems, names, probs)


def read_averaged(spec: Path | str) -> Predictions:
    """`read_predictions` of one file, or of several joined by commas: the mean of their probabilities.

    Rows are in the order of the first. Raises DataError also if the files are not of the same films.
    """
    first, *others = (read_predictions(file) for file in _files(spec))
    total = first.probs.copy()
    for file, other in zip(_files(spec)[1:], others, strict=True):
        row_of = {stem: row for row, stem in enumerate(other.stems)}
        different = row_of.keys() ^ set(first.stems)
        if different:
            raise DataError(
                f"{file} and {_files(spec)[0]} are averaged but differ in {counted(len(different), 'film')}, "
                f"{min(different)} first; give predictions for the same films"
            )
        total += other.probs[[row_of[stem] for stem in first.stems]]
    return Predictions(first.stems, first.names, total / (1 + len(others)))


def spoken_name(spec: Path | str) -> str:
    """A short name for the predictions that `read_averaged` reads."""
    files = _files(spec)
    return printable(files[0].name) if len(files) == 1 else f"the average of {len(files)} files"


def distinct_names(specs: Sequence[Path | str]) -> list[str]:
    """Names that tell apart the predictions `read_averaged` reads: the shortest path endings that differ."""
    groups = [_files(spec) for spec in specs]
    ends = _distinct_ends({file for files in groups for file in files})
    names = [[ends[file] for file in files] for files in groups]
    return [f"the mean of {', '.join(first)} and {last}" if first else last for *first, last in names]


def _distinct_ends(files: Collection[Path]) -> dict[Path, str]:
    found = {}
    for file in files:
        tails = (file.parts[-count:] for count in range(1, len(file.parts) + 1))
        alone = (tail for tail in tails if sum(other.parts[-len(tail) :] == tail for other in files) == 1)
        found[file] = printable(Path(*next(alone, file.parts)).as_posix())
    return found


def _files(spec: Path | str) -> list[Path]:
    """The files of a spec, which are joined by commas; a file with a comma in its name is a single one."""
    whole = Path(spec)
    return [whole] if whole.is_file() else [Path(part.strip()) for part in str(spec).split(",")]


def _columns(path: Path, header: list[str]) -> tuple[int, list[int]]:
    """Positions of the image's name and of the 14 findings, in NIH order."""
    image, places = [], {}
    for position, title in enumerate(header):
        if title in IMAGE_COLUMNS:
            image.append(position)
            continue
        try:
            finding = canonical(title.removeprefix(PREFIX))
        except ValueError:  # a column of the user's own
            continue
        if finding in places:
            raise DataError(f"{path} has two columns for {finding}; keep one")
        places[finding] = position
    missing = [finding for finding in FINDINGS if finding not in places]
    if not image:
        text = ", ".join(header)
        if not text.isprintable():
            raise DataError(
                f"{path} is not a CSV of predictions; expected a header with image and the 14 findings"
            )
        raise DataError(f"{path} has no column 'image' (or 'Image Index'); its header is {text[:200]}")
    if len(image) > 1:
        titles = " and ".join(repr(header[place]) for place in image)
        raise DataError(f"{path} has two columns for the film's name, {titles}; keep one")
    if missing:
        raise DataError(
            f"{path} lacks {len(missing)} of the 14 findings: {', '.join(missing)}; add these columns"
        )
    return image[0], [places[finding] for finding in FINDINGS]


def _numbers(path: Path, rows: list[list[str]]) -> np.ndarray:
    try:
        if not has_plain_digits("".join(map("".join, rows))):
            raise ValueError
        return np.array([[float(text) for text in row] for row in rows], dtype=np.float64)
    except ValueError as error:
        number, row = next((n, row) for n, row in enumerate(rows, 1) if not all(map(_is_number, row)))
        finding, text = next(pair for pair in zip(FINDINGS, row, strict=True) if not _is_number(pair[1]))
        raise DataError(
            f"{path}, row {number}: {text!r} for {finding} is not a number; expected a probability 0-1"
        ) from error


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return has_plain_digits(text)


def _check_range(path: Path, probs: np.ndarray, names: list[str]) -> None:
    for wrong, what, advice in (
        (np.isnan(probs), "NaN", "give a probability 0-1 for every film and finding"),
        ((probs < 0) | (probs > 1), "outside 0-1", "give probabilities, for logits their sigmoid"),
    ):
        if wrong.any():
            bad, (row, column) = int(wrong.sum()), np.argwhere(wrong)[0]
            raise DataError(
                f"{path}: {counted(bad, 'value')} {are(bad)} {what}, first {probs[row, column]:g} for "
                f"{FINDINGS[column]} of {names[row]}; {advice}"
            )
