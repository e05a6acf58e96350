"""What a model's teachers know of the films that it is judged on, and which films caveats count. No torch."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, ValidationError, model_serializer

from xlite.data.folder import NihFolder
from xlite.data.leakage import films_sharing_patients, read_training_list
from xlite.data.splits import CHEXNET_LISTS, Split, read_split
from xlite.data.tables import read_list
from xlite.errors import CheckpointError, DataError
from xlite.evaluation.caveats import (
    Caveat,
    SeenByTeacher,
    TeacherFact,
    TeacherKnows,
    TeacherSaid,
    TeacherSeen,
    TeacherUnknown,
)
from xlite.evaluation.old_formats import count_in_sentence
from xlite.evaluation.part_judged import PartJudged

if TYPE_CHECKING:
    from xlite.models.checkpoint import ModelInfo, ModelNotes

_JUDGED_ON = ("val", "test")


class Source(BaseModel):
    """A set of films that a teacher learned from, as the notes of a model file keep it.

    One of: split, the id of one of X-Lite's own; list, the file name of a training list; predictions, the
    file name of its answers, if nothing else is known; said, a sentence, if that is all. digest: of the
    list's films. seen: what the teacher knows of the val and test films of the split `counted_on`, which the
    student was trained on, if the films were there to count.
    """

    model_config = ConfigDict(frozen=True)
    split: str | None = None
    list: str | None = None
    predictions: str | None = None
    said: str | None = None
    digest: str | None = None
    counted_on: str | None = None
    seen: dict[str, TeacherSeen] | None = None

    @model_serializer(mode="wrap")
    def _as_noted(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content = {key: value for key, value in handler(self).items() if value is not None}
        for counts in content.get("seen", {}).values():
            del counts["known"]
        return content


def read_sources(notes: "ModelNotes") -> list[Source]:
    """The sources of a model's teachers, from the notes of its file; CheckpointError if these are damaged."""
    try:
        return [Source.model_validate(noted) for noted in notes.teacher_knows]
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise CheckpointError(
            f"the model's notes of what its teachers know are damaged ({'.'.join(map(str, first['loc']))}: "
            f"{first['msg']})"
        ) from error


def find_split(folder: NihFolder, split_id: str) -> Split | None:
    """The folder's split of that id; None if it has none."""
    for name in sorted(place.name for place in folder.root.glob("splits/*") if place.is_dir()):
        try:
            split = read_split(folder, name, allow_leakage=True)
        except DataError:  # a split that was changed by hand is not the one that is asked for
            continue
        if split.id == split_id:
            return split
    return None


class _OfTeacher(NamedTuple):
    """A fact on one teacher, how many of the films judged it knows, and which, if that can be told."""

    fact: TeacherFact
    known: int = 0
    stems: frozenset[str] = frozenset()


def model_teacher_caveat(
    info: "ModelInfo", judged: PartJudged, given: Path | None = None
) -> TeacherKnows | None:
    """What the model's teachers know of the films that it is judged on.

    given: a list of what they were trained on. It is the list noted by that name; if none is, it stands for
    all that is not here.
    """
    sources = read_sources(info.notes)
    if given is not None and all(source.list != given.name for source in sources):
        kept = [one for one in sources if not (one.list or one.predictions) or _is_here(one, judged.folder)]
        sources = [*kept, Source(list=given.name)]
    facts = _facts(sources, judged, given)
    if given is None and info.notes.contamination:
        facts.append(_sentence_alone(info, judged))
    return _caveat(facts)


def teacher_caveat(
    sources: Iterable[Source], judged: PartJudged, given: Path | None = None
) -> TeacherKnows | None:
    """What teachers know of the films judged; None if there is nothing to say.

    given: the file of the list that is called so. Raises DataError if it cannot be read.
    """
    return _caveat(_facts(sources, judged, given))


def count_source(source: Source, folder: NihFolder, split: Split, given: Path | None = None) -> Source:
    """The source with what it knows of the split's films, if its own films are known here."""
    films = _films(source, folder, given)
    if films is None:
        return source
    seen = {part: _seen(films, split.stems(part), folder)[0] for part in _JUDGED_ON}
    return source.model_copy(update={"digest": films.digest, "counted_on": split.id, "seen": seen})


def seen_in_test(sources: Iterable[Source], split_id: str) -> list[TeacherSeen]:
    """What the teachers know of the test films of the split that the student was trained on, if anything.

    `known` is False if nobody can tell; equal counts are there once.
    """
    found: dict[tuple[int, ...], TeacherSeen] = {}
    for source in sources:
        if source.counted_on != split_id or source.seen is None:
            seen = TeacherSeen(films=0, trained=0, with_val=0, patients=0, known=False)
        else:
            seen = source.seen["test"]
        if seen.patients or not seen.known:
            found.setdefault((seen.known, seen.films, seen.trained, seen.with_val), seen)
    return list(found.values())


def known_stems(caveats: Iterable[Caveat | _OfTeacher]) -> frozenset[str] | None:
    """The films that any of the caveats counts; None if nobody can tell which these are."""
    stems = frozenset[str]()
    for caveat in caveats:
        if caveat.known > len(caveat.stems):
            return None
        stems |= caveat.stems
    return stems


def count_known(caveats: Sequence[Caveat | _OfTeacher]) -> int:
    """How many films the caveats count together; the most that one counts if nobody can tell which."""
    stems = known_stems(caveats)
    return max((caveat.known for caveat in caveats), default=0) if stems is None else len(stems)


def _caveat(facts: Iterable[_OfTeacher]) -> TeacherKnows | None:
    distinct = list(dict.fromkeys(facts))
    if not distinct:
        return None
    return TeacherKnows(
        teachers=tuple(one.fact for one in distinct),
        known=count_known(distinct),
        stems=known_stems(distinct) or frozenset(),
    )


def _facts(sources: Iterable[Source], judged: PartJudged, given: Path | None) -> list[_OfTeacher]:
    facts = (_fact(source, judged, given) for source in sources)
    return [one for one in facts if one is not None]


def _fact(source: Source, judged: PartJudged, given: Path | None) -> _OfTeacher | None:
    """What one teacher knows of the films; None if it knows none of their patients."""
    split_id, part = judged.split.id, judged.part
    films, known = _films(source, judged.folder, given), list[str]()
    if films is not None:
        seen, known = _seen(films, judged.stems, judged.folder)
    elif source.counted_on == split_id and source.seen and part in source.seen:
        seen = source.seen[part]
    elif source.said is not None:
        return _OfTeacher(TeacherSaid(text=source.said))
    elif source.predictions is not None:
        return _OfTeacher(TeacherUnknown(kind="predictions", name=source.predictions))
    elif source.split is not None:
        return _OfTeacher(TeacherUnknown(kind="split", name=source.split))
    else:
        return _OfTeacher(TeacherUnknown(kind="list", name=source.list or ""))
    if not seen.patients:
        return None
    counts = seen.model_dump(exclude={"known"})
    return _OfTeacher(SeenByTeacher(split_id=split_id, part=part, **counts), seen.patients, frozenset(known))


def _sentence_alone(info: "ModelInfo", judged: PartJudged) -> _OfTeacher:
    """The fact of an old model file, a sentence that was counted on its own test part."""
    text = info.notes.contamination
    if (judged.split.id, judged.part) != (info.split_id, "test"):
        return _OfTeacher(TeacherSaid(text=text, counted_on=info.split_id))
    return _OfTeacher(TeacherSaid(text=text), count_in_sentence(text))


class _Films(NamedTuple):
    """The stems that a teacher was trained on and chosen by, and its list's digest, if it is of a list."""

    trained: list[str]
    of_val: list[str]
    digest: str | None


def _is_here(source: Source, folder: NihFolder) -> bool:
    """Whether its films can be counted in this folder."""
    return _films(source, folder, None) is not None


def _films(source: Source, folder: NihFolder, given: Path | None) -> _Films | None:
    """The films of a source; None if they are not here."""
    if source.split is not None:
        split = find_split(folder, source.split)
        return None if split is None else _Films(split.stems("train"), split.stems("val"), None)
    if source.list is None:
        return None
    named = given is not None and given.name == source.list
    path = given if given is not None and named else folder.root / source.list
    if not named and not path.is_file():
        return None
    trained = read_training_list(path)
    digest = hashlib.sha256("\n".join(trained).encode()).hexdigest()[:16]
    if not named and source.digest not in (None, digest):
        return None
    of_val = path.with_name(CHEXNET_LISTS[1])
    chosen = read_list(of_val) if path.name == CHEXNET_LISTS[0] and of_val.is_file() else []
    return _Films(trained, chosen, digest)


def _seen(films: _Films, stems: Sequence[str], folder: NihFolder) -> tuple[TeacherSeen, list[str]]:
    """What a teacher knows of the films `stems`, and which of them are of patients that it knows."""
    learned = films.trained + films.of_val
    known = films_sharing_patients(learned, stems, folder.table)
    seen = TeacherSeen(
        films=len({*stems}),
        trained=len({*stems} & {*films.trained}),
        with_val=len({*stems} & {*learned}),
        patients=len(known),
    )
    return seen, known
