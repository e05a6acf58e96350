"""The films that a model is judged on."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from xlite.data.folder import NihFolder
from xlite.data.splits import Split
from xlite.errors import DataError
from xlite.split_names import ALL_FILMS


@dataclass(frozen=True, eq=False)
class PartJudged:
    """The films `stems` that a model is judged on, of a part of a folder's split."""

    folder: NihFolder
    split: Split
    part: str
    stems: Sequence[str]


def all_films(folder: NihFolder, without: Collection[str] = ()) -> Split:
    """A split whose only part, ALL_FILMS, is every film of a folder that has a file, but those `without`.

    Its id is of the table. Raises DataError if there is none.
    """
    there = (stem for stem in folder.table["stem"].tolist() if stem in folder.paths)
    stems = [stem for stem in there if stem not in without]
    if not stems:
        raise DataError(f"{folder.root} has no film that its table lists, so there is nothing to judge by")
    split_id = f"{ALL_FILMS}-{folder.fingerprint()}"
    return Split(ALL_FILMS, split_id, ALL_FILMS, 0, {ALL_FILMS: folder.names(stems)})
