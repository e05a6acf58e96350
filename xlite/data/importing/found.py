"""What lies in a data set that is to be imported: its films, their labels as it calls them, its boxes."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
import pandas as pd

from xlite.data.film_files import find_film_files
from xlite.data.film_names import stem_of
from xlite.data.rows import columns_of, read_rows
from xlite.errors import DataError, sentence

FILM_COLUMNS = ["file", "name", "patient", "age", "sex", "view", "part", "nih"]
BOX_COLUMNS = ["name", "label", "x", "y", "w", "h", "width", "height", "reader"]
UNCERTAIN = -1.0
LATERAL, FRONTAL = "lateral", "frontal"
"""Views beside `PA` and `AP`; frontal: the table does not say which of these."""
_PRESENT = {"1", "1.", "1.0", "true", "yes", "y", "positive", "pos", "present"}
_ABSENT = {"0", "0.", "0.0", "false", "no", "n", "negative", "neg", "absent"}
_UNCERTAIN = {"-1", "-1.", "-1.0", "uncertain", "u", "?"}
_YEARS = re.compile(r"^0*([0-9]+)(\.0*)?\s*(y|yrs?\.?|years?( old)?|j|jahre?|ans?|años?)?$", re.IGNORECASE)
BLANKS = {"", "nan", "na", "n/a", "none", "null"}
_SEXES = {
    **dict.fromkeys(("f", "female", "woman", "w", "weiblich", "femme", "féminin", "mujer", "femenino"), "F"),
    **dict.fromkeys(("m", "male", "man", "männlich", "maennlich", "homme", "masculin"), "M"),
    **dict.fromkeys(("hombre", "masculino"), "M"),
}
_Ends = dict[str, Path | None]


@dataclass(eq=False)
class Found:
    """A data set as it is, before its labels are mapped and its films are looked for.

    films: text columns FILM_COLUMNS, in order of follow-up for each patient: file (a path below `root`, or a
    name to look for there), name (unique), patient, age (years), sex (M, F), view (PA, AP, FRONTAL, LATERAL;
    another word is left out; empty: the gate decides), part (train, val, test), nih (the film's name in
    ChestX-ray14). states: float32, a column for each label: 1, 0, UNCERTAIN, NaN if it is blank.
    boxes: BOX_COLUMNS, in px of a frame of width and height; NaN: that of the film's file.
    """

    root: Path
    films: pd.DataFrame
    states: pd.DataFrame
    tables: list[Path]
    boxes: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=BOX_COLUMNS))
    left_out: Counter[str] = field(default_factory=Counter)
    conflicts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    has_patients: bool = True
    agreement: pd.DataFrame | None = None
    """For each film and label: how many readers saw it, of how many."""
    picture: Callable[[int], bytes] | None = None
    """The PNG of a row of films, if they are not files of their own."""


def films_of(rows: Iterable[dict[str, str]]) -> pd.DataFrame:
    """A table of films from rows that may lack columns."""
    return pd.DataFrame(
        [[row.get(column, "") for column in FILM_COLUMNS] for row in rows], columns=FILM_COLUMNS, dtype=str
    )


def text_columns(path: Path, needed: Sequence[str], wanted: Sequence[str] = ()) -> pd.DataFrame:
    """Columns of a table as text: those needed, and of those wanted the ones that it has; others are empty.

    Raises DataError as `columns_of`, and if one that is needed is not there.
    """
    header, rows = read_rows(path)
    if missing := [name for name in needed if name not in header]:
        raise DataError(f"{path} lacks the column {missing[0]!r}; it has {', '.join(header)[:200]}")
    there = [name for name in (*needed, *wanted) if name in header]
    table = pd.DataFrame(columns_of(path, header, rows, there), dtype=str)
    return table.reindex(columns=[*needed, *wanted], fill_value="")


def sex_of(text: str) -> str:
    """F or M, from its letter or its word in English, German, French or Spanish; nothing for any other."""
    return _SEXES.get(text.strip().casefold(), "")


def age_of(text: str) -> str:
    """Plain years of `063Y`, `051`, `61.0`, `62 Jahre`; other text stays, such as DICOM's months, `008M`."""
    return _YEARS.sub(r"\1", text.strip())


def label_state(text: str) -> float | None:
    """A label as tables write it: 1, 0, UNCERTAIN or NaN (blank); None if it is none of these."""
    plain = text.strip().casefold()
    if plain in BLANKS:
        return float("nan")
    if plain in _PRESENT:
        return 1.0
    if plain in _ABSENT:
        return 0.0
    return UNCERTAIN if plain in _UNCERTAIN else None


def label_states(path: Path, table: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """The columns of labels as numbers. Raises DataError for the first value that is not a label."""
    states = {}
    for label in labels:
        codes, different = pd.factorize(table[label])
        values = [label_state(str(text)) for text in different]
        for code, value in enumerate(values):
            if value is None:
                row = int(np.argmax(codes == code)) + 1
                raise DataError(
                    f"the column {label!r} of {path} holds {different[code]!r} in row {row}; a label is 1, "
                    "0, -1 (uncertain) or blank"
                )
        states[label] = np.array(values, np.float32)[codes]
    return pd.DataFrame(states)


def states_of_names(named: Sequence[Iterable[str]], labels: Sequence[str]) -> pd.DataFrame:
    """States from the names of what each film has: 1 if named, else blank; unknown names are added."""
    everyone = list(dict.fromkeys([*labels, *(name for names in named for name in names)]))
    place = {label: column for column, label in enumerate(everyone)}
    states = np.full((len(named), len(everyone)), np.nan, np.float32)
    for row, names in enumerate(named):
        for name in names:
            states[row, place[name]] = 1
    return pd.DataFrame(states, columns=everyone)


def file_of(source: Path, *patterns: str) -> Path | None:
    """The first file of the source, or of a folder in it, that fits one of the patterns; else None."""
    for pattern in patterns:
        for depth in ("", "*/"):
            if found := sorted(path for path in source.glob(depth + pattern) if path.is_file()):
                return found[0]
    return None


def not_that_kind(source: Path, kind: str, lacks: str) -> DataError:
    """What is raised if the source is not of the kind that was named."""
    if not source.exists():
        return DataError(f"there is no {source}; give the folder that the data set lies in")
    return DataError(f"{source} is not a folder of {kind}: it holds no {lacks}")


def none_left(source: Path, reasons: str) -> DataError:
    """What is raised if no film is taken; reasons: why, with numbers, empty if the tables list none."""
    why = f" ({reasons})" if reasons else ""
    return DataError(
        f"0 films are left of {source.absolute()}{why}; expected frontal chest films with labels: give a "
        "folder or a table that has some"
    )


class Places:
    """Where the films of a source lie: by their path below it, else by the end of a path that only one has.

    Folders count: `B/1.png` is never `A/1.png`. Paths may be written as Windows writes them, in capitals or
    not; those from the root of another machine's disk may lie below this root without their first folders.
    """

    def __init__(self, root: Path):
        self.root = root.absolute()
        self._by_end: dict[int, tuple[_Ends, _Ends]] = {}

    def find(self, file: str) -> Path | None:
        """The file of a film; None if it is not there, or if several have its name."""
        plain = PurePosixPath(file.replace("\\", "/"))
        below = [PurePosixPath(file), plain]
        if plain.is_absolute() or PureWindowsPath(file).drive:
            below += [PurePosixPath(*plain.parts[start:]) for start in range(1, len(plain.parts))]
        there = next((path for tail in below if (path := self.root / tail).is_file()), None)
        if there or not plain.name:
            return there
        stem = stem_of(plain.name)
        names = [str(plain), *([str(plain.with_name(stem))] if stem else [])]
        exact, folded = self._ends(len(plain.parts))
        found = [*map(exact.get, names), *(folded.get(name.casefold()) for name in names)]
        return next(filter(None, found), None)

    def _ends(self, parts: int) -> tuple[_Ends, _Ends]:
        """Films by the last so many parts of their paths, with and without a suffix; None for several.

        As they are written, and in small letters.
        """
        if parts not in self._by_end:
            exact, folded = self._by_end[parts] = {}, {}
            for film in find_film_files([self.root]).films:
                end = PurePosixPath(*film.parts[-parts:])
                names = {str(end), str(end.with_name(stem_of(end.name)))}
                for ends, keys in ((exact, names), (folded, {name.casefold() for name in names})):
                    ends |= {name: None if name in ends else film for name in keys}
        return self._by_end[parts]


def json_of(path: Path, read: Callable[[str], object]) -> object:
    """What a JSON file holds. Raises DataError if it cannot be read."""
    try:
        return read(path.read_text(encoding="utf-8"))
    except UnicodeError as error:
        raise DataError(f"{path} cannot be read as JSON: it is not in UTF-8; save it as UTF-8") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as JSON: {sentence(error)}") from error
