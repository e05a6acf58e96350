"""Splits of a data folder into train, val and test, each with an id that all metrics made from it carry."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from xlite.config import SEED
from xlite.data.film_names import stem_of
from xlite.data.folder import NihFolder
from xlite.data.leakage import leakage_report
from xlite.data.random_split import SHARES, deal, split_by_film, split_by_patient, split_with_test_of
from xlite.data.tables import read_list
from xlite.errors import DataError, Setting
from xlite.files import PLAIN_NAME
from xlite.split_names import DEFAULT_SPLIT, LEAKY, RANDOM_SPLITS, SPLITS
from xlite.text import counted

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
OF_FILMS = "films"
"""How a split of chosen films was made, as split.json says."""


@dataclass(frozen=True)
class Split:
    """Three lists of films (`parts`: names as in the table) and the id that all metrics made from them carry.

    way: one of SPLITS, `own` of lists by hand, OF_FILMS or ALL_FILMS. dropped: for each part, how many films
    its list names that the folder's table lacks. joined: if it is of several folders, the split of each, None
    of one without.
    """

    name: str
    id: str
    way: str
    seed: int
    parts: dict[str, list[str]]
    dropped: dict[str, int] = field(default_factory=dict)
    joined: tuple["Split | None", ...] = ()

    def stems(self, part: str) -> list[str]:
        """The stems of a part, in its order."""
        if part not in self.parts:
            raise DataError(f"{part!r} is not a part of a split; expected one of {', '.join(PARTS)}")
        return [stem_of(name) for name in self.parts[part]]

    def sizes(self, folder: NihFolder) -> dict[str, tuple[int, int]]:
        """Of each part, how many films it has and how many patients they are of."""
        owners = {part: folder.patients(self.stems(part)) for part in PARTS}
        return {part: (len(films), len(np.unique(films))) for part, films in owners.items()}

    def shared_patients(self, folder: NihFolder) -> int:
        """How many patients have films in more than one part."""
        return _shared_patients(folder, {part: self.stems(part) for part in PARTS})


def make_split(
    folder: NihFolder, way: str = DEFAULT_SPLIT, seed: int = SEED, allow_leakage: bool = False
) -> Split:
    """Splits the folder's table by one of SPLITS; the same table gives the same split on any machine.

    patient: 70/15/15, stratified by number of findings, no patient in two parts. official: NIH's own test
    list, val dealt out of train_val_list by patient. chexnet: the three lists of the public CheXNet
    weights. unseen: as patient, but the test patients are of the last of these lists, unknown to the weights.
    image: the design document's split of single films, which shares patients: refused unless
    `allow_leakage`. Raises DataError.
    """
    if way in LEAKY and not allow_leakage:
        raise DataError(
            f"the split {way!r} puts films of one patient into several parts, so its metrics flatter; "
            "use 'patient', or set ",
            Setting("allow_leakage"),
            " to have it all the same",
        )
    if way in RANDOM_SPLITS:
        parts = random_parts(folder, way, seed)
    elif way == "official":
        train_val, test = (read_part(folder, folder.root / name) for name in OFFICIAL_LISTS)
        listed = sorted(stem for stem in train_val if stem in folder)
        train, val = deal(folder, listed, _OFFICIAL_SHARES, seed)
        # Films that the table lacks stay in the list: split_of_lists counts and drops them.
        parts = {
            "train": train + [stem for stem in train_val if stem not in folder],
            "val": val,
            "test": test,
        }
    elif way == "chexnet":
        parts = {
            part: read_part(folder, folder.root / name)
            for part, name in zip(PARTS, CHEXNET_LISTS, strict=True)
        }
    elif way == "unseen":
        listed = read_part(folder, folder.root / CHEXNET_LISTS[-1])
        parts = dict(zip(PARTS, split_with_test_of(folder, listed, seed), strict=True))
    else:
        raise DataError(f"{way!r} is not a way to split; expected one of {', '.join(SPLITS)}")
    return split_of_lists(folder, way, way, seed, parts, allow_leakage)


def split_of_films(folder: NihFolder, name: str, stems: Sequence[str], seed: int = SEED) -> Split:
    """A split of some of the folder's films alone: 70/15/15 by patient, stratified by number of findings.

    The other films are in no part, also not those of the same patients. Raises DataError if the name cannot
    be a split's or is taken, and if the films leave a part empty.
    """
    target = split_folder(folder, name)
    if name in SPLITS or target.exists():
        raise DataError(f"the name {name!r} is taken by another split; give it one of its own")
    parts = dict(zip(PARTS, deal(folder, sorted(stems), SHARES, seed), strict=True))
    if empty := next((part for part in PARTS if not parts[part]), None):
        raise DataError(
            f"the part {empty!r} would be empty, since patients stay whole; choose films of more patients"
        )
    return split_of_lists(folder, name, OF_FILMS, seed, parts, allow_leakage=False)


def random_parts(folder: NihFolder, way: str, seed: int) -> dict[str, list[str]]:
    """The stems of each part of one of RANDOM_SPLITS; raises DataError if the table has too few films."""
    return dict(zip(PARTS, _DEALT[way](folder, seed), strict=True))


def split_of_lists(
    folder: NihFolder, name: str, way: str, seed: int, parts: dict[str, list[str]], allow_leakage: bool
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
    if shared or way in LEAKY:
        split_id += "-leaky"
    return Split(name, split_id, way, seed, {part: folder.names(kept[part]) for part in PARTS}, dropped)


def _shared_patients(folder: NihFolder, parts: dict[str, list[str]]) -> int:
    everyone = np.concatenate([np.unique(folder.patients(parts[part])) for part in PARTS])
    _, times = np.unique(everyone, return_counts=True)
    return int((times > 1).sum())


def read_part(folder: NihFolder, path: Path) -> list[str]:
    """The stems of a part's list in a data folder; DataError if it is not there, or cannot be read."""
    if not path.exists():
        raise DataError(
            f"{folder.root} lacks {path.relative_to(folder.root).as_posix()}, which this split needs"
            f"{_SOURCES.get(path.name, '')}"
        )
    return read_list(path)


def split_folder(folder: NihFolder, name: str) -> Path:
    """Where the folder's split of that name lies; DataError if the name cannot be a split's."""
    if not PLAIN_NAME.fullmatch(name):
        raise DataError(f"{name!r} cannot be a split's name; use letters, digits, '.', '_' and '-'")
    return folder.root / "splits" / name
