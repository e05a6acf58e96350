"""The sources of a model: what it learned from beside its own split, and which films these are. No torch.

A source is a teacher, or a model that training started from.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, ValidationError, model_serializer

from xlite.data.folder import NihFolder
from xlite.data.joined import JoinedFolder
from xlite.data.joined_splits import ids_in, join_splits
from xlite.data.leakage import read_training_list
from xlite.data.published_splits import published_split
from xlite.data.split_files import read_split
from xlite.data.splits import CHEXNET_LISTS, Split
from xlite.data.tables import read_list
from xlite.errors import CheckpointError, DataError, objection
from xlite.evaluation.contamination.source_facts import TeacherSeen
from xlite.evaluation.old_formats import starts_without_films
from xlite.models.available import teacher_parts

if TYPE_CHECKING:
    from xlite.models.info import ModelInfo, ModelNotes


class Source(BaseModel):
    """A set of films that a model learned from by way of another one, as the notes of its file keep it.

    One of: split, the id of one of X-Lite's own; list, the file name of a training list; predictions, the
    file name of a teacher's answers, or weights, that of weights to start from, if nothing else is known;
    said, a sentence, if that is all. phantoms: the split is of drawn films. start: it started from that
    model; else it was a teacher. digest: of the list's films. seen: what the source knows of the val and test
    films of the split `counted_on`, which the student was trained on, if the films were there to count.
    """

    model_config = ConfigDict(frozen=True)
    split: str | None = None
    list: str | None = None
    predictions: str | None = None
    weights: str | None = None
    said: str | None = None
    phantoms: bool = False
    start: bool = False
    digest: str | None = None
    counted_on: str | None = None
    seen: dict[str, TeacherSeen] | None = None

    @model_serializer(mode="wrap")
    def _as_noted(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content = {key: value for key, value in handler(self).items() if value not in (None, False)}
        for counts in content.get("seen", {}).values():
            del counts["known"]
        return content


def read_sources(notes: "ModelNotes") -> list[Source]:
    """The sources of a model, and of an ensemble's members, from the notes of its file.

    An older file does not note those of the model that it started from: all that is told is that there was
    one. CheckpointError if the notes are damaged.
    """
    try:
        sources = [Source.model_validate(noted) for noted in (*notes.teacher_knows, *notes.start_knows)]
    except ValidationError as error:
        raise CheckpointError(
            f"the model's notes of what its teachers know are damaged ({objection(error)})"
        ) from error
    if "start_knows" not in notes.model_fields_set and not starts_without_films(notes.started_from):
        sources.append(Source(weights=notes.started_from, start=True))
    sources += [source for member in notes.members for source in read_sources(member)]
    return distinct(sources)


def sources_behind(info: "ModelInfo", split: Split, share: float, *, start: bool = False) -> list[Source]:
    """What one learns from who learns from an X-Lite model, on a share (0-1) of the split's train part.

    start: by starting from it; else it is a teacher. Its own films count unless they are the split's, too.
    """
    films = Source(split=info.split_id, phantoms=info.notes.phantoms, start=start)
    own = [films] if info.split_id != split.id or share < 1 else []
    said = [Source(said=info.notes.contamination, start=start)] if info.notes.contamination else []
    return [*own, *read_sources(info.notes), *said]


def distinct(sources: Iterable[Source]) -> list[Source]:
    """The sources in their order, each once."""
    found: list[Source] = []
    for source in sources:
        found += [source] if source not in found else []
    return found


def list_files(spec: str | Path | None) -> list[Path]:
    """The files of `--teacher-list`, one or several joined by commas; DataError if two are called alike."""
    files = [Path(part) for part in teacher_parts(str(spec or ""))]
    for file in files:
        other = next((one for one in files if one.name == file.name and one != file), None)
        if other is not None:
            raise DataError(
                f"the lists {file} and {other} are called alike, and are told by name: rename one"
            )
    return files


def with_lists(sources: Iterable[Source], given: str | Path | None, folder: NihFolder) -> list[Source]:
    """The sources, with lists in the place of those that cannot be counted in this folder.

    A list is that of the source which is noted with its name; if none is, it is that of the first source
    without one, and then of the first with another list. No list speaks for two sources: if too few are
    given, others stay without one.
    """
    found, names = [*sources], [path.name for path in list_files(given)]
    left = [*names]
    for name in {source.list for source in found if source.list in left}:
        left.remove(name or "")
    for place, source in enumerate(found):
        if left and source.list not in names and _lacks_list(source, folder):
            found[place] = Source(list=left.pop(0), start=source.start)
    for place, source in enumerate(found):
        if left and source.list is not None and source.list not in names:  # one that is here, but not meant
            found[place] = Source(list=left.pop(0), start=source.start)
    return distinct([*found, *(Source(list=name) for name in left)])


def takes_lists(info: "ModelInfo", folder: NihFolder) -> bool:
    """Whether there is anything that a list could tell of what a model's sources were trained on."""
    sources = read_sources(info.notes)
    return bool(info.notes.teacher) or any(_lacks_list(source, folder) for source in sources)


def _lacks_list(source: Source, folder: NihFolder) -> bool:
    """Whether a list of training films would tell what a source has seen."""
    if source.list is not None:
        return films_of(source, folder, ()) is None
    return source.predictions is not None or source.weights is not None


def find_split(folder: NihFolder, split_id: str) -> Split | None:
    """The folder's split of that id, or of one of those that the id of several folders names; None if it has
    none.
    """
    if isinstance(folder, JoinedFolder):
        return _find_joined(folder, split_id)
    wanted = ids_in(split_id)
    for name in sorted(place.name for place in folder.root.glob("splits/*") if place.is_dir()):
        try:
            split = read_split(folder, name, allow_leakage=True)
        except DataError:  # a split that was changed by hand is not the one that is asked for
            continue
        if split.id in wanted:
            return split
    return None


def _find_joined(folder: JoinedFolder, split_id: str) -> Split | None:
    """Those of the splits that an id names which the folders have; None if another might have been in one."""
    found = [find_split(one, split_id) for one in folder.folders]
    there = Counter(split.id for split in found if split is not None)
    lacking = ids_in(split_id) - there
    if not there or (lacking and None in found):
        return None
    return join_splits(folder, found)


class SourceFilms(NamedTuple):
    """The stems that a source was trained on and chosen by, and its list's digest, if it is of a list."""

    trained: list[str]
    of_val: list[str]
    digest: str | None


def films_of(source: Source, folder: NihFolder, lists: Sequence[Path]) -> SourceFilms | None:
    """The films of a source; None if they are not here."""
    if source.split is not None:
        split = find_split(folder, source.split) or published_split(source.split, folder)
        if split is None and source.phantoms and not any(one.is_phantom for one in folder.parts):
            return SourceFilms([], [], None)  # drawn films are of nobody
        return None if split is None else SourceFilms(split.stems("train"), split.stems("val"), None)
    if source.list is None:
        return None
    named = next((path for path in lists if path.name == source.list), None)
    paths = [named] if named else [one.root / source.list for one in folder.parts]
    there = [path for path in paths if named or path.is_file()]
    if len(there) != 1:  # of lists of one name in several folders nobody can tell which is meant
        return None
    path, trained = there[0], read_training_list(there[0])
    digest = hashlib.sha256("\n".join(trained).encode()).hexdigest()[:16]
    if named is None and source.digest not in (None, digest):
        return None
    of_val = path.with_name(CHEXNET_LISTS[1])
    chosen = read_list(of_val) if path.name == CHEXNET_LISTS[0] and of_val.is_file() else []
    return SourceFilms(folder.here(trained), folder.here(chosen), digest)
