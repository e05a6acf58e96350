"""Splits as files of a data folder: `splits/<name>/`, written once and read from then on."""

import contextlib
import json
import os
import tempfile
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from xlite.config import SEED
from xlite.data.folder import NihFolder
from xlite.data.joined import JoinedFolder
from xlite.data.joined_splits import of_each
from xlite.data.splits import PARTS, Split, make_split, read_part, split_folder, split_of_lists
from xlite.errors import DataError, objection, sentence
from xlite.files import read_file
from xlite.split_names import LEAKY, SPLITS
from xlite.text import quoted_cell


class _Origin(BaseModel):
    """How a split was made, from split.json; the rest of that file is for people."""

    model_config = ConfigDict(frozen=True)
    way: str = Field(alias="strategy")
    seed: int


def write_split(folder: NihFolder, split: Split) -> Path:
    """Writes splits/<name>/{train,val,test}.csv and split.json, and returns that folder.

    Raises DataError if it cannot be written.
    """
    target = split_folder(folder, split.name)
    files = {f"{part}.csv": "\n".join(["image", *map(quoted_cell, split.parts[part]), ""]) for part in PARTS}
    files["split.json"] = json.dumps(_describe(folder, split), indent=2) + "\n"
    try:
        target.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=target.parent) as scratch:
            made = Path(scratch) / split.name
            made.mkdir()
            for name, text in files.items():
                (made / name).write_text(text, encoding="utf-8")
            if not target.is_dir():
                os.replace(made, target)
            else:
                for name in files:
                    os.replace(made / name, target / name)
    except OSError as error:
        raise DataError(sentence(error, target)) from error
    return target


def read_split(folder: NihFolder, name: str, allow_leakage: bool = False) -> Split:
    """The split in splits/<name>/, written by X-Lite or by hand; its id is computed from its present lists.

    Of several folders it is `join_splits` of theirs. Raises DataError if a list is missing or (unless
    `allow_leakage`) parts share a patient.
    """
    if isinstance(folder, JoinedFolder):
        return of_each(folder, name, lambda one, called: read_split(one, called, allow_leakage))
    place = split_folder(folder, name)
    parts = {part: read_part(folder, place / f"{part}.csv") for part in PARTS}
    origin = _read_origin(place / "split.json")
    return split_of_lists(folder, name, origin.way, origin.seed, parts, allow_leakage)


def _read_origin(path: Path) -> _Origin:
    """How the split was made; lists without a split.json are somebody's own."""
    if not path.exists():
        return _Origin(strategy="own", seed=0)
    try:
        return _Origin.model_validate_json(read_file(path))
    except ValidationError as error:
        problem = objection(error)
        raise DataError(f"{path} is damaged ({problem}); delete it or make the split anew") from error
    except OSError as error:
        raise DataError(sentence(error, path)) from error


def load_split(folder: NihFolder, name: str, seed: int = SEED, allow_leakage: bool = False) -> Split:
    """The folder's split of that name; if there is none and it is one of SPLITS, makes and writes it.

    `seed` counts only if the split has to be made. Of several folders it is `join_splits` of theirs; their
    names may differ, `official,patient`. Raises DataError for an unknown name or shared patients.
    """
    if isinstance(folder, JoinedFolder):
        return of_each(folder, name, lambda one, called: load_split(one, called, seed, allow_leakage))
    is_new = not split_folder(folder, name).is_dir()
    split = foresee_split(folder, name, seed, allow_leakage)
    if is_new:
        with contextlib.suppress(DataError):  # a folder that cannot be written to gives it again next time
            write_split(folder, split)
    return split


def foresee_split(folder: NihFolder, name: str, seed: int = SEED, allow_leakage: bool = False) -> Split:
    """What `load_split` would give, without writing anything."""
    if isinstance(folder, JoinedFolder):
        return of_each(folder, name, lambda one, called: foresee_split(one, called, seed, allow_leakage))
    if split_folder(folder, name).is_dir():
        return read_split(folder, name, allow_leakage)
    if name not in SPLITS:
        there = sorted(path.name for path in (folder.root / "splits").glob("[!.]*"))
        raise DataError(
            f"{folder.root} has no split {name!r}; expected one of "
            f"{', '.join(dict.fromkeys([*SPLITS, *there]))}"
        )
    return make_split(folder, name, seed, allow_leakage)


def _describe(folder: NihFolder, split: Split) -> dict[str, object]:
    """The content of split.json."""
    stems = {part: split.stems(part) for part in PARTS}
    shared = split.shared_patients(folder)
    return {
        "name": split.name,
        "id": split.id,
        "strategy": split.way,
        "seed": split.seed,
        "leaky": shared > 0 or split.way in LEAKY,
        "shared_patients": shared,
        "table": folder.fingerprint(),
        "images": {part: len(split.parts[part]) for part in PARTS},
        "patients": {part: len(np.unique(folder.patients(stems[part]))) for part in PARTS},
        "images_by_number_of_findings": {
            part: np.bincount(folder.finding_counts(stems[part])).tolist() for part in PARTS
        },
        "dropped": split.dropped,
    }
