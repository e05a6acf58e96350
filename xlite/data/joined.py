"""Several data folders taken as one: films called apart, patients of each folder its own. No torch."""

import filecmp
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from xlite.data.folder import NihFolder
from xlite.data.layout import data_roots
from xlite.data.leakage import Shared, is_nih_name
from xlite.errors import DataError, ImageError
from xlite.images import Preprocess, read_image
from xlite.text import UNKNOWN_EDITION, counted

FOLDER = "folder"
"""The column of a joined table that says from which folder a film is."""
_MARK = "~"
"""Between a folder's name and what it has: no name of a split, a folder or a data set has it."""
_LOOKED_AT, _SIDE, _ALIKE = 12, 32, 0.95
"""Pairs of films of one name that are compared as pictures, at which side in px; the correlation of one."""


def open_data(data: Path | str) -> NihFolder:
    """The data folder, or several joined by commas as one. Raises DataError as NihFolder.open and `join`."""
    roots = data_roots(data)
    return NihFolder.open(roots[0]) if len(roots) == 1 else join([NihFolder.open(root) for root in roots])


@dataclass(frozen=True, eq=False)
class JoinedFolder(NihFolder):
    """Several folders as one. Its films are those of their tables, in order; the column FOLDER says whose.

    folders: what was joined; titles: what each is called; stems: of each, what its films are called here by
    what they are called there. `root` names them all and is not a folder: nothing lies in it.
    """

    folders: tuple[NihFolder, ...]
    titles: tuple[str, ...]
    stems: tuple[dict[str, str], ...]

    @cached_property
    def is_phantom(self) -> bool:
        """Whether all films were drawn."""
        return all(folder.is_phantom for folder in self.folders)

    @property
    def parts(self) -> tuple[NihFolder, ...]:
        """The folders on the disk that it is of."""
        return self.folders

    def boxes(self) -> pd.DataFrame:
        """The boxes of all folders; those of films that a folder's table lacks are on no film of another."""
        found = []
        for folder, title, here in zip(self.folders, self.titles, self.stems, strict=True):
            boxes = folder.boxes()
            stems = [here.get(stem, f"{title}{_MARK}{stem}") for stem in boxes["stem"]]
            found.append(boxes.assign(stem=stems))
        some = [boxes for boxes in found if len(boxes)]
        return pd.concat(some, ignore_index=True) if some else found[0]

    def fingerprint(self) -> str:
        """12 hex digits of the fingerprints of all folders, whatever their order."""
        prints = sorted(folder.fingerprint() for folder in self.folders)
        return hashlib.sha256("\n".join(prints).encode()).hexdigest()[:12]

    def here(self, stems: Iterable[str]) -> list[str]:
        """What films of a list, called as in their own folders, are called here.

        A name that several folders have may mean any of their films, so it stands for all of them.
        """
        found: list[str] = []
        for stem in stems:
            mine = [] if stem in self else [names[stem] for names in self.stems if stem in names]
            found += mine or [stem]
        return found

    def sharing_patients(self, learned: Sequence[str], judged: Sequence[str]) -> Shared:
        """As NihFolder's, folder by folder; films that none of them lists may be of each one's patients."""
        mine, films, outside, untold = {*judged}, list[str](), 0, 0
        for folder, names in zip(self.folders, self.stems, strict=True):
            there = {here: stem for stem, here in names.items()}
            known = [there.get(stem, stem) for stem in learned if stem in there or stem not in self]
            shared = folder.sharing_patients(known, [there[stem] for stem in judged if stem in there])
            films += [names[stem] for stem in shared.films]
            outside, untold = max(outside, shared.outside), max(untold, shared.untold)
        found = {*films} & mine
        return Shared([stem for stem in dict.fromkeys(judged) if stem in found], outside, untold)


def doubtful_patients(folder: NihFolder) -> str:
    """A sentence if folders of films called as NIH's have patients of equal numbers; else nothing.

    They are taken for different people. Of drawn films nobody asks.
    """
    numbers = Counter[str]()
    for one in folder.parts:
        if not one.is_phantom:
            stems, patients = one.table["stem"].tolist(), one.table["patient"].tolist()
            numbers.update(
                {patient for stem, patient in zip(stems, patients, strict=True) if is_nih_name(stem)}
            )
    count = sum(times > 1 for times in numbers.values())
    if not count:
        return ""
    return (
        f"several of the data folders have films called as NIH's are, and {counted(count, 'patient')} with "
        "the same number in two of them, taken for different people; if these folders hold films of one "
        "hospital, make one folder of them"
    )


def join(folders: Sequence[NihFolder]) -> JoinedFolder:
    """Several folders as one.

    Films keep their names, but for those that two folders have: they are called `folder~film`. Patients are
    called `folder~patient`, so equal numbers of two hospitals are two patients. Raises DataError if two
    folders have one name, or the same film.
    """
    titles = tuple(_title(folder.root) for folder in folders)
    twice = next((title for title, times in Counter(titles).items() if times > 1), None)
    if twice is not None:
        raise DataError(
            f"two of the data folders are called {twice!r}, and films and metrics are told apart by that "
            "name: rename one, or give a link to it with another name"
        )
    _check_films(folders)
    times = Counter(stem for folder in folders for stem in folder.table["stem"].tolist())
    stems = tuple(
        {stem: f"{title}{_MARK}{stem}" if times[stem] > 1 else stem for stem in folder.table["stem"].tolist()}
        for folder, title in zip(folders, titles, strict=True)
    )
    paths = {
        names[stem]: path
        for folder, names in zip(folders, stems, strict=True)
        for stem, path in folder.paths.items()
        if stem in names
    }
    tables = [_table(*one) for one in zip(folders, titles, stems, strict=True)]
    editions = {folder.label_version for folder in folders}
    return JoinedFolder(
        root=Path(",".join(str(folder.root) for folder in folders)),
        table=pd.concat(tables, ignore_index=True),
        label_version=editions.pop() if len(editions) == 1 else UNKNOWN_EDITION,
        paths=paths,
        folders=tuple(folders),
        titles=titles,
        stems=stems,
    )


def _title(root: Path) -> str:
    return re.sub(r"[^\w.+-]", "_", root.absolute().name)


def _table(folder: NihFolder, title: str, names: dict[str, str]) -> pd.DataFrame:
    """The folder's table with what films and patients are called here, and whose they are."""
    table = folder.table
    here = [names[stem] for stem in table["stem"]]
    images = [
        image if name == stem else title + _MARK + image.replace("\\", "/").rpartition("/")[2]
        for image, stem, name in zip(table["image"], table["stem"], here, strict=True)
    ]
    patients = [f"{title}{_MARK}{patient}" for patient in table["patient"]]
    return table.assign(image=images, stem=here, patient=patients, **{FOLDER: title})


def _check_films(folders: Sequence[NihFolder]) -> None:
    """Raises DataError if the tables of two folders list a film of one name that is the same film.

    All are compared as files, and some as pictures, since an import may have come in another format.
    """
    listed = [folder.paths.keys() & {*folder.table["stem"]} for folder in folders]
    for place, one in enumerate(folders):
        for there, other in enumerate(folders[place + 1 :], place + 1):
            both = sorted(listed[place] & listed[there])
            drawn = one.is_phantom and other.is_phantom  # two exposures of one are alike, and are two
            looked_at = set() if drawn else {*both[:: -(-len(both) // _LOOKED_AT) or 1]}
            for stem in both:
                pair = one.paths[stem], other.paths[stem]
                if _same_file(*pair) or (stem in looked_at and _look_alike(*pair)):
                    raise DataError(
                        f"{one.root} and {other.root} have both the film {stem}, and the part that learns "
                        f"from it may not be that which judges it ({counted(len(both), 'name')} in both): "
                        "leave one of the folders out, or make one without these films"
                    )


def _same_file(one: Path, other: Path) -> bool:
    try:
        return filecmp.cmp(one, other, shallow=False)
    except OSError:  # whoever reads it says what is wrong
        return False


def _look_alike(one: Path, other: Path) -> bool:
    try:
        first, second = (Preprocess(_SIDE).resize(read_image(path)).ravel() for path in (one, other))
    except (ImageError, OSError):
        return False
    if not first.std() or not second.std():
        return False
    return float(np.corrcoef(first, second)[0, 1]) > _ALIKE
