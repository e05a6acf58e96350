"""The data folder that pages begin with."""

import os
from pathlib import Path

import pytest
from noise_folder import write_noise_folder

from xlite.config import make_config
from xlite.errors import DataError
from xlite.runs.default_data import default_data, default_run, named_data
from xlite.runs.run import Run
from xlite.runs.status import RunStatus


def test_the_app_opens_the_data_of_the_newest_run_that_had_any(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XLITE_DATA", raising=False)
    good = Run.create(make_config({"data": tiny_folder, "name": "good"}))
    bad = Run.create(make_config({"data": tmp_path / "empty", "name": "gone"}))
    refused = Run.create(make_config({"data": write_noise_folder(tmp_path / "other"), "name": "refused"}))
    refused.write_progress(RunStatus(state="failed", message="30 films are missing"))
    for age, run in enumerate((refused, bad, good)):
        os.utime(run.path("config.json"), (2e9 - age, 2e9 - age))
    assert default_data() == str(tiny_folder)
    assert (newest := default_run()) is not None and newest.name == "good"
    good.write_progress(RunStatus(state="running", epoch=1))
    assert default_data() == str(tiny_folder)
    client = Run.create(make_config({"data": write_noise_folder(tmp_path / "third"), "name": "good-1"}))
    client.path("client.ckpt").write_bytes(b"")  # its films are a part of those of a simulation
    os.utime(client.path("config.json"), (3e9, 3e9))
    assert default_data() == str(tiny_folder)
    good.delete()
    assert default_data() == ""
    assert default_run() is None
    monkeypatch.setenv("XLITE_DATA", "/films")
    assert (default_data(), default_run()) == ("/films", None)


def test_without_runs_it_is_the_first_folder_of_the_home(
    own_home: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XLITE_DATA", raising=False)
    assert default_data() == ""
    (own_home / "data").mkdir()
    tiny_folder.rename(own_home / "data" / "phantom")
    assert default_data() == str(own_home / "data" / "phantom")


def test_the_folders_of_a_run_on_several_are_opened_if_all_are_there(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XLITE_DATA", raising=False)
    other = write_noise_folder(tmp_path / "other")
    Run.create(make_config({"data": f"{tiny_folder},{other}", "name": "both"}))
    assert default_data() == f"{tiny_folder},{other}"
    other.rename(tmp_path / "gone")
    assert default_data() == ""


def test_what_an_owner_names_is_a_folder_or_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XLITE_PUBLIC", raising=False)
    comma = write_noise_folder(tmp_path / "a,b", patients=1)
    assert named_data("") is None
    assert named_data("~/films") == Path.home() / "films"
    assert named_data("~/west, /east") == Path(f"{Path.home()}/west,/east")
    assert named_data(str(comma)) == comma


def test_what_a_stranger_names_is_of_the_owners_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [tmp_path / "west", tmp_path / "a,b"]
    monkeypatch.setenv("XLITE_PUBLIC", "1")
    monkeypatch.setenv("XLITE_DATA", os.pathsep.join(map(str, folders)))
    assert named_data("west") == named_data(["west"]) == folders[0]
    assert named_data("a,b") == folders[1] and named_data([]) is None
    for other in ("west,west", ["west", "/etc"], str(folders[0])):
        with pytest.raises(DataError, match="there is no data folder"):
            named_data(other)
    with pytest.raises(DataError, match="a,b has a comma in its path"):
        named_data(["west", "a,b"])
