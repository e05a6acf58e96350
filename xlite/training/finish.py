"""What a finished run leaves: thresholds and calibration from val, the test report, a row in the log."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import torch

from xlite.evaluation.calibration import apply_calibration, fit_platt
from xlite.evaluation.evaluate import evaluate_model
from xlite.evaluation.thresholds import choose_thresholds
from xlite.findings import FINDINGS
from xlite.models.checkpoint import load_model, save_model
from xlite.models.latency import measure_latency
from xlite.training.results import append_result, read_results
from xlite.training.run import Run
from xlite.training.setup import Job

_BATCH = 64


def finish(job: Job, run: Run, device: str, say: Callable[[str], None]) -> None:
    """Fits calibration and thresholds on val, judges the model on test, and logs it in results.csv."""
    path = run.folder / "model.safetensors"
    student, info = load_model(path)
    logits, labels = _logits(student.to(device), job.val), job.val.labels.numpy()
    calibration = fit_platt(logits, labels)
    chosen = choose_thresholds(labels, apply_calibration(logits, calibration))
    thresholds = dict(zip(FINDINGS, chosen.tolist(), strict=True))
    save_model(path, student.cpu(), replace(info, calibration=calibration, thresholds=thresholds))
    test_auc = _judge(job, run, path, device, say)
    config, last = job.config, run.read_metrics()
    best = last.loc[last["val_auc"].fillna(-np.inf).idxmax()]
    train_loss, val_auc = f"{best['train_loss']:.6f}", f"{best['val_auc']:.6f}"
    if _is_logged(run.name, train_loss):
        return
    latency = measure_latency(student, config.image_size)
    append_result(
        {
            "experiment_id": run.name,
            "date": date.today().isoformat(),
            "model": "distilled student" if config.teacher else "student",
            "backbone": config.backbone,
            "attention": config.attention,
            "kd_temp": config.temperature if config.teacher else "",
            "kd_alpha": config.alpha if config.teacher else "",
            "train_loss": train_loss,
            "val_auc": val_auc,
            "test_auc": "" if test_auc is None else f"{test_auc:.6f}",
            "inference_time_ms": f"{latency.p50_ms:.2f}",
            "model_size_mb": f"{path.stat().st_size / 1e6:.2f}",
            "notes": f"split {job.split.id}; labels {job.folder.label_version}; seed {config.seed}"
            + (f"; teacher {config.teacher}" if config.teacher else ""),
        }
    )


def _is_logged(name: str, train_loss: str) -> bool:
    """Whether the log has this run at this end already: one that is resumed after its end is judged anew."""
    log = read_results()
    return bool(((log["experiment_id"] == name) & (log["train_loss"] == float(train_loss))).any())


def _logits(student: torch.nn.Module, films: torch.utils.data.Dataset) -> np.ndarray:
    """(N, 14) logits of a part, in its order, on the device where the student is."""
    device = next(student.parameters()).device
    loader = torch.utils.data.DataLoader(films, _BATCH)
    with torch.inference_mode():
        return torch.cat([student(x.to(device)).float().cpu() for x, _, _, _ in loader]).numpy()


def _judge(job: Job, run: Run, path: object, device: str, say: Callable[[str], None]) -> float | None:
    """The macro AUC on the test part, with its report in evaluation/test; None where test holds no films."""
    if not job.split.parts["test"]:
        say("The split has no test part, so the run is not judged")
        return None
    report = evaluate_model(
        path,
        job.config.data,
        job.config.split,
        "test",
        run.folder / "evaluation" / "test",
        device=device,
        skip_missing=job.config.skip_missing,
        say=say,
    )
    auc = report["macro"]["auc"]
    say(
        f"Test AUC {auc['value']:.4f} ({auc['low']:.4f} to {auc['high']:.4f})"
        if auc["value"]
        else "No test AUC"
    )
    return auc["value"]
