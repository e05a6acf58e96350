"""What the Overview page says of runs: those that live, and those that ended last."""

import os
from pathlib import Path

from xlite.config import make_config
from xlite.runs.lock import holding
from xlite.runs.recent_runs import runs_now
from xlite.runs.run import Run
from xlite.runs.status import RunStatus


def made(data: Path, name: str, age: int, **status: object) -> Run:
    run = Run.create(make_config({"data": data, "name": name}))
    run.write_progress(RunStatus.model_validate(status))
    os.utime(run.path("config.json"), (2e9 - age, 2e9 - age))
    return run


def test_live_runs_are_apart_and_the_others_are_the_newest(tiny_folder: Path) -> None:
    for age in range(4):
        made(tiny_folder, f"old{age}", age, state="finished", epoch=8, epochs=8, best_auc=0.71234)
    judged = Run.named("old1")
    judged.evaluation("test").mkdir(parents=True)
    (judged.evaluation("test") / "metrics.json").touch()
    busy = made(tiny_folder, "busy", 9, state="running", epoch=1, epochs=4, step=5, steps=10, eta_s=75)
    with holding(busy.folder, "it is busy"):
        live, rest = runs_now(3)
    [seen] = live
    assert (seen.run.name, seen.share) == ("busy", 0.375)
    assert seen.facts == "epoch 1 of 4, time left 1 min 15 s"
    assert [one.run.name for one in rest] == ["old0", "old1", "old2"]
    written = (judged.evaluation("test") / "metrics.json").stat().st_mtime
    assert [one.judged_at for one in rest] == [0, written, 0]
    assert rest[0].facts == "epoch 8 of 8, validation AUC 0.712"


def test_a_run_that_has_not_begun_is_nowhere_yet(tiny_folder: Path) -> None:
    run = made(tiny_folder, "young", 0, state="queued")
    with holding(run.folder, "it is busy"):
        [seen], rest = runs_now(5)
    assert (seen.share, rest) == (0.0, [])
    assert seen.facts == "no epoch yet, time left not known"
