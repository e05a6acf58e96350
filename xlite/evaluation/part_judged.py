"""The films that a model is judged on."""

from collections.abc import Sequence
from dataclasses import dataclass

from xlite.data.folder import NihFolder
from xlite.data.splits import Split


@dataclass(frozen=True, eq=False)
class PartJudged:
    """The films `stems` that a model is judged on, of a part of a folder's split."""

    folder: NihFolder
    split: Split
    part: str
    stems: Sequence[str]
