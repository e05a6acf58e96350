"""The Results page: metrics with intervals, caveats, comparisons, and evaluations that cannot be read."""

import json
from pathlib import Path

import pytest
from app_pages import page, words
from demo_home import SPLIT, save_demo_evaluation, save_demo_model

from xlite.evaluation.caveats import OtherEdition, TrainedOn
from xlite.findings import FINDINGS, spoken
from xlite.models import available
from xlite.report.means import positives
from xlite.report.sections.findings import strongest
from xlite.report.sentences import sentence

pytestmark = pytest.mark.usefixtures("one_scan", "no_charts", "only_this_home")


def test_it_shows_metrics_with_intervals_split_and_caveats(own_home: Path) -> None:
    save_demo_model(own_home)
    report = save_demo_evaluation(own_home)
    test = page("results").run()
    text = words(test)
    assert f"split {SPLIT}, test part: 200 films of 100 patients, 2020 labels" in text
    said = [line.removeprefix("- ") for line in test.warning[0].value.splitlines()[2:]]
    assert [line.lower() for line in said] == [f"{sentence(one)}.".lower() for one in report.caveats]
    assert [tab.label for tab in test.tabs] == [
        "Curves", "Findings", "Published", "Thresholds", "Calibration", "Subgroups", "Confusion", "Maps",
        "Radiologists",
    ]  # fmt: skip
    assert len(test.get("plotly_chart")) == 6
    tables = "\n".join(markdown.value for markdown in test.tabs[1].markdown)
    for finding in FINDINGS[:13]:
        one = report.per_class[finding]
        assert f"| {spoken(finding)} | {positives(one)} | {one.auc} |" in tables
    assert "| Hernia\\* | 0 | undefined | undefined |" in tables


def test_contaminated_metrics_are_struck_through_with_the_count(own_home: Path) -> None:
    save_demo_model(own_home)
    stems = frozenset(f"{number:08d}_000" for number in range(7))
    caveats = [TrainedOn(films=200, known=7, stems=stems), OtherEdition(learned="2017", judged="2020")]
    report = save_demo_evaluation(own_home, caveats=caveats)
    test = page("results").run()
    words(test)
    assert "Contaminated: 7 of 200 films" in test.error[0].value
    assert "The model was trained on 7 of these films." in test.error[0].value
    assert test.expander[1].label == "To keep in mind (3)"
    assert "The model learned the 2017 labels" in test.warning[0].value
    tabs = {tab.label: tab for tab in test.tabs}
    assert f"~~{report.per_class['Mass'].auc}~~" in "\n".join(one.value for one in tabs["Findings"].markdown)
    assert len(tabs["Clean films"].markdown) == 1
    for chart, area in zip(tabs["Curves"].get("plotly_chart"), ("auc", "ap"), strict=True):
        lines = [line["name"] for line in json.loads(chart.proto.spec)["data"] if "name" in line]
        areas = [(name, report.per_class[name].estimate(area)) for name in strongest(report)]
        assert lines == [f"{spoken(name)}  <s>{value}</s>" for name, value in areas]
    assert f"| demo0 | ~~{report.macro.auc} of 13~~ |" in test.markdown[0].value


@pytest.mark.slow
def test_models_of_different_splits_are_never_ranked_together(own_home: Path) -> None:
    for name, split in (("one", SPLIT), ("two", SPLIT), ("three", "official-42-99999999")):
        save_demo_evaluation(own_home, name, split, seed=len(name))
    test = page("results").run()
    [group] = [box for box in test.selectbox if box.label == "Judged on"]
    [models] = test.multiselect
    assert len(group.options) == 2
    assert set(models.options) in ({"one", "two"}, {"three"})
    group.set_value((SPLIT, "test", "2020")).run()
    assert set(test.multiselect[0].options) == {"one", "two"}
    test.multiselect[0].set_value(["one", "two"]).run()
    words(test)
    assert [line.split("|")[1].strip() for line in test.markdown[0].value.splitlines()[2:4]] == ["one", "two"]


@pytest.mark.slow
def test_two_models_are_compared_by_a_paired_test(own_home: Path) -> None:
    for name, seed in (("one", 3), ("two", 3), ("better", 3)):
        save_demo_evaluation(own_home, name, seed=seed, signal=0.9 if name == "better" else 0.3)
    test = page("results").run()
    test.multiselect[0].set_value(["better", "one"]).run()
    words(test)
    first, second = (
        test.info[0].value.index(name) for name in (" of **better** against ", " of one, on the ")
    )
    assert test.info[0].value.startswith("Macro AUC ") and first < second
    assert test.info[0].value.endswith(": higher than one")
    assert "on the 200 films of 100 patients that both have" in test.info[0].value


def test_an_evaluation_says_that_it_has_ended_and_is_shown(own_home: Path, tiny_folder: Path) -> None:
    save_demo_evaluation(own_home, "aaa")
    save_demo_model(own_home)
    test = page("results", data=str(tiny_folder)).run()
    [model] = [box for box in test.selectbox if box.label == "Model"]
    model.set_value("demo0")
    test.button[0].click().run()
    words(test)
    [said] = [success.value for success in test.success]
    assert said.startswith("demo0 is judged on split patient-42-") and said.endswith("below.")
    assert "test part: 4 films of 2 patients, 2020 labels" in said
    [group] = [box for box in test.selectbox if box.label == "Judged on"]
    assert group.value[0].startswith("patient-42-") and group.value[0] != SPLIT
    assert test.multiselect[0].value == ["demo0"]
    group.set_value((SPLIT, "test", "2020")).run()
    assert test.multiselect[0].value == ["aaa"]


def test_a_bad_data_folder_is_refused_in_one_sentence(own_home: Path) -> None:
    save_demo_model(own_home)
    test = page("results", data="/nowhere/at/all").run()
    test.button[0].click().run()
    assert [error.message for error in test.exception] == []
    assert len(test.error) == 1 and "/nowhere/at/all" in test.error[0].value


def test_a_shipped_model_judged_in_ones_own_home_shows_both_reports(own_home: Path) -> None:
    save_demo_model(available.bundled(), "demo", seed=1)
    save_demo_evaluation(available.bundled(), "demo")
    save_demo_evaluation(own_home, "demo", "official-42-99999999")
    [group] = [box for box in page("results").run().selectbox if box.label == "Judged on"]
    assert [option.split(",")[0] for option in group.options] == [SPLIT, "official-42-99999999"]


@pytest.mark.parametrize("content", ["", '{"split": {', "[]", '{"split": {"id": 3}}', "\xff"])
@pytest.mark.parametrize("file", ["metrics.json", "curves.json"])
def test_a_damaged_evaluation_is_skipped_and_named(own_home: Path, content: str, file: str) -> None:
    save_demo_model(own_home)
    save_demo_evaluation(own_home)
    save_demo_evaluation(own_home, "broken")
    damaged = own_home / "checkpoints" / "broken" / "evaluation" / "test" / file
    damaged.write_bytes(content.encode("latin-1"))
    for name in ("overview", "results"):
        test = page(name).run()
        assert "200 films of 100 patients" in words(test)
        [warning] = [warning.value for warning in test.warning if str(damaged.parent) in warning.value]
        assert warning.startswith(f"The evaluation {damaged.parent} is damaged and left out")
