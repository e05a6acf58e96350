"""The files of an imported folder: links to films, the table, lists, boxes, and where all of it came from."""

import csv
import hashlib
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from xlite.data.importing.boxes import FramedBoxes
from xlite.data.importing.found import Found
from xlite.data.importing.labels import Labels
from xlite.data.splits import OFFICIAL_LISTS, PARTS
from xlite.errors import DataError
from xlite.files import Progress, digest_of

TABLE, BOXES, PUBLISHED = "Data_Entry_2017_{name}.csv", "BBox_List_2017.csv", "published"
TABLE_HEADER = [
    *("Image Index", "Finding Labels", "Follow-up #", "Patient ID", "Patient Age", "Patient Gender"),
    *("View Position", "Unknown Labels"),
]
BOX_HEADER = ["Image Index", "Finding Label", "Bbox [x", "y", "w", "h]"]
_MOST_TABLES = 20


def link_films(films: pd.DataFrame, found: Found, folder: Path, progress: Progress | None) -> None:
    """Links to the films in a new folder; else pictures. DataError if it cannot link."""
    folder.mkdir()
    rows = zip(films["path"], films["image"], films["row"], strict=True)
    for number, (path, image, row) in enumerate(rows, 1):
        if found.picture is not None:
            (folder / image).write_bytes(found.picture(int(row)))
        else:
            link_film(path, folder / image)
        if progress:
            progress(number, len(films))


def link_film(path: Path, link: Path) -> None:
    """A symbolic link, else a hard one; DataError if this disk or system takes neither."""
    real = path.resolve()
    try:
        os.symlink(real, link)
    except OSError:
        try:
            os.link(real, link)
        except OSError as error:
            raise DataError(
                f"{path} cannot be linked to ({error.strerror}), and films are not copied: choose an OUT "
                "on the disk of the films, or on one that takes links"
            ) from error


def _table_rows(films: pd.DataFrame, labels: Labels) -> Iterable[Sequence[object]]:
    return zip(
        films["image"],
        labels.positives(),
        films["follow_up"],
        films["patient"],
        films["age"],
        films["sex"],
        films["view"],
        labels.unknown(),
        strict=True,
    )


def write_lists(root: Path, films: pd.DataFrame) -> list[str]:
    """The lists of the data set's own parts, as `xlite data split` reads them; their names."""
    parts = {part: films.loc[films["part"] == part, "image"].tolist() for part in PARTS}
    if not parts["train"] or not (parts["val"] or parts["test"]):
        return []
    if all(parts.values()):
        folder = root / "splits" / PUBLISHED
        folder.mkdir(parents=True)
        for part, names in parts.items():
            write_rows(folder / f"{part}.csv", ["image"], ([name] for name in names))
    learned, test = (
        (parts["train"] + parts["val"], parts["test"]) if parts["test"] else (parts["train"], parts["val"])
    )
    for file, names in zip(OFFICIAL_LISTS, (learned, test), strict=True):
        (root / file).write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    return ["official", PUBLISHED] if all(parts.values()) else ["official"]


def write_tables(
    root: Path, name: str, found: Found, films: pd.DataFrame, labels: Labels, boxes: FramedBoxes
) -> None:
    """The table of films, boxes, the names that films had, and what readers agreed on."""
    write_rows(root / TABLE.format(name=name), TABLE_HEADER, _table_rows(films, labels))
    if len(boxes.kept):
        write_rows(
            root / BOXES, BOX_HEADER, boxes.kept[["image", "finding", *"xywh"]].itertuples(index=False)
        )
    if (boxes.all["reader"] != "").any():
        columns = ["image", "label", "reader", *"xywh"]
        write_rows(root / "boxes_of_readers.csv", columns, boxes.all[columns].itertuples(index=False))
    names = films[["image", "file", "name", "source_patient", "nih"]]
    header = ["image", "source_file", "source_name", "source_patient", "nih_name"]
    write_rows(root / "films.csv", header, names.itertuples(index=False))
    if found.agreement is not None:
        image = films.set_index("name")["image"]
        there = found.agreement[found.agreement["name"].isin(image.index)]
        rows = there.assign(image=there["name"].map(image))[["image", "label", "with_it", "readers"]]
        write_rows(root / "agreement.csv", rows.columns, rows.itertuples(index=False))


def rows_as_csv(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A table as the text of a CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def write_rows(path: Path, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Writes a table as a CSV."""
    path.write_text(rows_as_csv(header, rows), encoding="utf-8", newline="\n")


def hashes(tables: Sequence[Path], source: Path) -> list[dict[str, str]]:
    """The tables that were read, with SHA-256; of very many, as Open-I's reports, one of all together."""
    each = [{"file": _below(path, source), "sha256": digest_of(path)} for path in tables]
    if len(each) <= _MOST_TABLES:
        return each
    text = "".join(f"{one['sha256']}  {one['file']}\n" for one in each)
    return [{"file": f"{len(each):,} files", "sha256": hashlib.sha256(text.encode()).hexdigest()}]


def _below(path: Path, source: Path) -> str:
    return (
        path.relative_to(source).as_posix() if path.is_relative_to(source) and path != source else path.name
    )
