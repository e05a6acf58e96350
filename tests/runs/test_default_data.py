"""The data folder that pages begin with."""

import os
from pathlib import Path

import pytest
from noise_folder import write_noise_folder

from xlite.config import make_config
from xlite.runs.default_data import default_data, default_run
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
