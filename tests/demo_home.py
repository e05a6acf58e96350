"""A home with a tiny model and its evaluation, for the tests of pages, share and browser."""

from pathlib import Path

import numpy as np
import torch

from xlite.evaluation.report import evaluate_predictions, write_report
from xlite.findings import FINDINGS
from xlite.images import Preprocess
from xlite.models.checkpoint import ModelInfo, save_model
from xlite.models.student import Student

BACKBONE = "test_resnet.r160_in1k"
SPLIT = "patient-42-1a2b3c4d"


def save_demo_model(home: Path, name: str = "demo0", seed: int = 0) -> Path:
    """A random student of 64 px with every threshold at 0.5, in `home/checkpoints/<name>`."""
    torch.manual_seed(seed)
    path = home / "checkpoints" / name / "model.safetensors"
    path.parent.mkdir(parents=True)
    thresholds = dict.fromkeys(FINDINGS, 0.5)
    info = ModelInfo(BACKBONE, "none", 16, 0.3, Preprocess(64), SPLIT, "2020", thresholds)
    save_model(path, Student(BACKBONE, hidden=16).eval(), info)
    return path


def save_demo_evaluation(home: Path, name: str = "demo0", split_id: str = SPLIT, seed: int = 0) -> dict:
    """A report on 200 drawn films of 100 patients, where Hernia has no positive; returns metrics.json."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((200, 14)) < 0.2).astype(np.float32)
    labels[:, -1] = 0
    probs = np.clip(0.3 * labels + 0.7 * rng.random((200, 14)), 0, 1).astype(np.float32)
    report = evaluate_predictions(
        labels, probs, np.arange(200) // 2, split_id=split_id, part="test", label_version="2020", resamples=50
    )
    names = [f"{film:08d}_000.png" for film in range(200)]
    write_report(home / "checkpoints" / name / "evaluation" / "test", report, names, labels, probs)
    return report
