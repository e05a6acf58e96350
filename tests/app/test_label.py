"""The Label page in each of its states, without a browser."""

import json
from pathlib import Path

import pytest
from app_pages import page, viewer, words
from demo_home import save_demo_model
from labelled import given, labelling_of, write_list
from streamlit.testing.v1 import AppTest

from xlite.findings import FINDINGS
from xlite.labelling.entry import DrawnBox
from xlite.labelling.labelling import Labelling

pytestmark = pytest.mark.usefixtures("only_this_home", "one_scan", "lenient")
ONE = "00000001_000"


def form(test: AppTest) -> dict:
    """What the form is given."""
    import json

    [data] = [
        one.proto.json for one in test.get("bidi_component") if one.proto.component_name == "xlite_label_form"
    ]
    return dict(json.loads(data))


def label(labelling: Labelling, reader: str = "Ann", **state: object) -> AppTest:
    return page("label", data=labelling.settings.data, labelling=labelling.name, reader=reader, **state).run()


def button(test: AppTest, name: str):
    return next(one for one in test.button if one.label == name)


def test_without_a_labelling_it_offers_to_begin_one(tiny_folder: Path, tmp_path: Path):
    path = write_list(tiny_folder, tmp_path / "list.csv", 4)
    test = page("label", data=str(tiny_folder)).run()
    assert "There is no labelling yet." in words(test)
    fields = {one.label: one for one in test.text_input}
    fields["Name"].input("ward")
    fields["Worklist"].input(str(path))
    button(test, "Begin").click().run()
    ward = Labelling.named("ward")
    assert (len(ward.films), ward.settings.double) == (4, 0.2)
    assert "Say who you are: answers are kept by reader." in words(test)
    assert test.session_state["labelling"] == "ward"


def test_what_cannot_begin_is_said(tiny_folder: Path):
    test = page("label", data=str(tiny_folder)).run()
    {one.label: one for one in test.text_input}["Name"].input("ward")
    button(test, "Begin").click().run()
    [error] = test.error
    assert error.value and Labelling.all() == []


def test_a_film_waits_for_its_reader_without_any_opinion(tiny_folder: Path, own_home: Path):
    save_demo_model(own_home)
    ward = labelling_of(tiny_folder)
    test = label(ward)
    given_form = form(test)
    assert (given_form["film"], given_form["phase"]) == (ONE, "read")
    assert given_form["answers"] == given_form["opinion"] == {} and given_form["boxes"] == []
    assert [one["name"] for one in given_form["findings"]] == list(FINDINGS)
    shown = viewer(test)
    assert (shown["name"], shown["maps"], shown["boxes"]) == (ONE, [], [])
    assert [entry.act for entry in ward.log.read()] == ["opened"]


@pytest.mark.slow
def test_the_opinion_comes_after_the_answer_and_is_noted_before(tiny_folder: Path, own_home: Path):
    save_demo_model(own_home)
    ward = labelling_of(tiny_folder)
    test = label(ward)
    test.session_state["sitting"].take({"act": "answer", "film": ONE, **given(Mass="yes").model_dump()})
    assert [entry.act for entry in ward.log.read()] == ["opened", "reading"]
    test.run()
    shown = form(test)
    assert (shown["film"], shown["phase"], shown["turn"].split()[1]) == (ONE, "saved", "1")
    assert shown["answers"]["Mass"] == "yes"
    assert set(shown["opinion"]) == set(FINDINGS) and shown["opinion"]["Mass"]["text"].endswith("%")
    assert len(viewer(test)["maps"]) == 14
    [*_, last] = ward.log.read()
    assert (last.act, last.model) == ("opinion", "demo0")
    test.session_state["sitting"].take({"act": "next", "film": ONE})
    test.run()
    assert (form(test)["film"], viewer(test)["maps"]) == (ward.films[1], [])


def test_labels_in_doubt_are_told_after_the_answer_alone(tiny_folder: Path):
    (tiny_folder / "doubts.csv").write_text(
        "Image Index,Patient ID,Rank,Finding,Label,Probability\n"
        f"{ONE}.png,1,3,Edema,no,0.6\n{ONE}.png,1,1,Mass,no,0.912\n{ONE}.png,1,2,Cardiomegaly,yes,0.1\n"
    )
    ward = labelling_of(tiny_folder)
    test = label(ward)
    assert [one.value for one in test.info] == [] and "doubt" not in json.dumps(form(test)).lower()
    answers = given(Mass="yes", Cardiomegaly="unsure")
    test.session_state["sitting"].take({"act": "answer", "film": ONE, **answers.model_dump()})
    test.run()
    assert [one.value for one in test.info] == [
        "In doubt in the data folder: Mass labelled no, 91.2% likely (you say yes); Cardiomegaly labelled "
        "yes, 10.0% likely (you are unsure); Edema labelled no, 60.0% likely (you say no)."
    ]
    [*_, last] = ward.log.read()
    assert (last.act, last.model) == ("opinion", "doubts.csv")
    test.session_state["sitting"].take({"act": "next", "film": ONE})
    test.run()
    assert [one.value for one in test.info] == []


def test_without_opinions_the_answer_is_shown_alone(tiny_folder: Path, own_home: Path):
    save_demo_model(own_home)
    ward = labelling_of(tiny_folder)
    test = label(ward, opinion=False)
    test.session_state["sitting"].take({"act": "answer", "film": ONE, **given().model_dump()})
    test.run()
    assert (form(test)["phase"], form(test)["opinion"]) == ("saved", {})
    assert [entry.act for entry in ward.log.read()] == ["opened", "reading"]


def test_a_dispute_shows_both_answers_and_boxes_to_a_third(tiny_folder: Path):
    ward = labelling_of(tiny_folder, double=1.0)
    box = DrawnBox(finding="Mass", x=512, y=256, w=64, h=128)
    ward.answer("Ann", ONE, given(Mass="yes", boxes=[box]))
    ward.answer("Bob", ONE, given())
    test = label(ward, "Cleo")
    assert [one.value for one in test.info] == [
        "Ann and Bob disagree on 1 of the 14 findings of this film. Both answers stand below each of these, "
        "and yours settles it; the others have what both said."
    ]
    shown = form(test)
    assert (shown["phase"], shown["disputed"]) == ("settle", ["Mass"])
    assert shown["answers"] == {name: "no" for name in FINDINGS if name != "Mass"}
    assert [(one["reader"], one["answers"]["Mass"]) for one in shown["others"]] == [
        ("Ann", "yes"),
        ("Bob", "no"),
    ]
    [drawn] = viewer(test)["boxes"]
    assert drawn == {"title": "Mass (Ann)", "x": 32, "y": 16, "width": 4, "height": 8}
    test.session_state["sitting"].take(
        {"act": "answer", "film": ONE, "settles": True, **given(Mass="yes").model_dump()}
    )
    assert ward.state().film(ONE).adjudication


def test_what_could_not_be_kept_is_said_and_nothing_is_lost(tiny_folder: Path):
    ward = labelling_of(tiny_folder)
    test = label(ward)
    ward.answer("Ann", ONE, given(Mass="yes"))  # in another tab
    test.session_state["sitting"].take({"act": "answer", "film": ONE, **given(Edema="yes").model_dump()})
    test.run()
    assert form(test)["error"].startswith("Ann has answered 00000001_000 already, in another tab")
    assert form(test)["film"] == ward.films[1]
    test.session_state["sitting"].take({"act": "answer", "film": ward.films[1], "answers": {"Mass": "yes"}})
    assert test.session_state["sitting"].error.startswith("The answer cannot be kept: each of the 14")
    [reading] = ward.state().film(ONE).readings
    assert reading.answers["Mass"] == "yes"


def test_undo_brings_the_film_back_with_what_was_said(tiny_folder: Path):
    ward = labelling_of(tiny_folder)
    test = label(ward)
    box = DrawnBox(finding="Mass", x=0, y=0, w=512, h=512)
    sent = given(Mass="unsure", boxes=[box]).model_dump()
    test.session_state["sitting"].take({"act": "answer", "film": ONE, **sent})
    test.session_state["sitting"].take({"act": "undo", "film": ONE})
    test.run()
    shown = form(test)
    assert (shown["film"], shown["phase"], shown["answers"]["Mass"]) == (ONE, "read", "unsure")
    assert shown["boxes"] == [{"finding": "Mass", "x": 0, "y": 0, "width": 32, "height": 32}]


def test_at_the_end_there_are_numbers_and_a_data_folder(tiny_folder: Path, own_home: Path):
    ward = labelling_of(tiny_folder, films=2, double=1.0)
    for film in ward.films:
        ward.answer("Ann", film, given(Mass="yes"))
        ward.answer("Bob", film, given(Mass="yes"))
    test = label(ward)
    assert [one.value for one in test.success] == ["All films are done. The labels can be taken along below."]
    tables = [one.value for one in test.dataframe]
    assert [table.iloc[:, 0].tolist() for table in tables] == [["Ann", "Bob"]]
    told = "Kappa is undefined for all 14 findings: both gave all films the same answer."
    assert told in [one.value for one in test.caption]
    for one in test.dataframe:
        shown = json.loads(one.proto.columns)
        assert {shown[name]["alignment"] for name in one.value.columns[1:]} == {"right"}
    button(test, "Make the data folder").click().run()
    assert test.success[-1].value.startswith("24 films in ")
    assert (own_home / "data" / "ward-labels" / "Data_Entry_2017_labels.csv").is_file()
    button(test, "Make the data folder").click().run()
    assert "is there already and not an empty folder" in test.error[0].value


def test_nobody_is_left_to_read_for_one_alone(tiny_folder: Path):
    ward = labelling_of(tiny_folder, films=2, double=1.0)
    for film in ward.films:
        ward.answer("Ann", film, given())
    assert [one.value for one in label(ward).success] == [
        "No film is left for Ann: 2 films wait for another reader."
    ]


def test_a_picture_that_is_gone_holds_nobody_up(tiny_folder: Path):
    ward = labelling_of(tiny_folder)
    (tiny_folder / "images" / f"{ONE}.png").unlink()
    test = label(ward)
    assert "The picture of 00000001_000 is not in the data folder any more" in test.error[0].value.replace(
        "\\", ""
    )
    assert form(test)["film"] == ONE


def test_a_name_that_is_none_and_a_log_that_is_damaged_are_said(tiny_folder: Path):
    ward = labelling_of(tiny_folder)
    assert "cannot be a reader's name" in label(ward, "a|b").error[0].value.replace("\\", "")
    ward.log.path.write_bytes(b"{}\n")
    assert "line 1 of" in label(ward).error[0].value.lower()
