"""Each page by itself, as AppTest runs it: what a person reads there, and what bad input does."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from app_pages import page, words
from demo_home import BACKBONE, SPLIT, save_demo_evaluation, save_demo_model
from streamlit.testing.v1 import AppTest
from xlite.evaluation.doubts import Doubt
from xlite.report.sections.results import strongest

from xlite.config import bundled, make_config
from xlite.findings import FINDINGS, spoken
from xlite.models import available as folders
from xlite.report.sentences import interval
from xlite.runs.run import Run

pytestmark = pytest.mark.usefixtures("one_scan", "no_charts", "only_this_home")

PAGES = ("overview", "explore", "train", "sweeps", "runs", "results", "classify", "about")


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_on_an_empty_home(name: str):
    test = page(name).run()
    assert [error.message for error in test.exception] == []
    assert len(test.title) == 1


def test_home_frames_every_page_with_the_disclaimer():
    test = AppTest.from_file(bundled("app", "Home.py"), default_timeout=300).run()
    assert test.title[0].value == "X-Lite"
    assert test.main.children[0].value == "**Research software, not for clinical use**"


def test_home_lists_every_page_and_pages_hold_no_streamlit_free_module():
    listed = ast.literal_eval(
        next(
            ast.unparse(node.value)
            for node in ast.parse(bundled("app", "Home.py").read_text()).body
            if isinstance(node, ast.Assign) and node.targets[0].id == "PAGES"
        )
    )
    names = {name for section in listed.values() for name, _, _ in section}
    assert names == {path.stem for path in bundled("pages").glob("*.py")} == set(PAGES)


def test_overview_tells_model_figures_data_and_runs(own_home: Path, tiny_folder: Path):
    save_demo_model(own_home)
    report = save_demo_evaluation(own_home)
    Run.create(make_config({"data": tiny_folder, "name": "first"}))
    text = words(page("overview", data=str(tiny_folder)).run())
    auc = report["macro"]["auc"]
    assert f"**{auc['value']:.3f} ({auc['low']:.3f}–{auc['high']:.3f})**" in text
    assert "**demo0**" in text and BACKBONE in text and f"split {SPLIT}" in text
    assert "**24 films**" in text and "12 patients, 2020 labels" in text


def test_overview_strikes_a_contaminated_figure_beside_that_of_clean_films(own_home: Path):
    save_demo_model(own_home)
    stems = [f"{number:08d}_000" for number in range(60)]
    teacher = Doubt.on("teacher contamination: a teacher was trained on them", stems)
    report = save_demo_evaluation(own_home, doubts=[teacher])
    text = words(page("overview").run())
    clean = report["contamination"]["clean"]
    assert f"**{interval(clean['macro']['auc'])}**" in text and "on the 140 clean films" in text
    struck = f"~~{interval(report['macro']['auc'])}~~"
    assert f"{struck} on all: 60 of 200 test films are known to its teacher" in text
    assert text.count("95 % interval") == 1
    save_demo_evaluation(own_home, doubts=[Doubt("its own list has them", 7)])
    text = words(page("overview").run())
    assert f"**{struck}**" in text and "There are no figures on clean films alone" in text
    assert "7 of 200 test films are known to the model or its teacher. " in text


@pytest.mark.parametrize("name", ["overview", "explore"])
@pytest.mark.parametrize("data", ["/nowhere/at/all", "~nobody-of-that-name/data"])
def test_a_wrong_data_folder_is_one_sentence(name: str, data: str):
    test = page(name, data=data).run()
    assert [error.message for error in test.exception] == []
    assert [error.value for error in test.error] == [
        f"There is no data folder {data}; give the folder that holds Data_Entry_2017*.csv"
    ]


@pytest.mark.parametrize("name", ["overview", "explore"])
def test_a_data_folder_that_the_system_refuses_is_one_sentence(name: str):
    data = "/" + "x" * 300
    test = page(name, data=data).run()
    assert [error.message for error in test.exception] == []
    assert [error.value for error in test.error] == [f"File name too long: {data}"]


def shipped(package: Path, name: str = "demo") -> Path:
    """A model that came with X-Lite, with its card; older than all others."""
    path = save_demo_model(package, name, seed=1)
    path.with_name("MODEL_CARD.md").write_text("The card of the **shipped** model.")
    for old in (path, path.parent):
        os.utime(old, (1e9, 1e9))
    return path


def model_box(test: AppTest) -> list[str]:
    """The models that a page lets one choose from, the chosen one first."""
    [box] = [box for box in test.selectbox if box.label == "Model"]
    return [box.value, *(name for name in box.options if name != box.value)]


@pytest.mark.parametrize("home_is_the_checkout", [False, True])
def test_the_shipped_model_is_on_duty_and_then_the_newest_run(
    own_home: Path, monkeypatch: pytest.MonkeyPatch, home_is_the_checkout: bool
):
    package = own_home if home_is_the_checkout else folders.bundled()
    monkeypatch.setattr(folders, "bundled", package.joinpath)
    shipped(package)
    for age, name in ((10, "newer"), (20, "older")):
        path = save_demo_model(own_home, name)
        os.utime(path, (2e9 - age, 2e9 - age))
    assert "**demo**" in words(page("overview").run())
    assert model_box(page("classify").run()) == ["demo", "newer", "older"]
    about = words(page("about").run())
    assert "Model card of demo" in about and "The card of the **shipped** model." in about


def test_ones_own_model_takes_the_place_of_the_shipped_one_of_its_name(own_home: Path):
    from xlite.models.available import find_model

    theirs = shipped(folders.bundled())
    (own_home / "checkpoints" / "demo").mkdir(parents=True)  # a run that has no model yet
    assert folders.model_files() == {"demo": theirs}
    assert find_model("demo") == theirs
    (own_home / "checkpoints" / "demo").rmdir()
    mine = save_demo_model(own_home, "demo")
    save_demo_evaluation(folders.bundled(), "demo")
    assert folders.model_files() == {"demo": mine}
    assert find_model("demo") == mine
    text = words(page("overview").run())
    assert "**demo**" in text and "Not measured yet" in text


def test_a_shipped_model_judged_in_ones_own_home_shows_both_reports(own_home: Path):
    shipped(folders.bundled())
    save_demo_evaluation(folders.bundled(), "demo")
    save_demo_evaluation(own_home, "demo", "official-42-99999999")
    [group] = [box for box in page("results").run().selectbox if box.label == "Judged on"]
    assert [option.split(",")[0] for option in group.options] == [SPLIT, "official-42-99999999"]


@pytest.mark.parametrize("content", ["", '{"split": {', "[]", '{"split": {"id": 3}}', "\xff"])
@pytest.mark.parametrize("file", ["metrics.json", "curves.json"])
def test_a_damaged_evaluation_is_skipped_and_named(own_home: Path, content: str, file: str):
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


def test_what_pages_list_with_loads_no_torch():
    modules = (
        "xlite.examples, xlite.explain, xlite.models.available, xlite.report.saved, xlite.report.sentences"
    )
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_results_shows_figures_with_intervals_split_and_warnings(own_home: Path):
    save_demo_model(own_home)
    report = save_demo_evaluation(own_home)
    test = page("results").run()
    text = words(test)
    assert f"split {SPLIT}, test part: 200 films of 100 patients, 2020 labels" in text
    said = [line.removeprefix("- ") for line in test.warning[0].value.splitlines()[2:]]
    assert [line.lower() for line in said] == [f"{line}.".lower() for line in report["warnings"]]
    assert [tab.label for tab in test.tabs] == [
        "Curves", "Findings", "Published", "Thresholds", "Calibration", "Subgroups", "Confusion",
        "Maps",
        "Radiologists",
    ]  # fmt: skip
    assert len(test.get("plotly_chart")) == 6
    tables = "\n".join(markdown.value for markdown in test.tabs[1].markdown)
    for finding in FINDINGS[:13]:
        auc = interval(report["per_class"][finding]["auc"])
        assert f"| {spoken(finding)} | {report['per_class'][finding]['positives']} | {auc} |" in tables
    assert "| Hernia\\* | 0 | undefined | undefined |" in tables


def test_results_strikes_contaminated_figures_through_with_the_count(own_home: Path):
    save_demo_model(own_home)
    seen = Doubt.on("films were seen", [f"{number:08d}_000" for number in range(7)])
    report = save_demo_evaluation(own_home, doubts=[seen, Doubt("another edition")])
    test = page("results").run()
    words(test)
    assert "Contaminated: 7 of 200 films" in test.error[0].value and "Films were seen." in test.error[0].value
    assert test.expander[1].label == "To keep in mind (2)" and "Another edition." in test.warning[0].value
    auc = interval(report["per_class"]["Mass"]["auc"])
    tabs = {tab.label: tab for tab in test.tabs}
    assert f"~~{auc}~~" in "\n".join(markdown.value for markdown in tabs["Findings"].markdown)
    assert len(tabs["Clean films"].markdown) == 1
    for chart, area in zip(tabs["Curves"].get("plotly_chart"), ("auc", "ap"), strict=True):
        lines = [line["name"] for line in json.loads(chart.proto.spec)["data"] if "name" in line]
        figures = [(name, interval(report["per_class"][name][area])) for name in strongest(report)]
        assert lines == [f"{spoken(name)}  <s>{figure}</s>" for name, figure in figures]
    assert f"| demo0 | ~~{interval(report['macro']['auc'])}~~ |" in test.markdown[0].value


def test_results_never_ranks_figures_of_different_splits(own_home: Path):
    for name, split in (("one", SPLIT), ("two", SPLIT), ("three", "official-42-99999999")):
        save_demo_evaluation(own_home, name, split, seed=len(name))
    test = page("results").run()
    [group] = [box for box in test.selectbox if box.label == "Judged on"]
    [models] = test.multiselect
    assert len(group.options) == 2
    assert set(models.options) in ({"one", "two"}, {"three"})
    group.set_value(next(key for key in ((SPLIT, "test", "2020"),))).run()
    assert set(test.multiselect[0].options) == {"one", "two"}
    test.multiselect[0].set_value(["one", "two"]).run()
    words(test)
    assert [line.split("|")[1].strip() for line in test.markdown[0].value.splitlines()[2:4]] == ["one", "two"]


def test_results_compares_two_models_by_a_paired_test(own_home: Path):
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


def test_results_refuses_a_bad_data_folder_in_one_sentence(own_home: Path):
    save_demo_model(own_home)
    test = page("results", data="/nowhere/at/all").run()
    test.button[0].click().run()
    assert [error.message for error in test.exception] == []
    assert len(test.error) == 1 and "/nowhere/at/all" in test.error[0].value
