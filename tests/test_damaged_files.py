"""Damaged files of runs and models, by the hundred: a sentence, or an answer that can be used."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from damage import damaged_bytes, damaged_json
from noise_folder import write_noise_folder
from safetensors import safe_open
from safetensors.torch import load_file, save
from tiny_runs import config, run_to_end

from xlite.classify import Classifier
from xlite.cli import run as xlite
from xlite.errors import XliteError
from xlite.models.info import read_info
from xlite.models.weights import read_state_dict
from xlite.places import checkpoints_dir
from xlite.report.document import Chart, to_markdown
from xlite.report.saved import saved_evaluations
from xlite.report.sections.whole import tabs
from xlite.runs.listing import Listing
from xlite.runs.run import Run
from xlite.runs.run_files import STATE_FILE
from xlite.runs.status import facts
from xlite.runs.table import table_rows
from xlite.training.state import reading_state

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Detected pickle protocol:UserWarning"),
]

FILM = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
TURNS = pytest.mark.parametrize("turns", [12, pytest.param(60, marks=pytest.mark.release)])
TEXTS = ("config.json", "progress.json", "results_row.json", "provenance.json", "slurm.json")
REPORTS = ("evaluation/test/metrics.json", "evaluation/test/curves.json")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with two finished runs."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XLITE_HOME", str(home))
        patch.setenv("XLITE_LINE", str(home / "line"))
        patch.setattr("xlite.report.write.to_html", lambda title, blocks: title)
        films = write_noise_folder(home / "films", patients=40)
        for name in ("one", "two"):
            run, _ = run_to_end(config(films, name, epochs=1))
            run.path("slurm.json").write_text('{"job": "12", "options": ["--time=1:00"]}')
        yield home


@pytest.fixture
def runs(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Run, Run]]:
    """The two runs; the first, which a test damages, is put back at its end."""
    monkeypatch.setenv("XLITE_HOME", str(home))
    monkeypatch.setenv("XLITE_LINE", str(home / "line"))
    one, two = Run.named("one"), Run.named("two")
    shutil.copytree(one.folder, home / "kept")
    yield one, two
    shutil.rmtree(one.folder)
    (home / "kept").rename(one.folder)


def check_lists(capsys: pytest.CaptureFixture[str]) -> None:
    """The second run is told as ever, whatever the first has become."""
    rows = {row["Run"]: row for row in table_rows(Listing(checkpoints_dir()).runs()[0])}
    assert (rows["two"]["State"], rows["two"]["Epoch"]) == ("finished", "1 of 1")
    for words in (["jobs", "list"], ["jobs", "list", "--json"], ["jobs", "status", "two"]):
        assert xlite(words) == 0
        assert "finished" in capsys.readouterr().out
    assert xlite(["jobs", "status", "one"]) == 0
    capsys.readouterr()


@TURNS
@pytest.mark.parametrize("name", TEXTS)
def test_a_runs_own_files(
    name: str, turns: int, runs: tuple[Run, Run], capsys: pytest.CaptureFixture[str]
) -> None:
    one, _ = runs
    path, rng = one.path(name), np.random.default_rng(1)
    whole = path.read_bytes()
    for turn in range(turns):
        path.write_bytes(damaged_json(json.loads(whole), rng) if turn % 2 else damaged_bytes(whole, rng))
        check_lists(capsys)
        facts(one.status())
        try:
            one.config()
            one.unknown_settings()
        except XliteError:
            continue
        assert one.can_resume() in (True, False)


def test_a_runs_epochs(runs: tuple[Run, Run], capsys: pytest.CaptureFixture[str]) -> None:
    from xlite.plots import finding_curves, learning_curves

    one, _ = runs
    path, rng = one.path("metrics.csv"), np.random.default_rng(2)
    whole = path.read_bytes()
    for _ in range(60):
        path.write_bytes(damaged_bytes(whole, rng))
        try:
            epochs = one.read_metrics()
        except XliteError:
            continue
        if len(epochs):
            learning_curves(epochs)
            finding_curves(epochs)
    check_lists(capsys)


@pytest.mark.parametrize("name", REPORTS)
def test_a_runs_report(name: str, runs: tuple[Run, Run]) -> None:
    one, _ = runs
    path, rng = one.path(name), np.random.default_rng(3)
    whole = path.read_bytes()
    for turn in range(60):
        path.write_bytes(damaged_json(json.loads(whole), rng) if turn % 2 else damaged_bytes(whole, rng))
        found, damaged = saved_evaluations()
        models = {evaluation.model for evaluation in found}
        assert "two" in models and ("one" in models) == (not damaged)
        for evaluation in found:
            if evaluation.model == "one":
                for blocks in tabs(evaluation.view()).values():
                    for block in blocks:
                        block.draw() if isinstance(block, Chart) else to_markdown("", [block])


def test_a_runs_state(runs: tuple[Run, Run], tmp_path: Path) -> None:
    whole, path = runs[0].path(STATE_FILE).read_bytes(), tmp_path / STATE_FILE
    rng = np.random.default_rng(4)
    for _ in range(300):
        path.write_bytes(damaged_bytes(whole, rng))
        if path.read_bytes() == whole:
            continue
        with pytest.raises(XliteError, match="is not the state of this run"), reading_state(path):
            pass


def check_model(path: Path) -> None:
    """A sentence, or probabilities."""
    try:
        read_info(path)
        reading = Classifier.load(path).read(FILM)
    except XliteError as error:
        assert len(str(error)) < 2000
        return
    assert np.isfinite(reading.probabilities).all() and np.isfinite(reading.maps).all()
    assert ((reading.probabilities >= 0) & (reading.probabilities <= 1)).all()


def test_a_models_bytes(runs: tuple[Run, Run], tmp_path: Path) -> None:
    whole, rng = runs[0].path("model.safetensors").read_bytes(), np.random.default_rng(5)
    head = 8 + int.from_bytes(whole[:8], "little")
    for turn in range(100):
        start = damaged_bytes(whole[:head], rng) if turn % 2 else whole[:head]
        rest = whole[head:] if turn % 2 else damaged_bytes(whole[head:], rng)
        (tmp_path / "model.safetensors").write_bytes(start + rest)
        check_model(tmp_path / "model.safetensors")


def test_a_models_header_and_tensors(runs: tuple[Run, Run], tmp_path: Path) -> None:
    source, rng = runs[0].path("model.safetensors"), np.random.default_rng(6)
    weights = load_file(source)
    with safe_open(source, framework="pt") as file:
        header = {key: json.loads(text) if key != "format" else text for key, text in file.metadata().items()}
    names, kinds = list(weights), (torch.int8, torch.bool, torch.float16, torch.float64, torch.int64)
    for turn in range(100):
        changed, said = dict(weights), {key: json.dumps(value) for key, value in header.items()}
        said["format"] = header["format"]
        name = names[int(rng.integers(len(names)))]
        if turn % 2:
            damaged = json.loads(damaged_json(header, rng))
            said = {
                k: v if k == "format" and isinstance(v, str) else json.dumps(v) for k, v in damaged.items()
            }
        elif turn % 4:
            changed[name] = weights[name].to(kinds[turn // 4 % len(kinds)])
        else:
            factor = (float("nan"), float("-inf"), -1e38, 1e38, 0)[turn // 4 % 5]
            changed[name] = (weights[name] * factor).to(weights[name].dtype)
        (tmp_path / "model.safetensors").write_bytes(save(changed, said))
        check_model(tmp_path / "model.safetensors")


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickled_file_of_weights(runs: tuple[Run, Run], tmp_path: Path, zipped: bool) -> None:
    path, rng = tmp_path / "weights.pth", np.random.default_rng(7)
    weights = load_file(runs[0].path("model.safetensors"))
    torch.save({"state_dict": weights}, path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    for _ in range(60):
        path.write_bytes(damaged_bytes(whole, rng))
        try:
            read_state_dict(path)
        except XliteError as error:
            assert len(str(error)) < 2000
