"""The state in last.ckpt: the best epoch, and files that hold something else."""

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from noise_folder import write_noise_folder
from safetensors.torch import save_file
from tiny_models import untrained
from tiny_runs import assert_same_end, config, run_to_end, stop_after_first_epoch

from xlite.errors import CheckpointError, RunError
from xlite.images import Preprocess
from xlite.models.info import read_info
from xlite.runs.run import Run
from xlite.training.loop import train
from xlite.training.state import State, check_unchanged, kept_preprocess, reading_state

OLD = Path(__file__).parents[1] / "data" / "old_run"

pytestmark = pytest.mark.usefixtures("quick_report")


def test_the_best_epoch_is_that_of_the_best_auc_or_else_of_the_least_loss():
    state = State()
    rows = [(0.6, 0.5), (0.7, 0.9), (0.65, 0.1)]
    best = [
        state.add({"epoch": epoch, "val_auc": auc, "val_loss": loss, "seconds": 2.0})
        for epoch, (auc, loss) in enumerate(rows, 1)
    ]
    assert best == [True, True, False]
    assert (state.epoch, state.best_epoch, state.best_auc, state.elapsed_s) == (3, 2, 0.7, 6.0)
    without = State()
    rows = [
        {"epoch": n, "val_auc": math.nan, "val_loss": loss, "seconds": 1.0}
        for n, loss in enumerate([3, 1, 2], 1)
    ]
    assert [without.add(row) for row in rows] == [True, True, False]
    assert without.best_epoch == 2 and math.isnan(without.best_auc)


def test_a_foreign_last_ckpt_is_refused(films):
    run = Run.create(config(films, "foreign"))
    (run.folder / "last.ckpt").write_bytes(b"not a checkpoint")
    with pytest.raises(CheckpointError, match=r"last\.ckpt is not the state of this run"):
        train(run.config(), run)


class Hostile:
    """What a pickle can do when it is read."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_last_ckpt_with_code_in_it_is_refused_and_the_code_not_run(films, tmp_path):
    run = Run.create(config(films, "hostile"))
    torch.save({"model": Hostile(tmp_path / "ran")}, run.folder / "last.ckpt")
    with pytest.raises(CheckpointError, match=r"last\.ckpt is not the state of this run"):
        train(run.config(), run)
    assert not (tmp_path / "ran").exists()


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """The folder of a run that was stopped after its first epoch."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("trained")
        patch.setenv("XLITE_HOME", str(folder))
        patch.setenv("XLITE_LINE", str(folder / "line"))
        run = Run.create(config(write_noise_folder(folder / "films", patients=40), "one"))
        stop_after_first_epoch(run)
        return run.folder


def damages(whole: bytes) -> dict[str, bytes]:
    """A state file in ways that disks, transfers and people damage it."""
    rng = np.random.default_rng(0)
    found = {f"cut at {at}": whole[:at] for at in rng.integers(0, len(whole), 12).tolist()}
    for at in rng.integers(0, 8 * len(whole), 40).tolist():
        flipped = bytearray(whole)
        flipped[at // 8] ^= 1 << at % 8
        found[f"bit {at}"] = bytes(flipped)
    for at in rng.integers(0, len(whole) - 512, 8).tolist():
        found[f"zeros at {at}"] = whole[:at] + bytes(512) + whole[at + 512 :]
    tail = len(whole) - 77
    found |= {"no checksum": whole[:tail], "half a checksum": whole[:-30], "longer": whole + b"\n"}
    return {what: data for what, data in found.items() if data != whole}


@pytest.mark.slow
def test_a_damaged_or_cut_state_is_never_loaded(trained, tmp_path):
    """Of 63 damages before, 12 alone were noticed."""
    whole = (trained / "last.ckpt").read_bytes()
    loaded = []
    for what, data in damages(whole).items():
        (tmp_path / "last.ckpt").write_bytes(data)
        try:
            with reading_state(tmp_path / "last.ckpt"):
                loaded.append(what)
        except CheckpointError as error:
            assert str(error).startswith(f"{tmp_path / 'last.ckpt'} is not the state of this run (")
            assert str(error).endswith("so the run cannot go on: start a new run")
    assert loaded == []


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda whole: whole[:5000], "it is cut short"),
        (lambda whole: whole[:-77], "it is damaged: its checksum is missing"),
        (
            lambda whole: whole[:3000] + b"\0\1\2\3" + whole[3004:],
            "it is damaged: its checksum does not match",
        ),
    ],
)
def test_what_is_left_of_a_run_with_a_damaged_state_is_said(trained, tmp_path, damage, reason):
    folder = shutil.copytree(trained, tmp_path / "one")
    path = folder / "last.ckpt"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(CheckpointError) as caught, reading_state(path):
        pass
    assert str(caught.value) == (
        f"{path} is not the state of this run ({reason}), so the run cannot go on: the weights of its best "
        f"epoch, 1, are whole: start a new run with --weights {folder / 'model.safetensors'}"
    )
    assert caught.value.settings == ("weights",)


def test_a_state_of_old_without_a_checksum_is_read_and_its_records_are_checked(tmp_path):
    old = (OLD / "last.ckpt").read_bytes()
    with reading_state(OLD / "last.ckpt") as content:
        assert content["state"]["epoch"] == 2
        vector = next(tensor for name, tensor in content["model"].items() if name.endswith("running_mean"))
    at = old.index(vector.numpy().tobytes())
    (tmp_path / "last.ckpt").write_bytes(old[:at] + bytes([old[at] ^ 64]) + old[at + 1 :])
    with (
        pytest.raises(CheckpointError, match="its record .* is damaged: its checksum does not match"),
        reading_state(tmp_path / "last.ckpt"),
    ):
        pass


@pytest.mark.slow
def test_a_run_keeps_the_normalisation_that_it_began_with(films, tmp_path):
    assert kept_preprocess(OLD / "last.ckpt", 32) == Preprocess(32)  # which does not tell
    weights = tmp_path / "timm.safetensors"
    save_file(untrained().backbone.state_dict(), weights)
    whole, _ = run_to_end(config(films, "whole", weights=str(weights), epochs=2))
    run = Run.create(config(films, "stopped", weights=str(weights), epochs=2))
    stop_after_first_epoch(run)
    weights.unlink()
    half = Preprocess(32, (0.5,) * 3, (0.5,) * 3)
    assert kept_preprocess(run.path("last.ckpt"), 32) == half
    train(run.config(), run)
    assert_same_end(whole, run)
    assert read_info(run.path("model.safetensors")).preprocess == half


def test_a_state_of_old_does_not_tell_its_films_and_goes_on():
    now = {"split": "a", "content of the films": "1"}
    check_unchanged("one", {"split": "a"}, now)
    check_unchanged("one", now, now)
    with pytest.raises(
        RunError, match="the content of the films of run 'one' has changed .*'2' then, '1' now"
    ):
        check_unchanged("one", now | {"content of the films": "2"}, now)
