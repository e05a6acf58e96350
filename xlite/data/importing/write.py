"""An X-Lite data folder of another data set: table, boxes, lists, links to its films, and the record."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

import xlite
from xlite.data.importing.boxes import frame_boxes
from xlite.data.importing.files import hashes, link_films, write_lists, write_tables
from xlite.data.importing.films import frontal_films, named_films
from xlite.data.importing.found import Found
from xlite.data.importing.kinds import OWN_TABLE, RECORD
from xlite.data.importing.labels import Labels, Policy, map_labels
from xlite.data.importing.mapping import Mapping, as_csv, checked, for_labels
from xlite.data.importing.options import NAME
from xlite.data.importing.record import Record, finding_counts, label_counts, read_record
from xlite.errors import DataError, sentence
from xlite.files import PLAIN_NAME, Progress, new_folder
from xlite.findings import FINDINGS
from xlite.text import counted


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
            f"{name!r} cannot be a data set's name; use letters, digits, '.', '_' and '-', with ", NAME
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
                "give this one another name with ",
                NAME,
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
    rules, unused = _rules(found, mapping)
    films, left_out = frontal_films(found, progress)
    films = named_films(films, name, found)
    states = found.states.iloc[films["row"]].reset_index(drop=True)
    films = films.reset_index(drop=True)
    labels = map_labels(states, rules, choices.policy)
    boxes = frame_boxes(found.boxes, films, labels, rules)
    shown = films["shown"].value_counts()
    try:
        with new_folder(out) as scratch:
            link_films(films, found, scratch / "images", progress)
            record = Record(
                kind=kind,
                name=name,
                source=str(source.absolute()),
                date=datetime.now().astimezone().isoformat(timespec="seconds"),
                version=xlite.__version__,
                films=len(films),
                patients=films["patient"].nunique(),
                views={str(view): int(count) for view, count in shown.items()},
                labels=label_counts(states, rules),
                findings=finding_counts(labels),
                not_labelled=[finding for finding in FINDINGS if finding not in labels.labelled],
                uncertain={"default": choices.policy.default, **choices.policy.uncertain},
                blank=choices.policy.blank or "as the mapping says",
                left_out=dict(found.left_out + left_out),
                conflicts=dict(found.conflicts + labels.conflicts),
                boxes=len(boxes.kept),
                boxes_left_out=dict(boxes.left_out),
                lists=write_lists(scratch, films),
                nih_names=int((films["nih"] != "").sum()),
                notes=[*found.notes, *_notes(found, films, labels, unused)],
                tables=hashes(found.tables, source),
            )
            write_tables(scratch, name, found, films, labels, boxes)
            (scratch / "mapping.csv").write_text(as_csv(rules), encoding="utf-8")
            (scratch / RECORD).write_text(record.as_json(), encoding="utf-8")
    except OSError as error:
        raise DataError(sentence(error, out)) from error
    return record


def _rules(found: Found, mapping: Mapping) -> tuple[Mapping, list[str]]:
    """A rule for each label of the data set, and the labels that the mapping has and it does not.

    Raises DataError if none of its labels is a finding.
    """
    labels = list(found.states.columns)
    rules = for_labels(checked(mapping), labels)
    unused = [rule.label for rule in mapping if rule.finding and rule.label not in labels]
    if not any(finding in FINDINGS for rule in rules for finding in rule.findings):
        raise DataError(
            f"the mapping makes none of the labels of {found.root} a finding; they are "
            f"{', '.join(labels)[:200]}"
        )
    return rules, unused


def _notes(found: Found, films: pd.DataFrame, labels: Labels, unused: list[str]) -> list[str]:
    notes = []
    if unused:
        notes.append(f"Labels of the mapping that the data set does not have: {', '.join(unused)}.")
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
