"""Each page by itself, as AppTest runs it: what a person reads there, and what bad input does."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from app_pages import page, words
from demo_home import save_demo_evaluation, save_demo_model
from streamlit.testing.v1 import AppTest

from xlite.messages import literal
from xlite.models import available as folders
from xlite.places import bundled

pytestmark = pytest.mark.usefixtures("one_scan", "no_charts", "only_this_home")

PAGES = ("overview", "explore", "label", "train", "sweeps", "runs", "results", "classify", "about")


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_on_an_empty_home(name: str):
    test = page(name).run()
    assert [error.message for error in test.exception] == []
    assert len(test.title) == 1


@pytest.mark.parametrize(
    ("name", "key", "told"),
    [
        ("sweeps", "study", "There is no study **gone** to open here"),
        ("train", "run", "There is no run **gone** to open here"),
        ("runs", "run", "There is no run **gone** to open here"),
        ("runs", "compare", "The run 'gone' is asked for, and it is not here"),
        ("label", "labelling", "There is no labelling **gone** to open here"),
        ("results", "model", "The model 'gone' is asked for, and it is not here"),
        ("about", "model", "The model 'gone' is asked for, and it is not here"),
        ("explore", "film", "The film 'gone' is asked for, and it is not here"),
    ],
)
def test_a_link_to_what_an_empty_home_does_not_have_says_so(name: str, key: str, told: str):
    test = page(name)
    test.query_params[key] = "gone"
    test.run()
    assert [error.message for error in test.exception] == []
    [warning] = [one.value for one in test.warning]
    assert warning.startswith(told if "**" in told else literal(told))


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


@pytest.mark.parametrize("name", ["overview", "explore"])
@pytest.mark.parametrize("data", ["/nowhere/at/all", "~nobody-of-that-name/data"])
def test_a_wrong_data_folder_is_one_sentence(name: str, data: str):
    test = page(name, data=data).run()
    assert [error.message for error in test.exception] == []
    assert [error.value for error in test.error] == [
        literal(f"There is no data folder {data}; give the folder that holds Data_Entry_2017*.csv")
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


@pytest.mark.slow
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
    about = page("about").run()
    assert about.selectbox[0].value == "demo" and "The card of the **shipped** model." in words(about)


@pytest.mark.slow
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


@pytest.mark.slow
def test_what_pages_list_with_loads_no_torch():
    modules = (
        "xlite.examples, xlite.explain, xlite.models.available, xlite.report.saved, xlite.report.sentences"
    )
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
