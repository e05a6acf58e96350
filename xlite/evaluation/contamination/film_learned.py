"""Whether a model learned from one film: facts on it, if the model's films are known here. No torch.

What cannot be told is not said: no fact means neither that the film is new to the model nor that it is not.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from xlite.data.folder import NihFolder
from xlite.data.leakage import films_sharing_patients
from xlite.data.published_splits import published_split
from xlite.data.splits import Split
from xlite.evaluation.contamination.own_training import own_split
from xlite.evaluation.contamination.sources import films_of, read_sources

if TYPE_CHECKING:
    from xlite.models.info import ModelInfo

Fact = Literal["train", "val", "patient", "source"]
"""train: the model learned from the film; val: its thresholds and the like were chosen on it; patient: it
knows other films of the patient; source: a teacher, or a model that it started from, knows the film."""


@dataclass(frozen=True, eq=False)
class Learned:
    """The films of a data folder that a model learned from, by stem; empty as far as nobody can tell."""

    folder: NihFolder
    split_id: str
    train: frozenset[str] = frozenset()
    val: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()

    @classmethod
    def of(cls, info: "ModelInfo", folder: NihFolder) -> "Learned":
        """What the model file and the lists that are here tell. Raises DataError for a damaged list."""
        own, behind = _split(info, folder), set[str]()
        for source in [] if folder.is_phantom else read_sources(info.notes):
            films = films_of(source, folder, ())
            behind |= {*films.trained, *films.of_val} if films else set()
        train, val = (own.stems(part) for part in ("train", "val")) if own else ([], [])
        return cls(folder, info.split_id, frozenset(train), frozenset(val), frozenset(behind))

    @cached_property
    def _of_known_patients(self) -> frozenset[str]:
        """The films of the folder whose patients have films in train or val."""
        learned, table = [*self.train, *self.val], self.folder.table
        return frozenset(films_sharing_patients(learned, table["stem"].tolist(), table).films)

    def facts(self, stem: str) -> tuple[Fact, ...]:
        """What is known of a film of the folder, the gravest first."""
        found: list[Fact] = []
        if stem in self.train:
            found.append("train")
        elif stem in self.val:
            found.append("val")
        elif stem in self._of_known_patients:
            found.append("patient")
        return (*found, "source") if stem in self.sources else tuple(found)


def _split(info: "ModelInfo", folder: NihFolder) -> Split | None:
    """The model's split with what it saw of train; None if it is not here.

    Films of all phantom folders have the same names: only the table that the model was trained on counts.
    """
    if info.notes.phantoms != folder.is_phantom:
        return None
    if folder.is_phantom and info.notes.data_fingerprint != folder.fingerprint():
        return None
    if own := own_split(info, folder):
        return own
    is_whole = info.notes.train_share == 1 and not info.notes.fold
    return published_split(info.split_id, folder) if is_whole else None
