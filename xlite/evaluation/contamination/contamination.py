"""What a model's sources know of the films that it is judged on, and which films caveats count. No torch."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from xlite.data.folder import NihFolder
from xlite.data.splits import Split
from xlite.evaluation.contamination.caveats import Caveat, TeacherKnows
from xlite.evaluation.contamination.own_training import split_caveats
from xlite.evaluation.contamination.source_facts import (
    SeenByTeacher,
    TeacherFact,
    TeacherSaid,
    TeacherSeen,
    TeacherUnknown,
)
from xlite.evaluation.contamination.sources import (
    Source,
    SourceFilms,
    films_of,
    list_files,
    read_sources,
    with_lists,
)
from xlite.evaluation.old_formats import count_in_sentence
from xlite.evaluation.part_judged import PartJudged

if TYPE_CHECKING:
    from xlite.models.info import ModelInfo

_JUDGED_ON = ("val", "test")


class _OfSource(NamedTuple):
    """A fact on one source, how many of the films judged it knows, and which, if that can be told."""

    fact: TeacherFact
    known: int = 0
    stems: frozenset[str] = frozenset()


def model_teacher_caveat(
    info: "ModelInfo", judged: PartJudged, given: str | Path | None = None
) -> TeacherKnows | None:
    """What the model's sources know of the films that it is judged on.

    given: lists of what they were trained on, as `list_files` takes them. The first is of the teacher of
    whom an old file has a sentence alone. Raises DataError if one cannot be read.
    """
    lists, sources, said = list_files(given), read_sources(info.notes), info.notes.contamination
    if lists and said:
        sources = [Source(list=lists[0].name), *sources]
    facts = _facts(with_lists(sources, given, judged.folder), judged, lists)
    if not lists and said:
        facts.append(_sentence_alone(info, judged))
    return _caveat(facts)


def learned_caveats(info: "ModelInfo", judged: PartJudged) -> list[Caveat]:
    """What the model and its sources know of the films that it is judged on."""
    teachers = model_teacher_caveat(info, judged)
    return [*split_caveats(info, judged), *([teachers] if teachers else [])]


def teacher_caveat(
    sources: Iterable[Source], judged: PartJudged, given: str | Path | None = None
) -> TeacherKnows | None:
    """What sources know of the films judged; None if there is nothing to say.

    given: the files of the lists that are called so. Raises DataError if one cannot be read.
    """
    return _caveat(_facts(sources, judged, list_files(given)))


def count_source(source: Source, folder: NihFolder, split: Split, given: str | Path | None = None) -> Source:
    """The source with what it knows of the split's films, if its own films are known here."""
    films = films_of(source, folder, list_files(given))
    if films is None:
        return source
    seen = {part: _seen(films, split.stems(part), folder)[0] for part in _JUDGED_ON}
    return source.model_copy(update={"digest": films.digest, "counted_on": split.id, "seen": seen})


def seen_in_test(sources: Iterable[Source], split_id: str) -> list[TeacherSeen]:
    """What the sources know of the test films of the split that the student was trained on, if anything.

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


def known_stems(caveats: Iterable[Caveat | _OfSource]) -> frozenset[str] | None:
    """The films that any of the caveats counts; None if nobody can tell which these are."""
    stems = frozenset[str]()
    for caveat in caveats:
        if caveat.known > len(caveat.stems):
            return None
        stems |= caveat.stems
    return stems


def count_known(caveats: Sequence[Caveat | _OfSource]) -> int:
    """How many films the caveats count together; the most that one counts if nobody can tell which."""
    stems = known_stems(caveats)
    return max((caveat.known for caveat in caveats), default=0) if stems is None else len(stems)


def _caveat(facts: Iterable[_OfSource]) -> TeacherKnows | None:
    once = list(dict.fromkeys(facts))
    if not once:
        return None
    return TeacherKnows(
        teachers=tuple(one.fact for one in once),
        known=count_known(once),
        stems=known_stems(once) or frozenset(),
    )


def _facts(sources: Iterable[Source], judged: PartJudged, lists: Sequence[Path]) -> list[_OfSource]:
    facts = (_fact(source, judged, lists) for source in sources)
    return [one for one in facts if one is not None]


def _fact(source: Source, judged: PartJudged, lists: Sequence[Path]) -> _OfSource | None:
    """What one source knows of the films; None if it surely knows none of their patients."""
    split_id, part, start = judged.split.id, judged.part, source.start
    films, known = films_of(source, judged.folder, lists), list[str]()
    if films is not None:
        seen, known = _seen(films, judged.stems, judged.folder)
    elif source.counted_on == split_id and source.seen and part in source.seen:
        seen = source.seen[part]
    elif source.said is not None:
        return _OfSource(TeacherSaid(text=source.said, start=start))
    elif source.predictions is not None:
        return _OfSource(TeacherUnknown(kind="predictions", name=source.predictions, start=start))
    elif source.weights is not None:
        return _OfSource(TeacherUnknown(kind="weights", name=source.weights, start=start))
    elif source.split is not None:
        return _OfSource(TeacherUnknown(kind="split", name=source.split, start=start))
    else:
        return _OfSource(TeacherUnknown(kind="list", name=source.list or "", start=start))
    if not seen.patients and not seen.untold:
        return None
    counts = seen.model_dump(exclude={"known"})
    fact = SeenByTeacher(split_id=split_id, part=part, start=start, **counts)
    return _OfSource(fact, seen.patients, frozenset(known))


def _sentence_alone(info: "ModelInfo", judged: PartJudged) -> _OfSource:
    """The fact of an old model file, a sentence that was counted on its own test part."""
    text = info.notes.contamination
    if (judged.split.id, judged.part) != (info.split_id, "test"):
        return _OfSource(TeacherSaid(text=text, counted_on=info.split_id))
    return _OfSource(TeacherSaid(text=text), count_in_sentence(text))


def _seen(films: SourceFilms, stems: Sequence[str], folder: NihFolder) -> tuple[TeacherSeen, list[str]]:
    """What a source knows of the films `stems`, and which of them are of patients that it knows."""
    learned = films.trained + films.of_val
    shared = folder.sharing_patients(learned, stems)
    seen = TeacherSeen(
        films=len({*stems}),
        trained=len({*stems} & {*films.trained}),
        with_val=len({*stems} & {*learned}),
        patients=len(shared.films),
        untold=shared.untold,
    )
    return seen, shared.films
