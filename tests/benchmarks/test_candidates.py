"""The list of candidates is trained in its order, each from what it needs, and goes on with what is left."""

import csv
import shutil
import sys
from pathlib import Path

import candidates
import pytest

from xlite.runs.run import Run

TINY = {"backbone": "test_resnet.r160_in1k", "image_size": 32, "batch_size": 8, "hidden": 16, "patience": 9}


@pytest.mark.release
@pytest.mark.slow
def test_each_candidate_starts_and_learns_from_those_before_it(
    tiny_folder: Path, tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phantoms, out = tmp_path / "phantoms", tmp_path / "out"
    shutil.copytree(tiny_folder, phantoms)
    monkeypatch.setattr(candidates, "BASE", {**candidates.BASE, **TINY})
    monkeypatch.setattr(candidates, "FOLDS", 2)
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
    with (out / "candidates.csv").open(newline="") as file:
        assert {row["candidate"] for row in csv.DictReader(file)} == set(trained) - {first}
    assert {path.name.partition("-")[0] for path in out.glob("*.safetensors")} == {"1", "2"}
    before = {name: run.status().updated for name, run in runs.items()}
    candidates.main()
    assert {run.name: run.status().updated for run in Run.list()} == before
