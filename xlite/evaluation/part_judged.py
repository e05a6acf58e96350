"""The films that a model is judged on."""

from collections.abc import Sequence
from dataclasses import dataclass

from xlite.data.folder import NihFolder
from xlite.data.splits import Split
from xlite.errors import DataError


@dataclass(frozen=True, eq=False)
class PartJudged:
    """The films `stems` that a model is judged on, of a part of a folder's split."""

    folder: NihFolder
    split: Split
    part: str
    stems: Sequence[str]


def all_films(folder: NihFolder) -> Split:
    """A split whose only part, "all", is every film of a folder that has a file; its id is of the table.

    Raises DataError if there is none.
    """
    stems = [stem for stem in folder.table["stem"].tolist() if stem in folder.paths]
    if not stems:
        raise DataError(f"{folder.root} has no film that its table lists, so there is nothing to judge by")
    return Split("all", f"all-{folder.fingerprint()}", "all", 0, {"all": folder.names(stems)})
