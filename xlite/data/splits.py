"""Splits of a data folder into train, val and test, each with an id that all metrics made from it carry."""

import contextlib
import hashlib
import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from xlite.config import SEED
from xlite.data.film_names import stem_of
from xlite.data.folder import NihFolder
from xlite.data.joined import JoinedFolder
from xlite.data.leakage import leakage_report
from xlite.data.random_split import SHARES, deal, split_by_film, split_by_patient, split_with_test_of
from xlite.data.strategies import RANDOM_STRATEGIES, STRATEGIES
from xlite.data.tables import read_list
from xlite.errors import DataError, Setting, sentence
from xlite.files import PLAIN_NAME, read_file
from xlite.text import counted, quoted_cell

PARTS = ("train", "val", "test")
OFFICIAL_LISTS = ("train_val_list.txt", "test_list.txt")
_OFFICIAL_SHARES = (7 / 8, 1 / 8)
CHEXNET_LISTS = tuple(f"chexnet_{part}_list.txt" for part in PARTS)
_SOURCES = {
    **dict.fromkeys(OFFICIAL_LISTS, "; `xlite data download OUT --labels-only` gets it"),
    **{
        name: f": take ChestX-ray14/labels/{part}_list.txt of arnoweng/CheXNet on GitHub, under that name"
        for part, name in zip(PARTS, CHEXNET_LISTS, strict=True)
    },
}
"""Where to get a list that a folder lacks."""
_DEALT = {"patient": split_by_patient, "image": split_by_film}
_AND = "+"
"""Between the ids of the splits of several folders."""
OF_FILMS = "films"
"""How a split of chosen films was made, as split.json says."""


class _Origin(BaseModel):
    """How a split was made, from split.json; the rest of that file is for people."""

    model_config = ConfigDict(frozen=True)
    strategy: str
    seed: int


@dataclass(frozen=True)
class Split:
    """Three lists of films (`parts`: names as in the table) and the id that all metrics made from them carry.

    dropped: for each part, how many films its list names that the folder's table lacks. joined: if it is of
    several folders, the split of each, None of one without.
    """

    name: str
    id: str
    strategy: str
    seed: int
    parts: dict[str, list[str]]
    dropped: dict[str, int] = field(default_factory=dict)
    joined: tuple["Split | None", ...] = ()

    def stems(self, part: str) -> list[str]:
        """The stems of a part, in its order."""
        if part not in self.parts:
            raise DataError(f"{part!r} is no part of a split; expected one of {', '.join(PARTS)}")
        return [stem_of(name) for name in self.parts[part]]

    def shared_patients(self, folder: NihFolder) -> int:
        """How many patients have films in more than one part."""
        return _shared_patients(folder, {part: self.stems(part) for part in PARTS})


def make_split(
    folder: NihFolder, strategy: str = "patient", seed: int = SEED, allow_leakage: bool = False
) -> Split:
    """Splits the folder's table by one of STRATEGIES; the same table gives the same split on any machine.

    patient: 70/15/15, stratified by number of findings, no patient in two parts. official: NIH's own test
    list, val dealt out of train_val_list by patient. chexnet: the three lists of the public CheXNet
    weights. unseen: as patient, but the test patients are of the last of these lists, unknown to the weights.
    image: the design document's split of single films, which shares patients: refused unless
    `allow_leakage`. Raises DataError.
    """
    if strategy == "image" and not allow_leakage:
        raise DataError(
            "the split 'image' puts films of one patient into several parts, so its metrics flatter; "
            "use 'patient', or pass ",
            Setting("allow_leakage"),
            " to have it all the same",
        )
    if strategy in RANDOM_STRATEGIES:
        parts = random_parts(folder, strategy, seed)
    elif strategy == "official":
        train_val, test = (_read_part(folder, folder.root / name) for name in OFFICIAL_LISTS)
        listed = sorted(stem for stem in train_val if stem in folder)
        train, val = deal(folder, listed, _OFFICIAL_SHARES, seed)
        # Films that the table lacks stay in the list: _finish counts and drops them.
        parts = {
            "train": train + [stem for stem in train_val if stem not in folder],
            "val": val,
            "test": test,
        }
    elif strategy == "chexnet":
        parts = {
            part: _read_part(folder, folder.root / name)
            for part, name in zip(PARTS, CHEXNET_LISTS, strict=True)
        }
    elif strategy == "unseen":
        listed = _read_part(folder, folder.root / CHEXNET_LISTS[-1])
        parts = dict(zip(PARTS, split_with_test_of(folder, listed, seed), strict=True))
    else:
        raise DataError(f"{strategy!r} is no way to split; expected one of {', '.join(STRATEGIES)}")
    return _finish(folder, strategy, strategy, seed, parts, allow_leakage)


def split_of_films(folder: NihFolder, name: str, stems: Sequence[str], seed: int = SEED) -> Split:
    """A split of some of the folder's films alone: 70/15/15 by patient, stratified by number of findings.

    The other films are in no part, also not those of the same patients. Raises DataError if the name cannot
    be a split's or is taken, and if the films leave a part empty.
    """
    target = _split_folder(folder, name)
    if name in STRATEGIES or target.exists():
        raise DataError(f"the name {name!r} is taken by another split; give it one of its own")
    parts = dict(zip(PARTS, deal(folder, sorted(stems), SHARES, seed), strict=True))
    if empty := next((part for part in PARTS if not parts[part]), None):
        raise DataError(
            f"the part {empty!r} would be empty, since patients stay whole; choose films of more patients"
        )
    return _finish(folder, name, OF_FILMS, seed, parts, allow_leakage=False)


def random_parts(folder: NihFolder, strategy: str, seed: int) -> dict[str, list[str]]:
    """The stems of each part of one of RANDOM_STRATEGIES; raises DataError if the table has too few films."""
    return dict(zip(PARTS, _DEALT[strategy](folder, seed), strict=True))


def write_split(folder: NihFolder, split: Split) -> Path:
    """Writes splits/<name>/{train,val,test}.csv and split.json, and returns that folder.

    Raises DataError if it cannot be written.
    """
    target = _split_folder(folder, split.name)
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
        return _of_each(folder, name, lambda one, called: read_split(one, called, allow_leakage))
    place = _split_folder(folder, name)
    parts = {part: _read_part(folder, place / f"{part}.csv") for part in PARTS}
    origin = _read_origin(place / "split.json")
    return _finish(folder, name, origin.strategy, origin.seed, parts, allow_leakage)


def _read_origin(path: Path) -> _Origin:
    """How the split was made; lists without a split.json are somebody's own."""
    if not path.exists():
        return _Origin(strategy="own", seed=0)
    try:
        return _Origin.model_validate_json(read_file(path))
    except ValidationError as error:
        problem = error.errors()[0]["msg"]
        raise DataError(f"{path} is damaged ({problem}); delete it or make the split anew") from error
    except OSError as error:
        raise DataError(sentence(error, path)) from error


def load_split(folder: NihFolder, name: str, seed: int = SEED, allow_leakage: bool = False) -> Split:
    """The folder's split of that name; if there is none and it is one of STRATEGIES, makes and writes it.

    `seed` counts only if the split has to be made. Of several folders it is `join_splits` of theirs; their
    names may differ, `official,patient`. Raises DataError for an unknown name or shared patients.
    """
    if isinstance(folder, JoinedFolder):
        return _of_each(folder, name, lambda one, called: load_split(one, called, seed, allow_leakage))
    is_new = not _split_folder(folder, name).is_dir()
    split = foresee_split(folder, name, seed, allow_leakage)
    if is_new:
        with contextlib.suppress(DataError):  # a folder that cannot be written to gives it again next time
            write_split(folder, split)
    return split


def foresee_split(folder: NihFolder, name: str, seed: int = SEED, allow_leakage: bool = False) -> Split:
    """What `load_split` would give, without writing anything."""
    if isinstance(folder, JoinedFolder):
        return _of_each(folder, name, lambda one, called: foresee_split(one, called, seed, allow_leakage))
    if _split_folder(folder, name).is_dir():
        return read_split(folder, name, allow_leakage)
    if name not in STRATEGIES:
        there = sorted(path.name for path in (folder.root / "splits").glob("[!.]*"))
        raise DataError(
            f"{folder.root} has no split {name!r}; expected one of "
            f"{', '.join(dict.fromkeys([*STRATEGIES, *there]))}"
        )
    return make_split(folder, name, seed, allow_leakage)


def shrink_train(folder: NihFolder, split: Split, share: float) -> Split:
    """The split with that share (0-1) of its train part, by whole patients and stratified as a split is.

    A function of the split's id and the share alone, so all runs of a study train on the same films. Val,
    test and the id stay: metrics on them can be ranked beside those of the whole split. Of several folders
    each gives that share.
    """
    if share == 1:
        return split
    if isinstance(folder, JoinedFolder):
        return join_splits(
            folder,
            [one and shrink_train(mine, one, share) for mine, one in _each(folder, split)],
        )
    seed = int(hashlib.sha256(split.id.encode()).hexdigest()[:8], 16)
    kept, _ = deal(folder, sorted(split.stems("train")), (share, 1 - share), seed)
    return replace(split, parts={**split.parts, "train": folder.names(kept)})


def as_trained(folder: NihFolder, split: Split, share: float, fold: str) -> tuple[Split, list[str]]:
    """The split with what a run trains on of its train part, and the stems of the fold that it leaves out.

    share and fold are as for `shrink_train` and `leave_out`; without a fold nothing is left out.
    """
    shrunk = shrink_train(folder, split, share)
    return leave_out(folder, shrunk, fold) if fold else (shrunk, [])


def leave_out(folder: NihFolder, split: Split, fold: str) -> tuple[Split, list[str]]:
    """The split without one fold of its train part, and the stems of that fold; `fold` is as `2/5`.

    Folds are whole patients, stratified as a split is, and follow from the split's id and their number alone.
    Of several folders that fold of each is left out.
    """
    if isinstance(folder, JoinedFolder):
        return _leave_out_of_each(folder, split, fold)
    number, folds = map(int, fold.split("/"))
    seed = int(hashlib.sha256(f"{split.id} {folds} folds".encode()).hexdigest()[:8], 16)
    dealt = deal(folder, sorted(split.stems("train")), [1 / folds] * folds, seed)
    left_out = dealt.pop(number - 1)
    kept = folder.names(sorted(stem for part in dealt for stem in part))
    return replace(split, parts={**split.parts, "train": kept}), left_out


def ids_in(split_id: str) -> Counter[str]:
    """The ids of the folders' own splits that an id of several names, each as often as it is there."""
    return Counter(split_id.split(_AND))


def join_splits(folder: JoinedFolder, splits: Sequence[Split | None]) -> Split:
    """The splits of several folders as one: each part has the films of theirs, folder by folder.

    Its id names theirs, whatever the order of the folders, so each is known in its own folder, too. At least
    one folder has a split.
    """
    there = [split for split in splits if split is not None]
    named = list(zip(splits, folder.stems, strict=True))
    stems = {
        part: [names[stem] for split, names in named if split is not None for stem in split.stems(part)]
        for part in PARTS
    }
    names, ways = (
        ",".join(dict.fromkeys(got)) for got in ([one.name for one in there], [one.strategy for one in there])
    )
    return Split(
        names,
        _AND.join(sorted(split.id for split in there)),
        ways,
        there[0].seed,
        {part: folder.names(stems[part]) for part in PARTS},
        {part: sum(split.dropped.get(part, 0) for split in there) for part in PARTS},
        tuple(splits),
    )


def _of_each(folder: JoinedFolder, name: str, of: Callable[[NihFolder, str], Split]) -> Split:
    """The splits of several folders joined; `name` is that of all, or one of each, with commas."""
    called = [one.strip() for one in name.split(",")]
    called *= len(folder.folders) if len(called) == 1 else 1
    if len(called) != len(folder.folders):
        raise DataError(
            f"{name!r} names {counted(len(called), 'split')} for "
            f"{counted(len(folder.folders), 'data folder')}; give one name for all, or one for each, with "
            "commas"
        )
    return join_splits(folder, [of(*one) for one in zip(folder.folders, called, strict=True)])


def _each(folder: JoinedFolder, split: Split) -> list[tuple[NihFolder, Split | None]]:
    """Each folder with its own split of those that were joined."""
    return list(zip(folder.folders, split.joined, strict=True))


def _leave_out_of_each(folder: JoinedFolder, split: Split, fold: str) -> tuple[Split, list[str]]:
    kept: list[Split | None] = []
    left_out: list[str] = []
    for (mine, one), names in zip(_each(folder, split), folder.stems, strict=True):
        found, films = (None, []) if one is None else leave_out(mine, one, fold)
        kept.append(found)
        left_out += [names[stem] for stem in films]
    return join_splits(folder, kept), left_out


def _finish(
    folder: NihFolder, name: str, strategy: str, seed: int, parts: dict[str, list[str]], allow_leakage: bool
) -> Split:
    """A Split from lists of stems: drops what the table lacks, refuses shared patients, gives it its id."""
    kept = {part: [stem for stem in dict.fromkeys(parts[part]) if stem in folder] for part in PARTS}
    dropped = {part: len(set(parts[part])) - len(kept[part]) for part in PARTS}
    if not any(kept.values()):
        raise DataError(
            f"the split {name!r} names no film of {folder.root}'s table; check that they belong together"
        )
    shared = _shared_patients(folder, kept)
    if shared and not allow_leakage:
        report = leakage_report(kept["train"], kept["test"], folder.table)
        raise DataError(
            f"the split {name!r} has {counted(shared, 'patient')} in more than one part "
            f"({report.affected_share:.1%} of its test films show a patient of train); use 'patient', or "
            "pass ",
            Setting("allow_leakage"),
            " to have it all the same",
        )
    text = "\n".join(f"{part} {stem}" for part in PARTS for stem in sorted(kept[part]))
    split_id = f"{name}-{seed}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    if shared or strategy == "image":
        split_id += "-leaky"
    return Split(name, split_id, strategy, seed, {part: folder.names(kept[part]) for part in PARTS}, dropped)


def _shared_patients(folder: NihFolder, parts: dict[str, list[str]]) -> int:
    everyone = np.concatenate([np.unique(folder.patients(parts[part])) for part in PARTS])
    _, times = np.unique(everyone, return_counts=True)
    return int((times > 1).sum())


def _describe(folder: NihFolder, split: Split) -> dict[str, object]:
    """The content of split.json."""
    stems = {part: split.stems(part) for part in PARTS}
    shared = split.shared_patients(folder)
    return {
        "name": split.name,
        "id": split.id,
        "strategy": split.strategy,
        "seed": split.seed,
        "leaky": shared > 0 or split.strategy == "image",
        "shared_patients": shared,
        "table": folder.fingerprint(),
        "images": {part: len(split.parts[part]) for part in PARTS},
        "patients": {part: len(np.unique(folder.patients(stems[part]))) for part in PARTS},
        "images_by_number_of_findings": {
            part: np.bincount(folder.finding_counts(stems[part])).tolist() for part in PARTS
        },
        "dropped": split.dropped,
    }


def _read_part(folder: NihFolder, path: Path) -> list[str]:
    if not path.exists():
        raise DataError(
            f"{folder.root} lacks {path.relative_to(folder.root).as_posix()}, which this split needs"
            f"{_SOURCES.get(path.name, '')}"
        )
    return read_list(path)


def _split_folder(folder: NihFolder, name: str) -> Path:
    if not PLAIN_NAME.fullmatch(name):
        raise DataError(f"{name!r} cannot be a split's name; use letters, digits, '.', '_' and '-'")
    return folder.root / "splits" / name
