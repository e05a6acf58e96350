from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from labelled import given, labelling_of

from xlite.errors import DataError, RunError
from xlite.findings import FINDINGS
from xlite.labelling import labelling as module
from xlite.labelling.due import HELD, Rules
from xlite.labelling.entry import DrawnBox, Given
from xlite.labelling.labelling import Labelling, reader_name

ONE, TWO, THREE = "00000001_000", "00000001_001", "00000002_000"


def next_film(labelling: Labelling, reader: str) -> str | None:
    task = labelling.next_task(labelling.state(), reader)
    return task and task.film


def test_it_is_a_folder_with_a_copy_of_the_worklist(tiny_folder: Path):
    made = labelling_of(tiny_folder, films=3, double=0.5, seed=7, adjudicator=" Cleo ")
    found = Labelling.named("ward")
    assert found == made and [one.name for one in Labelling.all()] == ["ward"]
    assert found.films == [ONE, TWO, THREE]
    assert found.settings.model_dump() == {
        "data": str(tiny_folder),
        "double": 0.5,
        "seed": 7,
        "adjudicator": "Cleo",
        "left_out": 0,
    }
    assert sorted(path.name for path in made.folder.iterdir()) == [
        "answers.jsonl",
        "labelling.json",
        "worklist.csv",
    ]


def test_films_without_a_picture_are_left_out_and_counted(tiny_folder: Path):
    (tiny_folder / "images" / f"{TWO}.png").unlink()
    made = labelling_of(tiny_folder, films=3)
    assert (made.films, made.settings.left_out) == ([ONE, THREE], 1)


def test_what_cannot_begin_leaves_nothing(tiny_folder: Path):
    films = [ONE, TWO]
    Labelling.create("ward", tiny_folder, films)
    for name, named, rules, why in (
        ("ward", films, {}, "there is a labelling 'ward' already"),
        ("a/b", films, {}, "cannot be a run's name"),
        ("new", [ONE, "none"], {}, "lists no film none"),
        ("new", films, {"double": 1.5}, "double is 1.5"),
        ("new", films, {"adjudicator": "a|b"}, "cannot be a reader's name"),
    ):
        with pytest.raises((DataError, RunError), match=why):
            Labelling.create(name, tiny_folder, named, **rules)
    for film in (tiny_folder / "images").iterdir():
        film.unlink()
    with pytest.raises(DataError, match="has no picture of any of these films"):
        Labelling.create("new", tiny_folder, films)
    assert [one.name for one in Labelling.all()[0].folder.parent.iterdir()] == ["ward"]
    with pytest.raises(RunError, match="there is no labelling 'new'; there are ward"):
        Labelling.named("new")


def test_films_come_by_rank_and_a_film_that_is_open_comes_again(tiny_folder: Path):
    ward = labelling_of(tiny_folder, films=2)
    assert next_film(ward, "Ann") == ONE
    ward.open("Ann", ONE)
    assert next_film(ward, "Ann") == ONE
    ward.answer("Ann", ONE, given(Mass="yes"))
    assert next_film(ward, "Ann") == TWO
    ward.answer("Ann", TWO, given())
    assert next_film(ward, "Ann") is None and next_film(ward, "Bob") is None


def test_two_readers_at_once_are_given_different_films_until_one_is_away_too_long(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    ward = labelling_of(tiny_folder, films=2)
    ward.open("Ann", ONE)
    assert next_film(ward, "Bob") == TWO
    ward.answer("Bob", TWO, given())
    assert next_film(ward, "Bob") == ONE  # nothing else is left for him

    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return datetime.now(UTC) + HELD + timedelta(seconds=1)

    monkeypatch.setattr(module, "datetime", Later)
    assert next_film(ward, "Cleo") == ONE


def test_opening_a_film_again_is_no_news(tiny_folder: Path):
    ward = labelling_of(tiny_folder, films=2)
    for _ in range(3):
        ward.open("Ann", ONE)
    assert [entry.act for entry in ward.log.read()] == ["opened"]


def test_two_tabs_of_one_reader_do_not_double_an_answer(tiny_folder: Path):
    ward = labelling_of(tiny_folder, films=2)
    assert ward.answer("Ann", ONE, given(5, Mass="yes")) is not None
    assert ward.answer("Ann", ONE, given(9, Mass="yes")) is None
    with pytest.raises(RunError, match="Ann has answered 00000001_000 already, in another tab"):
        ward.answer("Ann", ONE, given(5, Edema="yes"))
    assert [entry.answers["Mass"] for entry in ward.log.read()] == ["yes"]


def test_an_answer_that_is_taken_back_comes_again_with_what_it_was(tiny_folder: Path):
    ward = labelling_of(tiny_folder, films=2)
    ward.answer("Ann", ONE, given(Mass="yes"))
    ward.answer("Ann", TWO, given(Edema="yes"))
    assert ward.undo("Ann") == TWO
    task = ward.next_task(ward.state(), "Ann")
    assert task and task.film == TWO and task.before and task.before.answers["Edema"] == "yes"
    assert ward.undo("Ann") == ONE
    assert next_film(ward, "Ann") == ONE
    with pytest.raises(RunError, match="Ann has no answer to take back"):
        ward.undo("Ann")
    ward.answer("Ann", ONE, given(Hernia="yes"))
    [reading] = ward.state().film(ONE).readings
    assert reading.answers["Hernia"] == "yes" and reading.answers["Mass"] == "no"
    assert len(ward.log.read()) == 5  # nothing is ever taken out of the log


def test_each_opinion_that_a_reader_sees_is_noted_once(tiny_folder: Path):
    ward = labelling_of(tiny_folder, films=2)
    ward.answer("Ann", ONE, given())
    for source in ("demo", "doubts.csv", "demo", "doubts.csv"):
        ward.note_opinion("Ann", ONE, source)
    assert [entry.model for entry in ward.log.read() if entry.act == "opinion"] == ["demo", "doubts.csv"]


def test_the_answer_before_the_opinion_counts_and_a_changed_mind_stands_beside_it(tiny_folder: Path):
    ward = labelling_of(tiny_folder, films=2)
    with pytest.raises(RunError, match="Ann has not answered"):
        ward.change("Ann", ONE, given())
    ward.answer("Ann", ONE, given())
    ward.note_opinion("Ann", ONE, "demo")
    ward.note_opinion("Ann", ONE, "demo")
    assert ward.change("Ann", ONE, given()) is None
    ward.change("Ann", ONE, given(Mass="yes"))
    ward.change("Ann", ONE, given(8, Mass="yes"))
    one = ward.state().film(ONE)
    assert [entry.answers["Mass"] for entry in one.readings] == ["no"]
    assert [(entry.answers["Mass"], entry.after_opinion) for entry in one.changed] == [("yes", True)]
    assert [entry.act for entry in ward.log.read()] == ["reading", "opinion", "changed"]
    ward.undo("Ann")
    ward.undo("Ann")
    ward.answer("Ann", ONE, given(Mass="yes"))
    [again] = ward.state().film(ONE).readings
    assert again.after_opinion  # whoever takes an answer back after the opinion has seen it


def test_double_reading_is_drawn_by_film_and_seed(tiny_folder: Path):
    films = [f"film{number}" for number in range(10_000)]
    share = sum(map(Rules(double=0.2, seed=1).is_double, films)) / len(films)
    assert 0.19 < share < 0.21
    assert [*map(Rules(0.2, 1).is_double, films)] == [*map(Rules(0.2, 1).is_double, films)]
    assert [*map(Rules(0.2, 1).is_double, films)] != [*map(Rules(0.2, 2).is_double, films)]
    assert {film for film in films if Rules(0.2, 1).is_double(film)} < {
        film for film in films if Rules(0.3, 1).is_double(film)
    }
    assert not any(map(Rules(0.0, 1).is_double, films)) and all(map(Rules(1.0, 1).is_double, films))


def test_what_two_readers_disagree_on_goes_to_a_third_who_sees_both(tiny_folder: Path):
    ward = labelling_of(tiny_folder, films=2, double=1.0)
    ward.answer("Ann", ONE, given(Mass="yes", Edema="unsure"))
    assert next_film(ward, "Bob") == ONE
    ward.answer("Bob", ONE, given(Mass="no", Edema="unsure"))
    assert ward.state().film(ONE).disputed == ["Mass"]
    assert next_film(ward, "Ann") == TWO and next_film(ward, "Bob") == TWO
    task = ward.next_task(ward.state(), "Cleo")
    assert task and task.is_dispute and task.film == ONE
    assert [entry.reader for entry in task.others] == ["Ann", "Bob"]
    with pytest.raises(RunError, match="has no dispute for Dan to settle"):
        ward.answer("Dan", TWO, given(), settles=True)
    ward.answer("Cleo", ONE, given(Mass="yes"), settles=True)
    assert ward.state().film(ONE).adjudication
    with pytest.raises(RunError, match="has no dispute for Dan to settle"):
        ward.answer("Dan", ONE, given(), settles=True)
    with pytest.raises(RunError, match="was adjudicated since"):
        ward.undo("Bob")


def test_a_named_adjudicator_settles_alone_and_reads_nothing_twice(tiny_folder: Path):
    ward = labelling_of(tiny_folder, films=2, double=1.0, adjudicator="Cleo")
    assert next_film(ward, "Cleo") is None
    ward.answer("Ann", ONE, given(Mass="yes"))
    ward.answer("Bob", ONE, given())
    assert next_film(ward, "Dan") == TWO
    assert next_film(ward, "Cleo") == ONE
    single = labelling_of(tiny_folder, "single", films=2, adjudicator="Cleo")
    assert next_film(single, "Cleo") == ONE


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ({"answers": {"Mass": "yes"}}, "each of the 14 findings needs an answer"),
        (
            {"answers": dict.fromkeys(FINDINGS, "maybe")},
            "answers.Atelectasis is 'maybe': input should be 'yes', 'no' or 'unsure'",
        ),
        ({"answers": dict.fromkeys(FINDINGS, "no"), "seconds": float("nan")}, "finite"),
        ({"answers": dict.fromkeys(FINDINGS, "no"), "more": 1}, "more is 1: extra inputs"),
        (
            {
                "answers": dict.fromkeys(FINDINGS, "no"),
                "boxes": [{"finding": "Mass", "x": 1, "y": 1, "w": 1, "h": 1}],
            },
            "a box is around Mass, which the film is said not to have",
        ),
        ("text", "valid"),
    ],
    ids=["few", "maybe", "nan", "more", "box", "text"],
)
def test_what_a_browser_sends_is_checked(sent: object, why: str):
    with pytest.raises(DataError, match=f"the answer cannot be kept: .*{why}"):
        Given.checked(sent)


def test_boxes_come_back(tiny_folder: Path):
    ward = labelling_of(tiny_folder)
    box = DrawnBox(finding="Mass", x=10, y=20.5, w=30, h=40)
    ward.answer("Ann", ONE, given(Mass="yes", boxes=[box]))
    [reading] = ward.state().film(ONE).readings
    assert reading.given and reading.given.boxes == (box,)


@pytest.mark.parametrize("name", ["", "  ", "a|b", "a\x1b[31m", "a" * 101], ids=repr)
def test_what_is_no_name_of_a_reader(name: str):
    with pytest.raises(DataError, match="cannot be a reader's name"):
        reader_name(name)


def test_a_name_has_single_blanks():
    assert reader_name("  Ann   Example ") == "Ann Example"


def test_damaged_settings_are_named(tiny_folder: Path):
    ward = labelling_of(tiny_folder)
    (ward.folder / "labelling.json").write_text('{"data": 3}')
    with pytest.raises(DataError, match=r"labelling.json is damaged: data is 3"):
        _ = Labelling.named("ward").settings
