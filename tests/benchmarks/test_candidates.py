"""The list of candidates is trained in its order, each from what it needs, and goes on with what is left."""

import csv
import shutil
import sys
from pathlib import Path

import candidate_recipes
import candidates
import pytest

from xlite.config import make_config
from xlite.errors import RunError
from xlite.runs.run import Run
from xlite.sweeps.status import Outcome

TINY = {"backbone": "test_resnet.r160_in1k", "image_size": 32, "batch_size": 8, "hidden": 16, "patience": 9}


@pytest.mark.release
@pytest.mark.slow
def test_each_candidate_starts_and_learns_from_those_before_it(
    tiny_folder: Path, tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phantoms, out = tmp_path / "phantoms", tmp_path / "out"
    shutil.copytree(tiny_folder, phantoms)
    for name, value in TINY.items():
        monkeypatch.setitem(candidates.BASE, name, value)
    monkeypatch.setattr(candidate_recipes, "FOLDS", 2)
    words = ["--data", tiny_folder, "--split", "patient", "--weights", tmp_path, "--phantoms", phantoms]
    words += ["--out", out, "--only", "base,no-phantoms,taught", "--epochs", 1, "--light-teachers"]
    monkeypatch.setattr(sys, "argv", ["candidates.py", *map(str, words), "--device", "cpu"])
    candidates.main()
    first = f"phantoms-{TINY['backbone']}"
    folds = [f"teacher-{kind}-{fold}" for kind in ("plain", "blended") for fold in (1, 2)]
    trained = [first, "base-42", "no-phantoms-42", *folds, "taught-42"]
    runs = {run.name: run for run in Run.list()}
    assert set(runs) == set(trained)
    assert all(run.status().state == "finished" for run in runs.values())
    began = str(own_home / "checkpoints" / first / "model.safetensors")
    starts = {name: run.config().weights for name, run in runs.items()}
    assert starts == {
        first: "none", "base-42": began, "no-phantoms-42": "none", "teacher-plain-1": "none",
        "teacher-plain-2": "none", "teacher-blended-1": began, "teacher-blended-2": began, "taught-42": began,
    }  # fmt: skip
    taught = runs["taught-42"].config()
    assert (taught.teacher, taught.teacher_list) == (str(out / "predictions.csv"), str(out / "known.txt"))
    with (out / "runs.csv").open(newline="") as file:
        assert {row["run"] for row in csv.DictReader(file)} == set(trained) - {first}
    assert {path.name.partition("-")[0] for path in out.glob("*.safetensors")} == {"1", "2"}
    before = {name: run.status().updated for name, run in runs.items()}
    candidates.main()
    assert {run.name: run.status().updated for run in Run.list()} == before
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--epochs", "2"])
    with pytest.raises(SystemExit):
        candidates.main()
    assert {run.name: run.status().updated for run in Run.list()} == before


def test_a_candidate_that_is_none_is_refused_with_those_that_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--data", tmp_path, "--weights", tmp_path, "--out", tmp_path / "out", "--only", "base,bsae"]
    monkeypatch.setattr(sys, "argv", ["candidates.py", *map(str, words)])
    with pytest.raises(SystemExit):
        candidates.main()
    every = ", ".join([*candidates.SINGLE, *candidates.TAUGHT])
    assert capsys.readouterr().err.endswith(f"error: no candidate is called bsae; they are {every}\n")
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--only", "base", "--weights", str(tmp_path / "nowhere")])
    with pytest.raises(SystemExit):
        candidates.main()
    assert f"there is no folder {tmp_path / 'nowhere'}; " in capsys.readouterr().err


def test_a_run_of_other_settings_is_not_taken_for_a_candidate(tmp_path: Path) -> None:
    there = {"data": "/here/films", "name": "base-42", "weights": "none", "epochs": 1, "device": "cpu"}
    elsewhere = make_config({**there, "data": "/there/films", "device": "cuda", "compile": True})
    candidates.check_same(elsewhere, make_config(there))
    other = make_config(
        {**there, "epochs": 3, "weights": "/w/lite0.safetensors", "teacher": "/a/b.csv,/c/d.csv"}
    )
    with pytest.raises(RunError) as refused:
        candidates.check_same(other, make_config(there))
    assert str(refused.value) == (
        "the run base-42 has other settings (weights none, not lite0.safetensors; teacher none, not "
        "b.csv,d.csv; epochs 1, not 3): delete it, or set another XLITE_HOME"
    )


def test_a_candidate_has_mean_and_deviation_over_its_seeds(
    tmp_path: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aucs = {"base-42": (0.75, 0.73), "base-43": (0.77, 0.75), "mixup-42": (0.7, 0.6)}
    runs = {
        Run.create(make_config({"data": tmp_path, "name": name})): Outcome(
            val_auc=val, test_auc=test, epochs=9
        )
        for name, (val, test) in aucs.items()
    }
    candidates.pack(runs, tmp_path, keep=0)
    assert capsys.readouterr().out.splitlines()[2:] == [
        "| base | 2 | 0.760 ± 0.014 | 0.740 ± 0.014 |",
        "| mixup | 1 | 0.700 | 0.600 |",
    ]
    assert (tmp_path / "runs.csv").read_text().splitlines() == [
        "candidate,run,val_auc,test_auc,epochs",
        "base,base-42,0.75,0.73,9",
        "base,base-43,0.77,0.75,9",
        "mixup,mixup-42,0.7,0.6,9",
    ]
