"""The Results page: metrics, caveats, comparisons, thresholds tried out, errors, and what cannot be read."""

import json
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from app_pages import page, viewer, words, write_boxes
from demo_home import SPLIT, drawn_report, save_demo_evaluation, save_demo_model
from elsewhere_reports import elsewhere
from noise_folder import write_noise_folder
from streamlit.testing.v1 import AppTest
from unknown_films import HALF, NOBODY_KNOWS, unknown_report

from xlite.classify import Classifier
from xlite.data.folder import PHANTOM_NOTE, PHANTOM_TITLE
from xlite.evaluation.contamination.caveats import OtherEdition, TrainedOn
from xlite.findings import FINDINGS, spoken
from xlite.images import read_image
from xlite.messages import literal
from xlite.models import available
from xlite.models.info import read_info
from xlite.places import bundled
from xlite.report.caveat_sentences import sentence
from xlite.report.elsewhere_sentences import by_topic
from xlite.report.judged import judged_films, mistakes
from xlite.report.means import positives
from xlite.report.saved import saved_evaluations
from xlite.report.sections.findings import strongest
from xlite.report.write import write_report
from xlite.runs import hand_threshold

pytestmark = pytest.mark.usefixtures("one_scan", "no_charts", "only_this_home")
SECTIONS = [
    "Curves", "Operating point", "Findings", "Published", "Thresholds", "Calibration", "Subgroups",
    "Confusion", "Maps", "Radiologists", "Errors as films",
]  # fmt: skip


def section(name: str, **state: object) -> AppTest:
    """The page with that section open."""
    return page("results", section=name, **state).run()


def charts(test: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in test.get("plotly_chart")]


def lines(chart: dict) -> list[str]:
    return [line["name"] for line in chart["data"] if "name" in line]


@pytest.mark.slow
def test_it_shows_metrics_with_intervals_split_and_caveats(own_home: Path) -> None:
    save_demo_model(own_home)
    report = save_demo_evaluation(own_home)
    test = page("results").run()
    assert f"Judged on split {SPLIT}, test part: 200 films of 100 patients, 2020 labels" in words(test)
    mild = test.expander[1].markdown[0].value
    said = [line.removeprefix("- ") for line in mild.splitlines()]
    assert [line.lower() for line in said] == [f"{sentence(one)}.".lower() for one in report.caveats]
    assert [tab.label for tab in test.tabs] == SECTIONS
    assert len(charts(test)) == 2
    tables = words(section("Findings"))
    for finding in FINDINGS[:13]:
        one = report.per_class[finding]
        assert f"| {spoken(finding)} | {positives(one)} | {one.auc} |" in tables
    assert "| Hernia\\* | 0 | undefined | undefined |" in tables


@pytest.mark.slow
@pytest.mark.parametrize("name", SECTIONS)
def test_each_section_opens_and_what_was_judged_is_said_once(own_home: Path, name: str) -> None:
    save_demo_model(own_home)
    save_demo_evaluation(own_home)
    test = section(name, data="")
    drawn = charts(test)
    text = words(test) + json.dumps([chart["layout"] for chart in drawn])
    assert text.count("200 films of 100 patients") == 1 and "resamples of patients" in text
    assert all(chart.proto.alt for chart in test.get("plotly_chart"))


@pytest.mark.slow
def test_contaminated_metrics_are_struck_through_with_the_count(own_home: Path) -> None:
    save_demo_model(own_home)
    stems = frozenset(f"{number:08d}_000" for number in range(7))
    caveats = [TrainedOn(films=200, known=7, stems=stems), OtherEdition(learned="2017", judged="2020")]
    report = save_demo_evaluation(own_home, caveats=caveats)
    test = page("results").run()
    assert f"| demo0 | ~~{report.macro.auc} of 13~~ |" in words(test)
    assert "Contaminated: 7 of 200 films" in test.error[0].value
    assert "The model was trained on 7 of these films." in test.error[0].value
    assert test.expander[1].label == "To keep in mind (3)"
    assert "- The model learned the 2017 labels" in words(test) and words(test).count("keep in mind") == 0
    for chart, area in zip(charts(test), ("auc", "ap"), strict=True):
        areas = [(name, report.per_class[name].estimate(area)) for name in strongest(report)]
        assert lines(chart) == [f"{spoken(name)}  <s>{value}</s>" for name, value in areas]
    assert f"~~{report.per_class['Mass'].auc}~~" in words(section("Findings"))
    assert "Clean films" in [tab.label for tab in test.tabs]
    tried = words(section("Operating point", finding="Mass"))
    assert "| Specificity | ~~" in tried


@pytest.mark.slow
def test_models_of_different_splits_are_never_ranked_together(own_home: Path) -> None:
    for name, split in (("one", SPLIT), ("two", SPLIT), ("three", "official-42-99999999")):
        save_demo_evaluation(own_home, name, split, seed=len(name))
    test = page("results", model="one").run()
    assert test.multiselect(key="beside").options == ["two"]
    # An address names even what comes first: tomorrow it may be another one.
    assert test.query_params["judged"] == f"{SPLIT}, test part, 2020 labels"
    test.multiselect(key="beside").set_value(["two"]).run()
    table = next(one.value for one in test.markdown if one.value.startswith("| Model |"))
    assert [line.split("|")[1].strip() for line in table.splitlines()[2:4]] == ["one", "two"]
    test.selectbox(key="model").set_value("three").run()
    assert test.selectbox(key="judged").value == "official-42-99999999, test part, 2020 labels"
    assert [box.key for box in test.multiselect] == []
    assert "| three |" in words(test) and "| one |" not in words(test)


@pytest.mark.slow
def test_two_models_are_compared_by_a_paired_test(own_home: Path) -> None:
    for name, seed in (("one", 3), ("two", 3), ("better", 3)):
        save_demo_evaluation(own_home, name, seed=seed, signal=0.9 if name == "better" else 0.3)
    test = page("results", model="better", beside=["one"], curves=["Mass", "Edema"]).run()
    words(test)
    first, second = (
        test.info[0].value.index(name) for name in (" of **better** against ", " of one, on the ")
    )
    assert test.info[0].value.startswith("Mean AUC ") and first < second
    assert test.info[0].value.endswith(": higher than one.")
    assert "on the 200 films of 100 patients that both have" in test.info[0].value
    drawn = [line for line in charts(test)[0]["data"] if line.get("name")]
    assert [line["name"].split("  ")[0] for line in drawn] == [
        "Mass better", "Mass one", "Edema better", "Edema one",
    ]  # fmt: skip
    assert [line["line"]["dash"] for line in drawn] == ["solid", "dash"] * 2
    colors = [line["line"]["color"] for line in drawn]
    assert colors[0] == colors[1] != colors[2] == colors[3]
    assert sum(line.get("fill") == "toself" for line in charts(test)[0]["data"]) == 1
    test.toggle(key="bands").set_value(True).run()
    assert sum(line.get("fill") == "toself" for line in charts(test)[0]["data"]) == 4


@pytest.mark.slow
def test_a_caption_names_a_band_only_if_one_is_drawn(own_home: Path) -> None:
    save_demo_evaluation(own_home)
    others = ["Mass", "Edema", "Fibrosis"]
    for finding, drawn in (("Nodule", True), ("Hernia", False)):  # no film has Hernia
        test = page("results", curves=[finding, *others]).run()
        assert any(line.get("fill") == "toself" for line in charts(test)[0]["data"]) == drawn
        assert (f"The band is the 95 % interval of {finding} (demo0)" in words(test)) == drawn


@pytest.mark.slow
def test_a_link_opens_the_model_the_films_and_the_findings_that_it_names(own_home: Path) -> None:
    for name in ("one", "two"):
        save_demo_evaluation(own_home, name)
    test = page("results")
    for key, value in (("model", "two"), ("curves", "Mass"), ("section", "Curves"), ("beside", "one")):
        test.query_params[key] = value
    test.run()
    assert test.selectbox(key="model").value == "two" and test.multiselect(key="beside").value == ["one"]
    assert [name.split("  ")[0] for name in lines(charts(test)[0])] == ["Mass two", "Mass one"]


def test_a_link_to_what_is_not_here_says_so_and_shows_nothing_in_its_place(own_home: Path) -> None:
    save_demo_evaluation(own_home)
    test = page("results")
    test.query_params["model"] = "doesnotexist"
    test.run()
    assert [warning.value for warning in test.warning] == [
        literal("The model 'doesnotexist' is asked for, and it is not here")
    ]
    assert test.get("plotly_chart") == [] and "200 films" not in words(test)
    test = page("results")
    test.query_params["section"] = "Nope"
    test.run()
    assert [warning.value for warning in test.warning] == [
        literal("The section 'Nope' is asked for, and it is not here")
    ]
    test = page("results")
    test.query_params.update({"judged": "old-1, test part, 2020 labels", "beside": "nobody"})
    test.run()
    assert [info.value for info in test.info] == [
        "demo0 was not judged on old-1, test part, 2020 labels; its newest results are shown.",
        "Not judged on these films, so not shown beside it: nobody.",
    ]


def test_a_model_that_was_not_judged_says_how_that_is_done(own_home: Path) -> None:
    save_demo_evaluation(own_home)
    save_demo_model(own_home, "fresh")
    test = page("results", model="fresh").run()
    assert [info.value for info in test.info] == [
        "fresh has not been judged yet. “Evaluate a model” above does it."
    ]
    assert test.selectbox[0].label == "Model to judge" and test.selectbox[0].value == "fresh"


@pytest.mark.slow
def test_the_newest_evaluation_of_a_model_comes_first(own_home: Path) -> None:
    """Also if it was made elsewhere while the page was open."""
    save_demo_evaluation(own_home)
    test = page("results").run()
    assert test.selectbox(key="judged").options == [f"{SPLIT}, test part, 2020 labels"]
    source = own_home / "checkpoints" / "demo0" / "evaluation" / "test"
    later = source.with_name("later")
    later.mkdir()
    for path in source.iterdir():
        text = path.read_text().replace(SPLIT, "patient-7-77777777")
        (later / path.name).write_text(text)
    test.run()
    assert test.selectbox(key="judged").options == [
        "patient-7-77777777, test part, 2020 labels", f"{SPLIT}, test part, 2020 labels",
    ]  # fmt: skip
    assert test.selectbox(key="judged").value.startswith("patient-7")
    test.selectbox(key="judged").set_value(f"{SPLIT}, test part, 2020 labels").run()
    assert f"Judged on split {SPLIT}" in words(test)


@pytest.mark.slow
def test_an_evaluation_made_here_is_shown_and_stays_after_a_look_at_another_page(
    own_home: Path, tiny_folder: Path
) -> None:
    save_demo_evaluation(own_home, "aaa")
    save_demo_model(own_home)
    test = page("results", data=str(tiny_folder)).run()
    test.selectbox[0].set_value("demo0")
    test.button[0].click().run()
    words(test)
    [said] = [success.value for success in test.success]
    assert said.startswith("demo0 is judged on split patient-42-") and said.endswith("below.")
    assert "test part: 4 films of 2 patients, 2020 labels" in said
    kept = {key: test.session_state[key] for key in ("model", "judged", "evaluated")}
    assert kept["model"] == "demo0" and kept["judged"].startswith("patient-42-")
    again = page("results", data=str(tiny_folder), **kept).run()
    assert "4 films of 2 patients" in words(again) and again.selectbox(key="model").value == "demo0"
    test.selectbox(key="model").set_value("aaa").run()
    assert f"Judged on split {SPLIT}" in words(test) and len(test.success) == 0


def test_it_is_judged_on_the_data_folder_of_the_sidebar(own_home: Path) -> None:
    save_demo_model(own_home)
    test = page("results", data="/some/folder").run()
    assert [box.label for box in test.text_input] == ["Radiologists' labels (optional)"]
    assert "On the data folder of the sidebar, `/some/folder`." in words(test)
    bare = page("results", data="").run()
    assert "Name a data folder in the sidebar" in words(bare) and bare.button[0].disabled


@pytest.mark.slow
def test_a_bad_data_folder_is_refused_in_one_sentence(own_home: Path) -> None:
    save_demo_model(own_home)
    test = page("results", data="/nowhere/at/all").run()
    test.button[0].click().run()
    assert [error.message for error in test.exception] == []
    assert len(test.error) == 1 and "/nowhere/at/all" in test.error[0].value


@pytest.mark.slow
def test_a_shipped_model_judged_in_ones_own_home_shows_both_reports(own_home: Path) -> None:
    save_demo_model(available.bundled(), "demo", seed=1)
    save_demo_evaluation(available.bundled(), "demo")
    save_demo_evaluation(own_home, "demo", "official-42-99999999")
    options = page("results").run().selectbox(key="judged").options
    assert [option.split(",")[0] for option in options] == ["official-42-99999999", SPLIT]


@pytest.mark.slow
def test_a_threshold_is_tried_out(own_home: Path) -> None:
    save_demo_model(own_home)
    report = save_demo_evaluation(own_home)
    test = section("Operating point", finding="Mass")
    mass = report.per_class["Mass"]
    tried = words(test)
    assert "| Called at 50.0% |" in tried
    assert f"| Sensitivity (recall) | {mass.recall:.3f} (" in tried
    assert f"| Specificity | {mass.specificity:.3f} (" in tried
    assert f"| PPV at a prevalence of {mass.prevalence:.1%} | {mass.precision:.3f} (" in tried
    marks = [chart["data"][-1] for chart in charts(test)]
    assert [mark["name"] for mark in marks] == ["at 50.0%"] * 2
    assert marks[0]["x"] == [pytest.approx(1 - mass.specificity)]
    assert marks[1]["y"] == [pytest.approx(mass.precision)]
    test.slider(key="cut").set_value(20.0)
    test.number_input(key="prevalence").set_value(1.0).run()
    tried = words(test)
    assert "| Called at 20.0% |" in tried and "| PPV at a prevalence of 1.0% |" in tried
    test.selectbox(key="finding").set_value("Edema").run()
    assert test.slider(key="cut").value == 50.0  # another finding begins at its own threshold
    rule = report.operating_points["f1"].per_class["Edema"].threshold
    next(button for button in test.button if button.label.startswith("Best F1")).click().run()
    assert test.slider(key="cut").value == pytest.approx(100 * rule)
    test.selectbox(key="finding").set_value("Hernia").run()
    assert "Hernia: 0 patients with it and 100 without it among these films." in test.info[0].value
    assert len(test.slider) == 0


@pytest.mark.slow
def test_a_finding_that_is_not_labelled_here_says_so_in_each_section(own_home: Path) -> None:
    save_demo_model(own_home)
    report, films = unknown_report()
    write_report(own_home / "checkpoints" / "demo0" / "evaluation" / "test", report, films)
    test = section("Operating point", finding=NOBODY_KNOWS)
    said = f"{NOBODY_KNOWS} is not labelled here: its label is known of none of these films."
    assert test.info[0].value == said and len(test.slider) == 0
    words(test)
    assert [one.value for one in section("Errors as films", finding=NOBODY_KNOWS).info] == [said]
    assert f"| {NOBODY_KNOWS} | not labelled here |" in words(section("Findings"))
    half = section("Operating point", finding=HALF)
    positive = report.per_class[HALF].positives
    assert f"of {positive} films with it are called" in words(half)
    assert f"of {150 - positive} films without it are not called" in words(half)


def test_a_link_opens_the_threshold_that_somebody_tried(own_home: Path) -> None:
    save_demo_evaluation(own_home)
    test = page("results")
    test.query_params.update({"section": "Operating point", "finding": "Pleural thickening", "cut": "35.0"})
    test.run()
    assert "| Called at 35.0% |" in words(test)
    assert test.selectbox(key="finding").value == "Pleural_Thickening"


@pytest.mark.slow
def test_a_threshold_is_kept_in_the_models_file(own_home: Path) -> None:
    path = save_demo_model(own_home)
    save_demo_evaluation(own_home)
    test = section("Operating point", finding="Mass", cut=25.0)
    assert "These are test films" in test.warning[-1].value
    next(button for button in test.button if button.label.startswith("Keep 25.0%")).click().run()
    words(test)
    assert read_info(path).thresholds["Mass"] == 0.25
    [said] = [success.value for success in test.success]
    assert said.startswith(
        "demo0 now calls Mass from 25.0% on instead of 50.0%, chosen by hand on the test part"
    )
    assert "- It was chosen on test films" in said
    assert any("The tables below are of 50.0%" in warning.value for warning in test.warning)
    assert len(test.run().success) == 0


def test_the_threshold_of_a_shipped_model_is_not_offered_to_be_kept(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hand_threshold, "bundled", available.bundled)
    save_demo_model(available.bundled(), "demo")
    save_demo_evaluation(available.bundled(), "demo")
    test = section("Operating point", finding="Mass")
    assert "A model that comes with X-Lite keeps its thresholds." in words(test)
    assert not any(button.label.startswith("Keep") for button in test.button)


def test_a_report_without_labels_says_where_to_get_them(own_home: Path) -> None:
    save_demo_evaluation(own_home)
    (own_home / "checkpoints" / "demo0" / "evaluation" / "test" / "labels.csv").unlink()
    for name in ("Operating point", "Errors as films"):
        test = section(name, data="")
        assert "This evaluation holds no labels: name in the sidebar the data folder" in test.info[-1].value


@pytest.mark.slow
def test_errors_are_films_with_links_to_read_them(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked = []
    monkeypatch.setattr(st, "page_link", lambda page, **words: linked.append((page, words["query_params"])))
    folder = write_noise_folder(tmp_path / "data")
    save_demo_model(own_home)
    test = page("results", data=str(folder)).run()
    test.button[0].click().run()
    [evaluation] = saved_evaluations()[0]
    films = judged_films(evaluation, None)
    wrong = {
        name: [*mistakes(films, name, 0.5, "missed", 8), *mistakes(films, name, 0.5, "alarm", 8)]
        for name in FINDINGS
    }
    finding = max(FINDINGS, key=lambda name: len(wrong[name]))
    test.session_state["section"], test.session_state["finding"] = "Errors as films", finding
    test.run()
    said = spoken(finding)
    assert f"**Missed**: {said}" in words(test) and f"**Called without it**: {said}" in words(test)
    link = {"model": "demo0", "data": str(folder)}
    page_read = str(bundled("pages", "classify.py"))
    assert linked == [(page_read, {"film": one.stem, **link}) for one in wrong[finding]]
    assert len(test.get("image")) == len(linked) > 0
    assert all(f"labelled {', '.join(map(spoken, one.labels))}" in words(test) for one in wrong[finding])
    assert "it may be the label that is wrong" in words(test)
    (folder / PHANTOM_NOTE).write_text(f"{PHANTOM_TITLE}\n")  # whose labels are exact
    assert "it may be the label that is wrong" not in words(test.run())
    bare = section("Errors as films", data="", model="demo0", finding=finding)
    assert len(bare.get("image")) == 0 and "Name in the sidebar the data folder" in words(bare)


@pytest.mark.slow
def test_a_film_of_the_errors_is_viewed_with_its_boxes_and_the_maps_of_the_model(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(st, "page_link", lambda page, **words: None)
    folder = write_noise_folder(tmp_path / "data")
    save_demo_model(own_home)
    test = page("results", data=str(folder)).run()
    test.button[0].click().run()
    [evaluation] = saved_evaluations()[0]
    films = judged_films(evaluation, None)
    finding, (film, *_) = next(
        (name, wrong) for name in FINDINGS if (wrong := mistakes(films, name, 0.5, "alarm", 8))
    )
    write_boxes(folder, f"{film.stem}.png,{finding},512,256,102.4,51.2")
    state = {"data": str(folder), "finding": finding}
    test = section("Errors as films", **state)
    assert [one.proto.component_name for one in test.get("bidi_component")] == []
    [button, *_] = [one for one in test.button if one.label == "View" and film.stem in one.help]
    shown = viewer(button.click().run())
    assert test.selectbox(key="film").value == film.stem == shown["name"]
    image = read_image(folder / "images" / f"{film.stem}.png")
    np.testing.assert_array_equal(shown["film"], image)
    assert [box["title"] for box in shown["boxes"]] == [spoken(finding)]
    reading = Classifier.load("demo0").read(image)
    assert shown["finding"] == finding
    assert [one["title"] for one in shown["maps"]] == [
        f"{spoken(name)}, {share:.1%}" for name, share in reading.top(14)
    ]
    linked = page("results", data=str(folder))
    address = {"section": "Errors as films", "finding": spoken(finding), "film": film.stem}
    linked.query_params.update(address)
    linked_to = viewer(linked.run())
    assert (linked_to["name"], linked_to["finding"]) == (film.stem, finding)
    other = section("Errors as films", **state, film="00000999_000")
    assert "00000999_000 is not one of these films." in literal_words(other) and not other.get(
        "bidi_component"
    )


def test_sections_that_have_nothing_say_how_to_get_it(own_home: Path) -> None:
    save_demo_evaluation(own_home)
    for name, said in (("Maps", "BBox_List_2017.csv"), ("Radiologists", "name its file in the form above")):
        assert said in literal_words(section(name))


def literal_words(test: AppTest) -> str:
    return words(test).replace("\\", "")


@pytest.mark.slow
@pytest.mark.parametrize("content", ["", '{"split": {', "[]", '{"split": {"id": 3}}', "\xff"])
@pytest.mark.parametrize("file", ["metrics.json", "curves.json"])
def test_a_damaged_evaluation_is_skipped_and_named(own_home: Path, content: str, file: str) -> None:
    save_demo_model(own_home)
    save_demo_evaluation(own_home)
    save_demo_evaluation(own_home, "broken")
    damaged = own_home / "checkpoints" / "broken" / "evaluation" / "test" / file
    damaged.write_bytes(content.encode("latin-1"))
    test = page("results").run()
    assert "200 films of 100 patients" in words(test)
    [warning] = [warning.value for warning in test.warning if str(damaged.parent) in warning.value]
    assert warning.startswith(f"The evaluation {damaged.parent} is damaged and left out")


@pytest.mark.slow
def test_a_model_elsewhere_is_shown_beside_its_own_test_films(own_home: Path) -> None:
    save_demo_model(own_home)
    report, films = drawn_report(name="demo0", split_id="all-99999999", seed=1)
    report = report.model_copy(update={"elsewhere": elsewhere()})
    write_report(own_home / "checkpoints" / "demo0" / "evaluation" / "clinic", report, films)
    test = section("Elsewhere")
    assert [tab.label for tab in test.tabs] == [*SECTIONS[:2], "Elsewhere", *SECTIONS[2:]]
    [part] = [box for box in test.selectbox if box.label == "Part"]
    assert part.options == ["test", "val", "all"]
    text = words(test)
    for said in by_topic(elsewhere()).values():
        assert literal(" ".join(said)) in text
    assert "| mean of 2 | 0.825 (0.800–0.850) | 0.750 (0.700–0.790) | -0.075 (-0.131 to -0.028) |" in text
