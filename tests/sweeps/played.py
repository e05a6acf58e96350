"""Trainers that are played, and small plans, for the tests of studies."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from xlite.data.folder import NihFolder
from xlite.data.predictions import write_predictions
from xlite.data.split_files import load_split
from xlite.runs.notes import Notes
from xlite.runs.results import Experiment, append_result
from xlite.runs.run import Run
from xlite.runs.run_files import EPOCH_COLUMNS
from xlite.runs.status import RunStatus
from xlite.sweeps.plan import Design, Plan, make_plan
from xlite.sweeps.sweep import Sweep

TINY = {"image_size": 32, "epochs": 4}
FILMS = {"split": "patient-42-1", "table": "t"}


class Trainers:
    """Plays every run's trainer at once: its epochs' validation AUCs follow from its settings."""

    def __init__(self, folder: Path):
        self.folder = NihFolder.open(folder)
        self.started: list[str] = []
        self.aucs: Callable[[Run], list[float]] = lambda run: [0.6, 0.7]
        self.end: Callable[[Run], None] = self.finish

    def start(self, run: Run) -> None:
        self.started.append(run.name)
        self.end(run)

    def train(self, run: Run, state: str, message: str = "", epochs: int | None = None) -> None:
        aucs = self.aucs(run)[:epochs]
        rows = [f"{epoch},0.5,0.4,{auc}" for epoch, auc in enumerate(aucs, 1)]
        run.path("metrics.csv").write_text("\n".join([",".join(EPOCH_COLUMNS), *rows]) + "\n")
        run.write_progress(RunStatus(state=state, epoch=len(aucs), epochs=4, message=message))

    def finish(self, run: Run) -> None:
        self.train(run, "finished")
        config = run.config()
        split = load_split(self.folder, config.split)
        size = {"resnet18": 44.0}.get(config.backbone, 6.0)
        metrics = {"val_auc": max(self.aucs(run)), "test_auc": 0.55}
        logged = Experiment(run.name, **metrics, model_size_mb=size, inference_time_ms=5.0)
        append_result(logged, Notes(split.id))
        for part in ("val", "test"):
            labels = self.folder.labels(split.stems(part))
            rng = np.random.default_rng(config.seed)
            skill = max(self.aucs(run)) - 0.5
            probs = np.clip(skill * labels + (1 - skill) * rng.random(labels.shape), 0, 1)
            out = run.evaluation(part)
            out.mkdir(parents=True)
            write_predictions(out / "predictions.csv", split.parts[part], probs)


def grid(data: Path, study: str = "s", seeds: int = 2, **vary: object) -> Plan:
    vary = vary or {"backbone": ["resnet18", "mobilenetv3_small_100"]}
    return make_plan("search", {"data": data, **TINY}, vary, Design(study, seeds=seeds))


def shared(plan: Plan, url: str) -> Plan:
    return plan.model_copy(update={"storage": url})


def states(sweep: Sweep) -> dict[str, str]:
    return {trial.run: trial.state for trial in sweep.status().trials}
