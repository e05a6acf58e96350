"""What teachers know of the films judged: counted, noted in model files, and told of old models."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from judged import amend, part_judged, save_tiny_model

from xlite.data.folder import PHANTOM_NOTE, PHANTOM_TITLE, NihFolder
from xlite.data.split_files import load_split
from xlite.data.splits import Split
from xlite.data.tables import read_list
from xlite.errors import CheckpointError, DataError
from xlite.evaluation.contamination.caveats import TeacherKnows
from xlite.evaluation.contamination.contamination import (
    count_known,
    count_source,
    known_stems,
    seen_in_test,
    teacher_caveat,
)
from xlite.evaluation.contamination.own_training import split_caveats
from xlite.evaluation.contamination.source_facts import (
    SeenByTeacher,
    TeacherFact,
    TeacherSaid,
    TeacherSeen,
    TeacherUnknown,
)
from xlite.evaluation.contamination.sources import Source, read_sources, sources_behind, with_lists
from xlite.evaluation.evaluate import judge_model
from xlite.evaluation.options import JudgeOptions
from xlite.evaluation.report import Contamination, Report
from xlite.models.info import ModelNotes, read_info
from xlite.report.learned_sentences import teacher_sentence
from xlite.report.sentences import clean


@pytest.fixture
def model(tiny_folder: Path, own_home: Path) -> Path:
    return save_tiny_model(own_home, tiny_folder)


def judged(model: Path, data: Path, split: str = "patient", part: str = "test", **options) -> Report:
    return judge_model(model, data, split, part, JudgeOptions(resamples=20, **options)).report


def teachers(report: Report) -> list[TeacherFact]:
    """What the report says of teachers."""
    return [fact for one in report.caveats if isinstance(one, TeacherKnows) for fact in one.teachers]


def noted(*sources: Source) -> dict:
    """The notes of a model file with these sources, as JSON has them."""
    return {"teacher": "t", "teacher_knows": json.loads(json.dumps([one.model_dump() for one in sources]))}


@pytest.mark.slow
def test_a_sentence_of_old_is_told_with_the_count_in_it(model: Path, tiny_folder: Path) -> None:
    said = "a teacher was trained on 2 of the 4 test films of split x, and on patients of 3 of them"
    amend(model, notes={"contamination": said})
    report = judged(model, tiny_folder)
    assert teachers(report) == [TeacherSaid(text=said)]
    contamination = report.contamination
    assert (contamination.films, contamination.of, contamination.clean) == (3, 4, None)
    assert contamination.reasons == (TeacherKnows(teachers=(TeacherSaid(text=said),), known=3),)
    amend(model, notes={"contamination": "a teacher may have seen them"})
    unsure = judged(model, tiny_folder)
    maybe = TeacherSaid(text="a teacher may have seen them")
    assert unsure.contamination == Contamination(films=0, of=4, reasons=(), unknown=(maybe,))
    assert not unsure.contaminated
    elsewhere = judged(model, tiny_folder, part="train")
    own = read_info(model).split_id
    assert teachers(elsewhere) == [TeacherSaid(text="a teacher may have seen them", counted_on=own)]


@pytest.mark.slow
def test_what_teachers_know_is_counted_on_the_films_at_hand(
    model: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    folder = NihFolder.open(tiny_folder)
    own, other = load_split(folder, "patient"), load_split(folder, "official")
    listed = own.stems("train")[:1] + own.stems("test")[:3] + other.stems("test")[:2]
    path = tmp_path / "seen.txt"
    path.write_text("\n".join(listed) + "\n")
    sources = Source(split=own.id), count_source(Source(list="seen.txt"), folder, own, path)
    amend(model, split_id=other.id, notes=noted(*sources))

    def told(split: Split, part: str, **options: Path) -> list[TeacherFact]:
        return teachers(judged(model, tiny_folder, split=split.name, part=part, **options))

    def counted(split: Split, part: str) -> SeenByTeacher:
        stems = split.stems(part)
        inside = len({*stems} & {*listed})
        patients = np.isin(folder.patients(stems), folder.patients(listed)).sum()
        return SeenByTeacher(
            split_id=split.id,
            part=part,
            films=len(stems),
            trained=inside,
            with_val=inside,
            patients=patients,
        )

    absent = TeacherUnknown(kind="list", name="seen.txt")
    assert told(own, "test") == [counted(own, "test")]  # as noted when it was trained
    train = told(own, "train")
    assert len(train) == 2 and train[1] == absent
    assert told(own, "train", teacher_list=path) == [train[0], counted(own, "train")]
    known = len({*other.stems("test")} - {*own.stems("test")})
    for options in ({"teacher_list": path}, {}):
        first, second = told(other, "test", **options)
        assert (first.with_val, first.patients) == (known, known) and first.trained < known
        assert second == counted(other, "test")
        shutil.copy(path, tiny_folder / "seen.txt")  # it is found there from now on
    path.write_text("\n".join(listed[:1]) + "\n")
    shutil.copy(path, tiny_folder / "seen.txt")
    assert told(other, "test")[1] == absent  # for that is another list


@pytest.mark.slow
def test_a_list_that_is_noted_takes_no_other_ones_place(
    model: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    folder = NihFolder.open(tiny_folder)
    split = load_split(folder, "patient")
    first, second = (tmp_path / name for name in ("first.txt", "second.txt"))
    test = split.stems("test")
    first.write_text(test[0] + "\n")
    second.write_text("\n".join(test[-2:]) + "\n")
    amend(
        model,
        notes=noted(*(count_source(Source(list=path.name), folder, split, path) for path in (first, second))),
    )
    whole = judged(model, tiny_folder)
    assert whole.contamination.clean is None  # nobody can tell which films are known
    assert whole.contamination.films < len(test)
    given = judged(model, tiny_folder, teacher_list=second)
    assert teachers(given) == teachers(whole)


def test_one_list_speaks_for_one_source(tiny_folder: Path, tmp_path: Path) -> None:
    folder = NihFolder.open(tiny_folder)
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("\n".join(folder.table["image"][:2]))
    first, second, weights = Source(predictions="p.csv"), Source(predictions="q.csv"), Source(weights="w.pt")
    start = weights.model_copy(update={"start": True})
    a, b = tmp_path / "a.txt", tmp_path / "b.txt"
    of_a, of_b = Source(list="a.txt"), Source(list="b.txt")
    every = [first, second, start, Source(said="xrv")]
    for given, found in (
        (None, every),
        (a, [of_a, *every[1:]]),
        (f"{a},{b}", [of_a, of_b, *every[2:]]),
        (f"{a},{b},{a}", [of_a, of_b, Source(list="a.txt", start=True), every[3]]),
        (f"{a}, {a}", [of_a, *every[2:]]),  # two teachers of the same films
    ):
        assert with_lists(every, given, folder) == found
    noted = Source(list="b.txt", digest="12")
    assert with_lists([first, noted], b, folder) == [first, noted]
    assert with_lists([first, noted], f"{b},{a}", folder) == [of_a, noted]
    assert with_lists([], a, folder) == [of_a]
    with pytest.raises(DataError, match="are called alike"):
        with_lists(every, f"{a},{tmp_path / 'other' / 'a.txt'}", folder)


@pytest.mark.slow
def test_one_known_list_leaves_a_second_teacher_unknown(
    model: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    test = load_split(NihFolder.open(tiny_folder), "patient").stems("test")
    path = tmp_path / "seen.txt"
    path.write_text(test[0] + "\n")
    amend(model, notes=noted(Source(predictions="p.csv"), Source(predictions="q.csv")))
    report = judged(model, tiny_folder, teacher_list=path)
    unknown = TeacherUnknown(kind="predictions", name="q.csv")
    contamination = report.contamination
    assert (contamination.films, contamination.unknown, contamination.clean) == (2, (unknown,), None)
    assert clean(report) == f"There are no metrics on clean films alone: {teacher_sentence(unknown)}"
    both = judged(model, tiny_folder, teacher_list=f"{path},{path}").contamination
    assert (both.films, both.unknown, both.clean.split.images) == (2, (), len(test) - 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("notes", "weights"),
    [
        ({"started_from": "x starts from random weights"}, None),
        ({"started_from": "x starts from ImageNet weights (timm/x.in1k)"}, None),
        ({"started_from": "timm has no ImageNet weights for x: training from scratch"}, None),
        ({"started_from": "ImageNet weights for x could not be had (no): training from scratch"}, None),
        ({"started_from": "x starts from w.pt (52 tensors)", "start_knows": []}, None),
        ({"started_from": "x starts from w.pt (52 tensors)"}, "x starts from w.pt (52 tensors)"),
        ({"started_from": "x starts from the X-Lite model m"}, "x starts from the X-Lite model m"),
        ({"started_from": "x.pt", "start_knows": [{"weights": "x.pt", "start": True}]}, "x.pt"),
    ],
)
def test_what_a_model_started_from_is_known_if_it_is_noted_or_has_no_films(
    model: Path, tiny_folder: Path, notes: dict, weights: str | None
) -> None:
    amend(model, notes=notes)
    contamination = judged(model, tiny_folder).contamination
    if weights is None:
        assert contamination is None
    else:
        unknown = (TeacherUnknown(kind="weights", name=weights, start=True),)
        assert contamination == Contamination(films=0, of=4, reasons=(), unknown=unknown)


def test_phantoms_are_of_nobody_unless_phantoms_are_judged(model: Path, tiny_folder: Path) -> None:
    amend(model, notes={"phantoms": True, "start_knows": []})
    info, split = read_info(model), "drawn-1-00000000"
    info = info.model_copy(update={"split_id": split})
    folder = NihFolder.open(tiny_folder)
    own = load_split(folder, "patient")
    [source] = sources_behind(info, own, 1.0, start=True)
    assert source == Source(split=split, phantoms=True, start=True)
    judged = part_judged(folder, "s", folder.table["stem"].tolist())
    assert teacher_caveat([source], judged) is None
    [caveat] = split_caveats(info, judged)
    assert (caveat.learned, caveat.known) == (0, 0)
    (tiny_folder / PHANTOM_NOTE).write_text(f"{PHANTOM_TITLE}\n\nMore.\n")
    drawn = part_judged(NihFolder.open(tiny_folder), "s", folder.table["stem"].tolist())
    unknown = TeacherUnknown(kind="split", name=split, start=True)
    assert teacher_caveat([source], drawn) == TeacherKnows(teachers=(unknown,))
    assert split_caveats(info, drawn)[0].learned is None


def test_predictions_and_absent_splits_and_sentences_tell_nothing(tiny_folder: Path) -> None:
    folder = NihFolder.open(tiny_folder)
    stems = folder.table["stem"].tolist()
    sources = [
        Source(predictions="p.csv"),
        Source(split="gone-1-00000000"),
        Source(said="public weights"),
        Source(predictions="p.csv"),
    ]
    found = teacher_caveat(sources, part_judged(folder, "s", stems))
    assert found == TeacherKnows(
        teachers=(
            TeacherUnknown(kind="predictions", name="p.csv"),
            TeacherUnknown(kind="split", name="gone-1-00000000"),
            TeacherSaid(text="public weights"),
        )
    )
    assert teacher_caveat([], part_judged(folder, "s", stems)) is None


def test_a_source_is_noted_with_the_keys_of_old() -> None:
    seen = {"films": 4, "trained": 2, "with_val": 3, "patients": 3}
    for note in (
        {"split": "s"},
        {"predictions": "p.csv"},
        {"said": "it may"},
        {"list": "l.txt", "digest": "12", "counted_on": "s", "seen": {"val": seen, "test": seen}},
    ):
        [source] = read_sources(ModelNotes(teacher_knows=(note,)))
        assert source.model_dump() == note
        assert json.loads(source.model_dump_json()) == note
    assert source.seen["test"] == TeacherSeen(**seen)
    assert read_sources(ModelNotes()) == []


def test_what_teachers_saw_of_the_test_part_is_there_once(tiny_folder: Path, tmp_path: Path) -> None:
    folder = NihFolder.open(tiny_folder)
    split = load_split(folder, "patient")
    test = split.stems("test")
    (tmp_path / "l.txt").write_text("\n".join(test[:2]) + "\n")
    counted = count_source(Source(list="l.txt"), folder, split, tmp_path / "l.txt")
    (tmp_path / "l.txt").write_text("\n".join(split.stems("train")) + "\n")
    nothing = count_source(Source(list="l.txt"), folder, split, tmp_path / "l.txt")
    found = seen_in_test([counted, counted, nothing, Source(said="x"), Source(split="y")], split.id)
    patients = np.isin(folder.patients(test), folder.patients(test[:2])).sum()
    assert found == [
        TeacherSeen(films=len(test), trained=2, with_val=2, patients=patients),
        TeacherSeen(films=0, trained=0, with_val=0, patients=0, known=False),
    ]
    assert [one.known for one in seen_in_test([counted], "another")] == [False]


def test_films_that_several_caveats_count_are_counted_once() -> None:
    first, second = (TeacherKnows(teachers=(), known=2, stems=frozenset(stems)) for stems in ("ab", "bc"))
    unsure = TeacherKnows(teachers=(), known=5)
    assert (known_stems([first, second]), count_known([first, second])) == (frozenset("abc"), 3)
    assert (known_stems([first, unsure]), count_known([first, unsure])) == (None, 5)
    assert (known_stems([]), count_known([])) == (frozenset(), 0)


@pytest.mark.slow
def test_the_public_weights_have_seen_most_of_the_official_test_films(shared_data: Path) -> None:
    folder = NihFolder.open(shared_data / "nih_tables")
    stems = read_list(folder.root / "test_list.txt")
    source = Source(list="chexnet_train_list.txt")
    found = teacher_caveat([source], part_judged(folder, "official-42-1", stems))
    assert found.teachers == (
        SeenByTeacher(
            split_id="official-42-1",
            part="test",
            films=25_596,
            trained=17_920,
            with_val=20_383,
            patients=20_383,
        ),
    )
    assert found.known == len(found.stems) == 20_383


@pytest.mark.slow
@pytest.mark.parametrize("knows", [{"split": 3}, {"seen": {"test": {"films": "many"}}}, {"seen": [1]}])
def test_damaged_notes_of_what_a_teacher_knows_are_a_sentence(model: Path, tiny_folder: Path, knows) -> None:
    amend(model, notes={"teacher": "t", "teacher_knows": [knows]})
    with pytest.raises(CheckpointError, match="notes of what its teachers know are damaged .(split|seen)"):
        judged(model, tiny_folder)
