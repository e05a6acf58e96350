"""The part of Explore that imports: look, correct, import, open; and what strangers see of it."""

import threading
from pathlib import Path

import pytest
from app_pages import page, words
from command_line import wait_for
from foreign_sets import write_chexpert, write_own, write_table
from streamlit.testing.v1 import AppTest

from xlite.data.importing.labels import Policy
from xlite.data.importing.mapping import shipped, spoken_findings
from xlite.data.importing.preview import (
    facts,
    mapping_from,
    mapping_table,
    place_for,
    preview_of,
)
from xlite.data.importing.running import start_import
from xlite.data.importing.write import Choices
from xlite.errors import DataError, RunError

pytestmark = pytest.mark.usefixtures("one_scan")


@pytest.fixture(autouse=True)
def no_default_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XLITE_DATA", raising=False)


def press(test: AppTest, label: str) -> AppTest:
    (button,) = [button for button in test.button if button.label == label]
    return button.click().run()


def looked(kind: str, source: Path, name: str = "") -> AppTest:
    """The page after somebody has looked into a source."""
    test = page("explore", **{"import-form": True}).run()
    test.selectbox(key="import-kind").set_value(kind)
    test.text_input(key="import-name").set_value(name)
    test.text_input(key="import-source").set_value(str(source))
    return press(test, "Look")


@pytest.mark.slow
def test_a_data_set_is_looked_at_imported_and_opened(tmp_path: Path, own_home: Path) -> None:
    test = looked("chexpert", write_chexpert(tmp_path), "chex")
    assert "Its tables name 42 films of 14 patients: 28 AP, 14 lateral." in words(test)
    assert "Not labelled here: Infiltration, Mass, Nodule, Emphysema, Fibrosis" in words(test)
    test.segmented_control(key="import-uncertain").set_value("zeros").run()
    assert "Edema" in test.multiselect(key="import-uncertain-ignore").options
    test.multiselect(key="import-uncertain-ones").set_value(["Edema"]).run()
    press(test, "Import")
    running = test.session_state["import-running"]
    wait_for(lambda: not running.is_running)
    test.run()
    assert [success.value for success in test.success] == ["The data folder chex is there."]
    assert "- Left out: lateral films (14)" in words(test)
    assert (running.record.name, running.record.findings["Edema"]["present"]) == ("chexpert", 14)
    (open_it,) = [button for button in test.button if button.label == "Open chex" and button.key is None]
    open_it.click().run()
    assert test.session_state["data"] == str(own_home / "data" / "chex")
    assert {metric.label: metric.value for metric in test.metric}["Films"] == "28"


def test_the_columns_of_a_table_are_guessed_and_corrected(tmp_path: Path, own_home: Path) -> None:
    source = write_own(tmp_path)
    table = source / "films.csv"
    table.write_text(table.read_text().replace("MRN,age", "ward,age"))
    test = looked("csv", table)
    assert [warning.value for warning in test.warning] == [
        f"No column of {table} is known to name the patients: say which with “Patients”; if none does, name "
        "the column of films, and each film counts as a patient"
    ]
    assert "Import" not in {button.label for button in test.button}
    (patients,) = [box for box in test.selectbox if box.label == "Patients"]
    patients.set_value("ward")
    press(test, "Take these columns")
    assert not test.warning and not test.error
    assert "Its tables name 24 films of 12 patients: 12 AP, 12 PA." in words(test)


def test_bad_input_is_one_sentence(tmp_path: Path) -> None:
    test = looked("chexpert", tmp_path)
    assert [error.value for error in test.error] == [
        f"{tmp_path} is not a folder of CheXpert: it holds no train.csv or valid.csv"
    ]
    assert [error.value for error in looked("mimic", Path(" ")).error] == [
        "Name the folder of the data set, or its table"
    ]


def test_a_taken_name_is_refused(tmp_path: Path, own_home: Path) -> None:
    (own_home / "data" / "chex").mkdir(parents=True)
    (own_home / "data" / "chex" / "file").touch()
    test = press(looked("chexpert", write_chexpert(tmp_path), "chex"), "Import")
    assert [error.value for error in test.error] == [
        f"{own_home}/data/chex is there already and not an empty folder; choose a new folder"
    ]
    assert "import-running" not in test.session_state
    shown = ["error" if one.type == "error" else getattr(one, "label", "") for one in test.main]
    assert shown.index("error") + 1 == shown.index("Import")  # above the button: below may be out of sight


def test_columns_that_cannot_be_read_any_more_are_said(tmp_path: Path, own_home: Path) -> None:
    source = write_own(tmp_path)
    test = looked("csv", source / "films.csv")
    (source / "films.csv").unlink()
    press(test, "Take these columns")
    assert [error.value for error in test.error] == [f"There is no table {source}/films.csv"]


@pytest.mark.slow
def test_an_error_does_not_stand_beside_the_success_before(tmp_path: Path, own_home: Path) -> None:
    test = press(looked("chexpert", write_chexpert(tmp_path), "chex"), "Import")
    wait_for(lambda: not test.session_state["import-running"].is_running)
    assert [success.value for success in test.run().success] == ["The data folder chex is there."]
    press(test, "Import")
    assert len(test.error) == 1 and "is there already" in test.error[0].value
    assert not test.success


def test_findings_are_offered_as_people_write_them() -> None:
    assert spoken_findings("Pleural_Thickening") == "Pleural thickening"
    assert spoken_findings("Effusion|Pneumothorax") == "Effusion and Pneumothorax"
    assert spoken_findings("Mass|Pleural_Thickening?") == "Mass and perhaps Pleural thickening"
    assert spoken_findings("none of the 14") == "None of the 14"


def test_before_the_films_are_counted_none_is_said_to_be_one_of_one(
    tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    monkeypatch.setattr("xlite.data.importing.running.write_import", lambda *words: go_on.wait(60))
    found = preview_of("chexpert", str(write_chexpert(tmp_path)))
    test = page("explore")
    test.session_state["import-running"] = start_import(
        found, found.mapping, own_home / "data" / "chex", Choices("chex")
    )
    test.run()
    go_on.set()
    assert [bar.proto.text for bar in test.get("progress")] == ["Reading its films"]


def test_strangers_do_not_see_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    preview = preview_of("chexpert", str(write_chexpert(tmp_path)))
    monkeypatch.setenv("XLITE_PUBLIC", "1")
    test = page("explore", **{"import-form": True}).run()
    assert [expander.label for expander in test.expander] == []
    with pytest.raises(RunError, match="nobody can import films here"):
        start_import(preview, preview.mapping, tmp_path / "out", Choices(policy=Policy()))
    assert not (tmp_path / "out").exists()


def test_a_corrected_table_is_the_mapping(tmp_path: Path, own_home: Path) -> None:
    preview = preview_of("chexpert", str(write_chexpert(tmp_path)))
    assert not isinstance(preview.found, DataError)
    assert facts(preview.found) == "Its tables name 42 films of 14 patients: 28 AP, 14 lateral."
    table = mapping_table(preview.found, preview.mapping)
    assert table["label"].tolist()[-2:] == ["Pleural Effusion", "Support Devices"]
    assert mapping_from(table, preview.mapping) == preview.mapping == shipped("chexpert")
    table.loc[table["label"] == "Support Devices", "finding"] = "Mass"
    table.loc[table["label"] == "Edema", ["finding", "blank means"]] = ["none of the 14", "0"]
    changed = {rule.label: rule for rule in mapping_from(table, preview.mapping)}
    assert changed["Support Devices"].finding == "Mass"
    assert (changed["Edema"].finding, changed["Edema"].blank) == ("", "0")
    assert changed["Fracture"] == next(rule for rule in preview.mapping if rule.label == "Fracture")
    assert place_for("chexpert", "") == own_home / "data" / "chexpert"
    assert place_for("csv", " ward-3 ") == own_home / "data" / "ward-3"
    with pytest.raises(DataError, match="cannot be a data set's name"):
        place_for("csv", "../up")


def test_a_column_that_is_none(tmp_path: Path) -> None:
    write_table(tmp_path / "t.csv", ["film", "view", "patient", "mass"], [["a.png", "front", "1", "1"]])
    preview = preview_of("csv", str(tmp_path / "t.csv"))
    assert preview.columns is not None and preview.columns.view == "view"
    roles = {"image": "film", "patient": "patient", "view": "", "age": "", "sex": "", "part": ""}
    preview = preview_of("csv", str(tmp_path / "t.csv"), roles)
    assert preview.columns is not None and preview.columns.view == ""
    assert preview.columns.header == ("film", "view", "patient", "mass")
    assert preview.columns.unused == ["view"]
