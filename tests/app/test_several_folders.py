"""Pages on several data folders at once, as a researcher with films of two hospitals names them."""

import json
from pathlib import Path
from typing import Any

import pytest
from app_pages import page, words
from command_line import wait_for
from demo_home import save_demo_model
from foreign_sets import write_chexpert
from noise_folder import write_noise_folder
from streamlit.testing.v1 import AppTest

from xlite.data.folder import NihFolder
from xlite.data.split_files import write_split
from xlite.data.splits import make_split
from xlite.runs.embedding_run import EmbeddingRun
from xlite.runs.run import Run

pytestmark = pytest.mark.usefixtures("one_scan", "only_this_home")


@pytest.fixture
def both(west: Path, east: Path) -> str:
    return f"{west}, {east}"


def metrics(test: AppTest) -> dict[str, str]:
    assert [error.message for error in test.exception] == []
    return {metric.label: metric.value for metric in test.metric}


def drawn(test: AppTest) -> dict[str, dict[str, Any]]:
    """The charts of the open tab by their titles."""
    (element,) = test.get("bidi_component")
    charts = json.loads(element.proto.json or element.proto.mixed.json)["charts"]
    return {chart["title"]: chart for chart in charts}


def bars(chart: dict[str, Any]) -> dict[str, str]:
    return {row["label"]: row["marks"][0]["text"] for row in chart["rows"]}


@pytest.mark.slow
def test_they_are_explored_as_one_and_told_apart(both: str, west: Path, east: Path) -> None:
    test = page("explore", data=both, charts="Parts and boxes").run()
    assert (metrics(test)["Films"], metrics(test)["Patients"]) == ("54", "27")
    assert f"{west} and {east} as one, 2020 labels, 54 films in their tables" in words(test)
    assert [warning.value for warning in test.warning if "taken for different people" in warning.value]
    shown = drawn(test)
    assert bars(shown["Data folder"]) == {"east": "30  55.6%", "west": "24  44.4%"}
    assert bars(shown["Part of a list or split"]) == {
        "official train+val": "42  77.8%",
        "official test": "12  22.2%",
    }
    test.button_group(key="folders").set_value(["east"]).run()
    assert (metrics(test)["Films"], metrics(test)["Patients"]) == ("30", "15")
    assert [button.label for button in test.button if (button.key or "").startswith("chip-")] == [
        "Folder east: 30"
    ]
    assert len(test.get("image")) == 12


def test_one_folder_has_neither_the_field_nor_the_chart(west: Path) -> None:
    test = page("explore", data=str(west), charts="Parts and boxes").run()
    assert metrics(test)["Films"] == "24"
    assert [group.key for group in test.button_group if group.key == "folders"] == []
    assert list(drawn(test)) == ["Part of a list or split", "Boxes"]


def test_a_film_whose_name_both_have_is_opened_by_that_of_its_folder(both: str) -> None:
    test = page("explore", data=both, film="east~00000002_000").run()
    assert [header.value for header in test.subheader] == [r"east\~00000002_000", r"Patient east\~2"]
    assert "1 of 54 chosen films" not in words(test) and "27 of 54 chosen films" in words(test)


@pytest.mark.slow
def test_each_tab_opens(both: str, west: Path, east: Path) -> None:
    (east / "Data_Entry_2017.csv").write_bytes((east / "Data_Entry_2017_v2020.csv").read_bytes())
    for root in (west, east):
        write_split(NihFolder.open(root), make_split(NihFolder.open(root), "patient"))
    test = page("explore", data=both, charts="Leakage").run()
    assert {"official", "splits/patient"} <= set(test.dataframe[0].value.iloc[:, 0])
    test = page("explore", data=both, charts="Editions").run()
    told = words(test)
    assert "**west**" in told and "**east**" in told and "have 30 films in common" in told
    test = page("explore", data=both, charts="Ages and views").run()
    assert {"east", "west", "AP", "PA"} <= {*test.dataframe[0].value.columns}


@pytest.mark.slow
def test_splits_and_labellings_are_kept_of_one_folder_alone(both: str) -> None:
    test = page("explore", data=both, **{"take-along": True}).run()
    assert "Labellings and splits are of one folder" in words(test)
    assert [field.key for field in test.text_input if field.key in ("split-name", "labelling-name")] == []
    test = page("label", data=both).run()
    assert "A labelling is of one folder: name that folder alone in the sidebar." in words(test)


@pytest.mark.slow
def test_their_embedding_is_made_by_the_command_that_names_both(
    both: str, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_demo_model(own_home)
    started: list[list[str]] = []
    monkeypatch.setattr(EmbeddingRun, "start", lambda run: started.append(run._resume_words()))
    test = page("explore", data=both, charts="Embedding").run()
    assert [error.value for error in test.error] == []
    [button] = [button for button in test.button if button.label == "Make the embedding"]
    button.click().run()
    assert [one[2:4] for one in started] == [["--data", both.replace(", ", ",")]]


@pytest.mark.slow
def test_the_form_trains_on_all_of_them(both: str, west: Path, east: Path, monkeypatch: pytest.MonkeyPatch):
    started: list[Run] = []
    monkeypatch.setattr(Run, "start", lambda run: started.append(run))
    test = page("train", data=both).run()
    test.selectbox(key="balance").set_value("folder").run()
    assert [error.value for error in test.error] == []
    told = words(test)
    assert "films to train on" in told and "as the sidebar has it" in told
    assert test.code[0].value == f"xlite train --data {west},{east} --balance folder"
    test.button(key="start").click().run()
    [run] = started
    assert (str(run.config().data), run.config().balance) == (f"{west},{east}", "folder")


def test_a_list_that_comes_or_changes_in_one_of_them_is_seen(both: str, east: Path) -> None:
    def told() -> str:
        test = page("train", data=both, split="official").run()
        [line] = [one.value for one in test.caption if "films to train on" in one.value]
        return line.rpartition(": ")[2]

    before = told()
    listed = (east / "test_list.txt").read_text().splitlines()
    (east / "test_list.txt").write_text("\n".join(listed[:2]) + "\n")
    (east / "train_val_list.txt").write_text(
        (east / "train_val_list.txt").read_text() + "\n".join(listed[2:]) + "\n"
    )
    assert told() != before


def test_the_sidebar_says_how_many_are_open(both: str) -> None:
    test = page("overview", data=both).run()
    assert "2 folders as one: west, east." in words(test)
    assert "54 films" in words(test) and "27 patients" in words(test)
    alone = page("overview", data=both.split(", ")[0]).run()
    assert "as one" not in words(alone)


@pytest.mark.parametrize("name", ["explore", "train", "results", "sweeps", "overview", "label"])
def test_two_of_one_name_are_refused_in_a_sentence(name: str, west: Path, tmp_path: Path) -> None:
    other = write_noise_folder(tmp_path / "other" / "west", seed=2)
    test = page(name, data=f"{west},{other}").run()
    assert [error.message for error in test.exception] == []
    if name in ("explore", "train", "sweeps", "overview"):
        [error] = {error.value for error in test.error}
        assert error.startswith("Two of the data folders are called")


@pytest.mark.slow
def test_an_import_is_opened_beside_what_is_open(west: Path, tmp_path: Path, own_home: Path) -> None:
    test = page("explore", data=str(west), **{"import-form": True}).run()
    test.selectbox(key="import-kind").set_value("chexpert")
    test.text_input(key="import-name").set_value("chex")
    test.text_input(key="import-source").set_value(str(write_chexpert(tmp_path)))
    for label in ("Look", "Import"):
        next(button for button in test.button if button.label == label).click().run()
    running = test.session_state["import-running"]
    wait_for(lambda: not running.is_running)
    test.run()
    next(button for button in test.button if button.label == "Open chex together with west").click().run()
    assert test.session_state["data"] == f"{west},{own_home / 'data' / 'chex'}"
    assert metrics(test)["Films"] == "52"


@pytest.mark.slow
def test_strangers_choose_among_the_owners_list(west: Path, east: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XLITE_PUBLIC", "1")
    monkeypatch.setenv("XLITE_DATA", f"{west}:{east}")
    test = page("overview").run()
    choice = test.multiselect(key="data")
    assert (choice.options, choice.value) == (["west", "east"], ["west"])
    choice.set_value(["west", "east"]).run()
    assert "54 films" in words(test) and str(west.parent) not in words(test)
    test = page("explore", data=["west", "east"]).run()
    assert metrics(test)["Films"] == "54"
    assert "west and east as one" in words(test) and str(west.parent) not in words(test)
    assert [error.value for error in page("explore", data=["west", "/etc"]).run().error] == [
        "There is no data folder '/etc' here; the owner of this app offers west, east"
    ]
    assert "No data folder is named." in words(page("explore", data=[]).run())
