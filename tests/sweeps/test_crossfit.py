"""Cross-fitting: what is planned, what the folds leave, and how their answers become a teacher."""

from pathlib import Path

import numpy as np
import pytest
from played import TINY, Trainers

from xlite.config import make_config
from xlite.data.folder import NihFolder
from xlite.data.predictions import read_predictions, write_predictions
from xlite.data.split_files import load_split
from xlite.data.train_part import leave_out
from xlite.errors import RunError
from xlite.metrics.per_finding import auc_per_class
from xlite.runs.run import Run
from xlite.sweeps import work
from xlite.sweeps.crossfit import plan_crossfit
from xlite.sweeps.leaderboard import Joined
from xlite.sweeps.leaderboard_sentences import caption, verdict
from xlite.sweeps.left_out import join_folds
from xlite.sweeps.plan import Design
from xlite.sweeps.sweep import Sweep

SAID = {"1/3": 0.2, "2/3": 0.4, "3/3": 0.6}


def test_a_run_for_each_fold_and_seed(tiny_folder: Path) -> None:
    plan = plan_crossfit({"data": tiny_folder, "epochs": 3}, 2, Design("c", seeds=2))
    assert plan.combinations() == [
        {"fold": "1/2", "seed": 42},
        {"fold": "2/2", "seed": 42},
        {"fold": "1/2", "seed": 43},
        {"fold": "2/2", "seed": 43},
    ]
    words = ["xlite", "sweep", "crossfit", "--study", "c", "--data", str(tiny_folder), "--epochs", "3"]
    assert plan.command() == [*words, "--seeds", "2", "--folds", "2"]
    with pytest.raises(RunError, match="leaves each fold out in its turn, so it takes no --fold"):
        plan_crossfit({"data": tiny_folder, "fold": "1/2"}, 2, Design("c"))


@pytest.mark.parametrize("fold", ["0/5", "6/5", "1/1", "5", "1/5/2", "1/101", "a/b", "1 / 5", "\u0661/5"])
def test_a_fold_that_is_none_is_refused(tiny_folder: Path, fold: str) -> None:
    with pytest.raises(RunError, match=r"fold is .*expected one of 2 to 100 folds, as 2/5, or nothing"):
        make_config({"data": tiny_folder, "fold": fold})


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_the_answers_of_all_folds_become_a_teacher(
    trainers: Trainers, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = NihFolder.open(tiny_folder)
    split = load_split(folder, "patient")

    def finish(run: Run) -> None:
        trainers.finish(run)
        fold, seed = run.config().fold, run.config().seed
        _, stems = leave_out(folder, split, fold)
        values = np.full((len(stems), 14), SAID[fold] + (0.1 if seed == 43 else 0.0))
        write_predictions(run.path("left_out.csv"), folder.names(stems), values)

    trainers.end = finish
    sweep = Sweep.open(plan_crossfit({"data": tiny_folder, **TINY}, 3, Design("c", seeds=2)))
    found = work.work_on(sweep)
    taught = read_predictions(sweep.folder / "predictions.csv")
    assert taught.names == split.parts["train"]
    for fold, said in SAID.items():
        stems = leave_out(folder, split, fold)[1]
        rows = [taught.stems.index(stem) for stem in stems]
        assert taught.probs[rows] == pytest.approx(np.full((len(rows), 14), said + 0.05))
    known = (sweep.folder / "known.txt").read_text().splitlines()
    assert known == split.parts["train"] + split.parts["val"]
    aucs = auc_per_class(folder.labels(taught.stems), taught.probs)
    findings = np.count_nonzero(~np.isnan(aucs))
    assert 0 < findings < 14
    assert (found.winner, found.ended, len(found.rows)) == (None, True, 3)
    nothing = "Nothing is chosen: each row is the model that left this fold out."
    assert caption(found).startswith(f"Split {split.id}. {nothing}")
    assert found.joined == Joined(
        films=len(taught.stems),
        auc=np.nanmean(aucs),
        predictions=sweep.folder / "predictions.csv",
        known=sweep.folder / "known.txt",
        findings=findings,
    )
    assert sweep.leaderboard() == found
    assert verdict(found) == (
        f"The models answer for {len(taught.stems)} films that each of them had left out: mean AUC of "
        f"{findings} findings {np.nanmean(aucs):.4f}. Learn from it with --teacher "
        f"{sweep.folder / 'predictions.csv'} --teacher-list {sweep.folder / 'known.txt'}"
    )


def test_folds_without_an_answer_are_named(tiny_folder: Path, own_home: Path) -> None:
    folder = NihFolder.open(tiny_folder)
    split = load_split(folder, "patient")
    with pytest.raises(RunError, match="run 'c-000' has no left_out.csv here"):
        join_folds(["c-000"], folder, split, own_home)
    place = own_home / "checkpoints" / "c-000"
    place.mkdir(parents=True)
    stems = leave_out(folder, split, "1/3")[1]
    write_predictions(place / "left_out.csv", folder.names(stems), np.full((len(stems), 14), 0.5))
    train = len(split.parts["train"])
    with pytest.raises(RunError, match=f"{train - len(stems)} of {train} training films have no answer"):
        join_folds(["c-000"], folder, split, own_home)
