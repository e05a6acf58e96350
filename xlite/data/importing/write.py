"""An X-Lite data folder of another data set: table, boxes, lists, links to its films, and the record."""

import csv
import hashlib
import io
import itertools
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

import xlite
from xlite.data.film_names import stem_of
from xlite.data.importing.boxes import frame_boxes
from xlite.data.importing.found import Found, Places
from xlite.data.importing.kinds import OWN_TABLE, RECORD
from xlite.data.importing.labels import Labels, Policy, map_labels
from xlite.data.importing.mapping import Mapping, as_csv, checked, for_labels
from xlite.data.importing.record import Record, finding_counts, label_counts, read_record
from xlite.data.importing.views import by_gate, by_header, without_laterals
from xlite.data.splits import OFFICIAL_LISTS, PARTS
from xlite.errors import DataError, sentence
from xlite.files import PLAIN_NAME, Progress, digest_of
from xlite.findings import FINDINGS
from xlite.patients import patient_ids
from xlite.text import counted

TABLE, BOXES, PUBLISHED = "Data_Entry_2017_{name}.csv", "BBox_List_2017.csv", "published"
TABLE_HEADER = [
    *("Image Index", "Finding Labels", "Follow-up #", "Patient ID", "Patient Age", "Patient Gender"),
    *("View Position", "Unknown Labels"),
]
_MOST_TABLES = 20
_SUFFIXES = {".dicom": ".dcm", ".dic": ".dcm"}


@dataclass(frozen=True)
class Choices:
    """What a person chose: the name of the data set, with which films and patients begin, and the policy."""

    name: str = ""
    policy: Policy = field(default_factory=Policy)


def name_of(kind: str, out: Path, chosen: str = "") -> str:
    """The name that films and patients begin with; DataError if it cannot be a part of theirs."""
    name = chosen or (out.absolute().name if kind in OWN_TABLE else kind)
    if not PLAIN_NAME.fullmatch(name):
        raise DataError(
            f"{name!r} cannot be a data set's name; use letters, digits, '.', '_' and '-', with --name"
        )
    return name


def check_out(kind: str, source: Path, out: Path, name: str) -> None:
    """Raises DataError if the folder is taken, or if another data set beside it has the same name."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"{out} is there already and not an empty folder; choose a new folder")
    beside = out.absolute().parent
    for folder in sorted(path for path in beside.glob("*") if path.is_dir() and (path / RECORD).exists()):
        kept = read_record(folder) or {}
        if kept.get("name") == name and (kept.get("kind"), kept.get("source")) != (
            kind,
            str(source.absolute()),
        ):
            raise DataError(
                f"{folder} is another data set called {name!r}, whose patients would be taken for these; "
                "give this one another name with --name"
            )


def write_import(
    kind: str,
    source: Path,
    found: Found,
    mapping: Mapping,
    out: Path,
    choices: Choices | None = None,
    progress: Progress | None = None,
) -> Record:
    """Writes the folder, and says what was made of what. Either all of it is there in the end, or nothing.

    progress is called with films done and films in all. Raises DataError as `check_out`, for a mapping to an
    unknown finding, if no film of the tables is there, if none is left, or if the folder cannot be written.
    """
    choices = choices or Choices()
    name = name_of(kind, out, choices.name)
    check_out(kind, source, out, name)
    rules = for_labels(checked(mapping), list(found.states.columns))
    films, left_out = _frontal(found, progress)
    films = _named(films, name, found)
    states = found.states.iloc[films["row"]].reset_index(drop=True)
    films = films.reset_index(drop=True)
    labels = map_labels(states, rules, choices.policy)
    boxes = frame_boxes(found.boxes, films, labels, rules)
    try:
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".import-", dir=out.absolute().parent))
        try:
            _place_films(films, found, scratch / "images", progress)
            lists = _write_lists(scratch, films)
            _write_rows(scratch / TABLE.format(name=name), TABLE_HEADER, _table_rows(films, labels))
            _write_tables(scratch, found, films, boxes.kept, boxes.all)
            (scratch / "mapping.csv").write_text(as_csv(rules), encoding="utf-8")
            record = Record(
                kind=kind,
                name=name,
                source=str(source.absolute()),
                date=datetime.now().astimezone().isoformat(timespec="seconds"),
                version=xlite.__version__,
                films=len(films),
                patients=films["patient"].nunique(),
                views={
                    view or "view unknown": int(count)
                    for view, count in films["shown"].value_counts().items()
                },
                labels=label_counts(states, rules),
                findings=finding_counts(labels),
                not_labelled=[finding for finding in FINDINGS if finding not in labels.labelled],
                uncertain={"default": choices.policy.default, **choices.policy.uncertain},
                blank=choices.policy.blank or "as the mapping says",
                left_out=dict(found.left_out + left_out),
                conflicts=dict(found.conflicts + labels.conflicts),
                boxes=len(boxes.kept),
                boxes_left_out=dict(+boxes.left_out),
                lists=lists,
                nih_names=int((films["nih"] != "").sum()),
                notes=[*found.notes, *_notes(found, films, labels)],
                tables=_hashes(found.tables, source),
            )
            (scratch / RECORD).write_text(record.as_json(), encoding="utf-8")
            scratch.chmod(0o755)
            if out.exists():
                out.rmdir()
            os.replace(scratch, out)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        raise DataError(sentence(error, out)) from error
    return record


def _frontal(found: Found, progress: Progress | None) -> tuple[pd.DataFrame, Counter[str]]:
    """The frontal films that are there: `row` in the states, `path` of the file. The others are counted."""
    films = found.films.reset_index(drop=True).assign(row=np.arange(len(found.films)))
    films, left_out = without_laterals(films)
    if found.picture is not None:
        return films.assign(path=None), left_out
    places = Places(found.root)
    films = films.assign(path=[places.find(file) for file in films["file"]])
    there = films["path"].notna()
    if len(films) and not there.any():
        raise DataError(
            f"none of the {counted(len(films), 'film')} that {found.tables[0]} names lies in {found.root}: "
            f"the first is {films['file'].iloc[0]!r}"
        )
    if absent := int((~there).sum()):
        left_out["films without a file"] = absent
    films = films[there]
    films, more = without_laterals(by_header(films, _steps(films, progress)))
    left_out += more
    films, more = by_gate(films, _steps(films, progress))
    left_out += more
    if not len(films):
        reasons = ", ".join(f"{count:,} {why}" for why, count in left_out.items())
        raise DataError(f"0 films are left of {found.root} ({reasons})")
    return films, left_out


def _steps(films: pd.DataFrame, progress: Progress | None) -> Callable[[], None]:
    """What to call after each film of unknown view."""
    unknown, done = int((films["view"] == "").sum()), itertools.count(1)

    def step() -> None:
        if progress:
            progress(next(done), unknown)

    return step


def _named(films: pd.DataFrame, name: str, found: Found) -> pd.DataFrame:
    """The films with `image`, the name in the folder, and the patient of this data set alone.

    A film with a name in ChestX-ray14 keeps that, and its patient's: so all that knows it finds it.
    """
    stems = [re.sub(r"[^\w.+-]", "_", f"{name}-{one}") for one in films["name"]]
    stems = [nih or stem for nih, stem in zip(films["nih"], stems, strict=True)]
    try:
        ids = patient_ids(films["patient"].tolist()) if found.has_patients else films["patient"].tolist()
    except DataError as error:
        raise DataError(f"{found.tables[0]}: {error}") from error
    nihs = films["nih"].tolist()
    patients = [str(int(nih[:8])) if nih else f"{name}-{one}" for nih, one in zip(nihs, ids, strict=True)]
    twice = pd.Series(stems)[pd.Series(stems).duplicated()]
    if len(twice):
        raise DataError(
            f"{found.tables[0]} names {twice.iloc[0]!r} for several films; each film has to have a name of "
            "its own"
        )
    suffixes = [_suffix(path) for path in films["path"]]
    images = [stem + suffix for stem, suffix in zip(stems, suffixes, strict=True)]
    view = films["view"].where(films["view"].isin(["PA", "AP"]), "")
    shown = films["view"].replace({"": "frontal by the gate", "frontal": "frontal"})
    follow_up = pd.Series(patients, index=films.index).groupby(patients).cumcount()
    return films.assign(
        image=images,
        source_patient=films["patient"],
        patient=patients,
        view=view,
        shown=shown,
        follow_up=follow_up,
    )


def _suffix(path: Path | None) -> str:
    """The suffix of the link: that of the file, in a form that is known without opening it."""
    if path is None:
        return ".png"
    suffix = path.suffix.lower() if stem_of(path.name) != path.name else ""
    return _SUFFIXES.get(suffix, suffix)


def _place_films(films: pd.DataFrame, found: Found, folder: Path, progress: Progress | None) -> None:
    folder.mkdir()
    rows = zip(films["path"], films["image"], films["row"], strict=True)
    for number, (path, image, row) in enumerate(rows, 1):
        if found.picture is not None:
            (folder / image).write_bytes(found.picture(int(row)))
        else:
            _link(path, folder / image)
        if progress:
            progress(number, len(films))


def _link(path: Path, link: Path) -> None:
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


def _write_lists(root: Path, films: pd.DataFrame) -> list[str]:
    """The lists of the data set's own parts, as `xlite data split` reads them; their names."""
    parts = {part: films.loc[films["part"] == part, "image"].tolist() for part in PARTS}
    if not parts["train"] or not (parts["val"] or parts["test"]):
        return []
    if all(parts.values()):
        folder = root / "splits" / PUBLISHED
        folder.mkdir(parents=True)
        for part, names in parts.items():
            _write_rows(folder / f"{part}.csv", ["image"], ([name] for name in names))
    learned, test = (
        (parts["train"] + parts["val"], parts["test"]) if parts["test"] else (parts["train"], parts["val"])
    )
    for file, names in zip(OFFICIAL_LISTS, (learned, test), strict=True):
        (root / file).write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    return ["official", PUBLISHED] if all(parts.values()) else ["official"]


def _write_tables(
    root: Path, found: Found, films: pd.DataFrame, kept: pd.DataFrame, boxes: pd.DataFrame
) -> None:
    """Boxes, the names that films had, and what readers agreed on."""
    if len(kept):
        header = ["Image Index", "Finding Label", "Bbox [x", "y", "w", "h]"]
        _write_rows(root / BOXES, header, kept[["image", "finding", *"xywh"]].itertuples(index=False))
    if len(boxes) and (boxes["reader"] != "").any():
        columns = ["image", "label", "reader", *"xywh"]
        _write_rows(root / "boxes_of_readers.csv", columns, boxes[columns].itertuples(index=False))
    names = films[["image", "file", "name", "source_patient", "nih"]]
    header = ["image", "source_file", "source_name", "source_patient", "nih_name"]
    _write_rows(root / "films.csv", header, names.itertuples(index=False))
    if found.agreement is not None:
        image = films.set_index("name")["image"]
        there = found.agreement[found.agreement["name"].isin(image.index)]
        rows = there.assign(image=there["name"].map(image))[["image", "label", "with_it", "readers"]]
        _write_rows(root / "agreement.csv", rows.columns, rows.itertuples(index=False))


def _write_rows(path: Path, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8", newline="\n")


def _hashes(tables: Sequence[Path], source: Path) -> list[dict[str, str]]:
    """The tables that were read, with SHA-256; of very many, as Open-I's reports, one of all together."""
    hashes = [{"file": _below(path, source), "sha256": digest_of(path)} for path in tables]
    if len(hashes) <= _MOST_TABLES:
        return hashes
    text = "".join(f"{one['sha256']}  {one['file']}\n" for one in hashes)
    return [{"file": f"{len(hashes):,} files", "sha256": hashlib.sha256(text.encode()).hexdigest()}]


def _below(path: Path, source: Path) -> str:
    return (
        path.relative_to(source).as_posix() if path.is_relative_to(source) and path != source else path.name
    )


def _notes(found: Found, films: pd.DataFrame, labels: Labels) -> list[str]:
    notes = []
    if not found.has_patients and (films["nih"] == "").any():
        notes.append(
            "No patients are named: each film counts as one, so films of one person may be in several "
            "parts of a split."
        )
    if silent := int(np.isnan(labels.values).all(1).sum()):
        notes.append(
            f"{counted(silent, 'film')} without any known label: only a teacher can say something of them."
        )
    parts = set(films["part"])
    if {"train", "val"} <= parts and "test" not in parts:
        notes.append("The data set has no test part here: its validation part is the test list.")
    return notes
