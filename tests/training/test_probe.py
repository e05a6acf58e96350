"""What a run would take, from a few real steps of it; in this process, and as a page asks for it."""

import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_runs import config

from xlite.data.folder import NihFolder
from xlite.data.phantom import write_phantom
from xlite.data.predictions import write_predictions
from xlite.errors import DataError, RunError
from xlite.runs.run import Run
from xlite.training import probe, probing
from xlite.training.probe import measure
from xlite.training.probing import Probing

pytestmark = pytest.mark.usefixtures("own_home")


@pytest.fixture
def phantoms(tmp_path: Path) -> Path:
    """24 drawn films of 12 patients, 64 px."""
    write_phantom(tmp_path / "phantoms", 24, 12, 64, 3, processes=1)
    return tmp_path / "phantoms"


@pytest.mark.slow
def test_a_few_steps_tell_what_a_run_would_take_and_make_no_run(phantoms: Path):
    settings = config(phantoms, "a", batch_size=8, epochs=4, ema=0.9, mixup=0.4)
    found = measure(settings, time.monotonic())
    assert found.films + found.val_films + found.test_films == 24
    counts = (found.epochs, found.steps, found.step_films, found.measured, found.processes, found.beside)
    assert counts == (4, found.films // 8, 8, 8, 1, 0)
    assert 1 <= found.measured_steps <= 5
    assert 0 < found.step_s < 30 and 0 < found.val_film_s < 5 and found.opening_s > 0 and found.decode_s > 0
    assert found.device == "cpu" and found.seen is None
    assert "parameters" in found.student and found.student.endswith("a film of 32 px")
    assert found.cache_gb == pytest.approx(24 * 32**2 / 1e9)
    assert found.run_gb > 0 and found.run_free_gb > 0 and found.cache_free_gb > 0
    assert found.memory_gb is None or 0.05 < found.memory_gb < 20
    assert Run.list() == [] and not (phantoms / "cache").exists()


@pytest.mark.slow
def test_films_that_are_cached_are_neither_decoded_nor_written_again(phantoms: Path, quick_report: None):
    from xlite.training.loop import train

    run = Run.create(config(phantoms, "first", epochs=1))
    train(run.config(), run)
    found = measure(config(phantoms, "second"), time.monotonic())
    assert (found.decode_s, found.cache_gb) == (0.0, 0.0)


@pytest.mark.slow
def test_a_probe_that_has_no_time_measures_fewer_films_and_says_so(
    phantoms: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(probe, "BUDGET_S", 0.0)
    monkeypatch.setattr(probe, "LEAST_S", 0.0)
    found = measure(config(phantoms, "a", batch_size=8), time.monotonic())
    assert (found.measured, found.measured_steps, found.step_films) == (4, 1, 8)


@pytest.mark.slow
def test_what_the_teacher_knows_is_part_of_it(phantoms: Path, tmp_path: Path):
    names = NihFolder.open(phantoms).table["image"].tolist()
    write_predictions(tmp_path / "said.csv", names, np.full((24, 14), 0.4, np.float32))
    found = measure(config(phantoms, "a", teacher=str(tmp_path / "said.csv")), time.monotonic())
    assert found.seen is not None
    [fact] = found.seen.teachers
    assert (fact.kind, fact.name) == ("predictions", "said.csv")


@pytest.mark.slow
def test_what_a_run_would_be_refused_for_is_raised(phantoms: Path):
    with pytest.raises(RunError, match="resnet_of_dreams"):
        measure(config(phantoms, "a", backbone="resnet_of_dreams"), time.monotonic())
    with pytest.raises(DataError, match="has no split 'mine'"):
        measure(config(phantoms, "a", split="mine"), time.monotonic())


@pytest.mark.slow
def test_too_little_memory_is_a_sentence(phantoms: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(probe, "_measured", full)
    with pytest.raises(RunError, match="the device has too little memory for batches of 16 at 32 px"):
        measure(config(phantoms, "a"), time.monotonic())


@pytest.mark.slow
def test_the_program_prints_a_forecast_or_the_words_of_why_not(
    phantoms: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys, "argv", ["probe", config(phantoms, "a").model_dump_json()])
    probe.main()
    assert json.loads(capsys.readouterr().out)["step_films"] == 16
    for film in (phantoms / "images").iterdir():
        film.unlink()
    probe.main()
    refused = json.loads(capsys.readouterr().out)["refused"]
    assert refused[-1] == {"setting": "skip_missing"} and "are missing in" in refused[0]


@pytest.mark.release
@pytest.mark.slow
def test_a_page_sees_a_probe_work_and_takes_its_forecast(phantoms: Path):
    asked = Probing(config(phantoms, "a"))
    assert asked.result() is None
    while (found := asked.result()) is None:
        assert asked.elapsed_s < 60
        time.sleep(0.1)
    assert (found.epochs, found.step_films) == (3, 16)
    asked = Probing(config(phantoms, "a", split="mine"))
    with pytest.raises(RunError, match="has no split 'mine'"):
        while asked.result() is None:
            time.sleep(0.1)


@pytest.mark.slow
def test_a_probe_is_cancelled_at_once(phantoms: Path):
    asked = Probing(config(phantoms, "a"))
    asked.cancel()
    assert asked._process.returncode is not None
    with pytest.raises(RunError, match="the trial steps failed: exit status -9"):
        asked.result()
    asked.cancel()


@pytest.mark.slow
def test_a_probe_that_takes_too_long_is_given_up(phantoms: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(probing, "LIMIT_S", 0.0)
    asked = Probing(config(phantoms, "a"))
    with pytest.raises(RunError, match="batch than 16 or films smaller than 32 px"):
        asked.result()
    assert asked._process.returncode is not None
