"""The labels of a labelling as a data folder that training takes: table, boxes, links to films, lists."""

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from xlite.data.folder import NihFolder
from xlite.data.importing.files import (
    BOX_HEADER,
    BOXES,
    TABLE,
    TABLE_HEADER,
    link_film,
    rows_as_csv,
    write_rows,
)
from xlite.data.importing.labels import Labels
from xlite.data.rows import columns_of, read_rows
from xlite.data.splits import OFFICIAL_LISTS
from xlite.data.tables import find_table
from xlite.errors import DataError, sentence
from xlite.files import new_folder
from xlite.findings import FINDINGS
from xlite.labelling.labelling import LOG, Labelling
from xlite.labelling.log import AnswerLog
from xlite.labelling.settled import Settled, settled_films
from xlite.labelling.state import LogState
from xlite.text import as_cell

WHO_HEADER = ["Readers", "Adjudicator", "Labelled", "Agreement", "After Opinion"]
"""What the table says of films that were labelled: by whom, when, on how many findings two readers agree."""


@dataclass(frozen=True)
class Exported:
    """What was written: films in the table, those labelled here, known labels of these, boxes of these."""

    folder: Path
    films: int
    labelled: int
    known: int
    boxes: int


def export_labels(labelling: Labelling, state: LogState, out: Path, only: bool = False) -> Exported:
    """Writes a data folder: films labelled here have these labels alone, the others those that they had.

    So it is with who labelled them, if the data folder is an export too, whose log stands before this one's.
    `only`: the labelled films alone. Lists and splits of the data folder come along. Either all of it is
    there in the end, or nothing. Raises DataError if nothing is labelled, if OUT is taken, or if it cannot
    be written or linked to.
    """
    done = {one.film: one for one in settled_films(labelling, state)}
    if not done:
        raise DataError(f"nobody has labelled a film of {labelling.name} yet")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"{out} is there already and not an empty folder; choose a new folder")
    folder = NihFolder.open(labelling.settings.data)
    rows = folder.rows([*done]) if only else np.arange(len(folder.table))
    table = folder.table.iloc[rows].reset_index(drop=True)
    labels = _merged(folder, table, done)
    try:
        with new_folder(out) as scratch:
            write_rows(
                scratch / TABLE.format(name="labels"),
                [*TABLE_HEADER, *WHO_HEADER],
                _rows(table, labels, _who_before(folder) | _who(done)),
            )
            boxes = _box_rows(folder, table, done)
            if boxes:
                write_rows(scratch / BOXES, BOX_HEADER, boxes)
            _link_films(folder, table, scratch / "images")
            _copy_lists(folder.root, scratch)
            _write_log(labelling, folder.root / LOG, scratch / LOG)
    except OSError as error:
        raise DataError(sentence(error, out)) from error
    known = int(sum(np.isfinite(one.labels).sum() for one in done.values()))
    return Exported(out, len(table), len(done), known, sum(len(one.boxes) for one in done.values()))


def labels_csv(labelling: Labelling, state: LogState) -> str:
    """The table of the labelled films alone, as `export_labels` writes it."""
    done = {one.film: one for one in settled_films(labelling, state)}
    folder = NihFolder.open(labelling.settings.data)
    table = folder.table.iloc[folder.rows([*done])].reset_index(drop=True)
    return rows_as_csv([*TABLE_HEADER, *WHO_HEADER], _rows(table, _merged(folder, table, done), _who(done)))


def _merged(folder: NihFolder, table: pd.DataFrame, done: dict[str, Settled]) -> Labels:
    """The labels of the films of a table: those given here, else the folder's."""
    values = folder.labels(table["stem"].tolist())
    for row, stem in enumerate(table["stem"]):
        if stem in done:
            values[row] = done[stem].labels
    return Labels(values, list(FINDINGS), Counter())


def _rows(
    table: pd.DataFrame, labels: Labels, who: Mapping[str, Sequence[str]]
) -> Iterable[Sequence[object]]:
    """The rows of the table; who: the cells of WHO_HEADER by stem, empty ones for the other films."""
    columns = (table[name] for name in ("image", "stem", "follow_up", "patient", "age", "sex", "view"))
    nobody = [""] * len(WHO_HEADER)
    for image, stem, follow_up, patient, age, sex, view, present, unknown in zip(
        *columns, labels.positives(), labels.unknown(), strict=True
    ):
        years = "" if np.isnan(age) else f"{age:g}"
        yield [image, present, follow_up, patient, years, sex, view, unknown, *who.get(stem, nobody)]


def _who(done: dict[str, Settled]) -> dict[str, Sequence[str]]:
    """The cells of WHO_HEADER of the films labelled here."""
    return {
        film: [
            as_cell("|".join(one.readers)),
            as_cell(one.adjudicator),
            one.when.isoformat(timespec="seconds"),
            "" if one.agreed is None else f"{one.agreed} of {len(FINDINGS)}",
            "yes" if one.after_opinion else "no",
        ]
        for film, one in done.items()
    }


def _who_before(folder: NihFolder) -> dict[str, Sequence[str]]:
    """The cells of WHO_HEADER as the folder's table has them; none unless it is that of an export."""
    path = find_table(folder.root)
    header, rows = read_rows(path)
    if not {*WHO_HEADER} <= {*header}:
        return {}
    written = columns_of(path, header, rows, WHO_HEADER)
    return dict(zip(folder.table["stem"], zip(*written.values(), strict=True), strict=True))


def _write_log(labelling: Labelling, before: Path, out: Path) -> None:
    """Writes the answers, behind those of the labellings that the data folder came from, if there are any."""
    earlier = AnswerLog(before).read() if before.is_file() else []
    lines = [entry.model_dump_json(exclude_defaults=True) for entry in [*earlier, *labelling.log.read()]]
    out.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def _box_rows(folder: NihFolder, table: pd.DataFrame, done: dict[str, Settled]) -> list[list[object]]:
    """The boxes drawn here, and the folder's own of the films that were not labelled."""
    image = dict(zip(table["stem"], table["image"], strict=True))
    kept: list[list[object]] = [
        [image[box.stem], box.finding, box.x, box.y, box.w, box.h]
        for box in folder.boxes().itertuples()
        if box.stem in image and box.stem not in done
    ]
    drawn = [(stem, box) for stem, one in done.items() for box in one.boxes]
    return kept + [[image[stem], box.finding, box.x, box.y, box.w, box.h] for stem, box in drawn]


def _link_films(folder: NihFolder, table: pd.DataFrame, images: Path) -> None:
    images.mkdir()
    for stem in table["stem"]:
        if stem in folder.paths:
            link_film(folder.paths[stem], images / folder.paths[stem].name)


def _copy_lists(root: Path, out: Path) -> None:
    for name in OFFICIAL_LISTS:
        if (root / name).is_file():
            shutil.copy(root / name, out / name)
    if (root / "splits").is_dir():
        shutil.copytree(root / "splits", out / "splits")
