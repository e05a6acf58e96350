"""What is known of runs that were never trained, for the tests of what shows many of them."""

from pathlib import Path
from typing import Any

from xlite.config import TrainConfig
from xlite.metrics.estimate import Estimate
from xlite.runs.annotation import Annotation
from xlite.runs.judged import Judgement
from xlite.runs.listing import RunFacts, settings_of
from xlite.runs.results import Experiment
from xlite.runs.run import Run
from xlite.runs.status import RunStatus

SPLIT = "patient-42-1a2b3c4d"


def facts(
    name: str,
    *,
    state: str = "finished",
    best: float | None = None,
    judged: Judgement | None = None,
    tags: tuple[str, ...] = (),
    note: str = "",
    size_mb: float | None = None,
    latency_ms: float | None = None,
    **settings: Any,
) -> RunFacts:
    """A run in a folder that is not there."""
    config = TrainConfig.model_validate({"data": "films", "name": name, **settings})
    return RunFacts(
        Run(Path("nowhere") / "checkpoints" / name),
        settings_of(config),
        RunStatus.model_validate({"state": state, "epoch": 3, "epochs": 8, "best_auc": best}),
        Annotation(tags, note),
        judged,
        None if latency_ms is None else Experiment(name, inference_time_ms=latency_ms),
        size_mb,
    )


def judgement(auc: float | None, known: int = 0, split: str = SPLIT, **more: Any) -> Judgement:
    """A report on 150 films, an interval of 0.02 around its AUC."""
    estimate = Estimate(None) if auc is None else Estimate(auc, auc - 0.02, auc + 0.02)
    return Judgement(split, "2020", 150, estimate, known, **more)
