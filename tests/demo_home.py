"""A home with a tiny model and its evaluation, for the tests of pages, share and browser."""

import functools
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import torch

from xlite.evaluation.contamination.caveats import Caveat
from xlite.evaluation.films import Films
from xlite.evaluation.full_report import InUse, ValidationFilms, full_report
from xlite.evaluation.report import Report
from xlite.evaluation.report_base import Stamp
from xlite.evaluation.validation_report import Validation
from xlite.findings import FINDINGS
from xlite.images import Preprocess
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.calibration import logit
from xlite.metrics.thresholds import Thresholds
from xlite.models.checkpoint import save_model
from xlite.models.info import ModelInfo
from xlite.models.student import Student
from xlite.report.write import write_report

BACKBONE = "test_resnet.r160_in1k"
SPLIT = "patient-42-1a2b3c4d"


def save_demo_model(home: Path, name: str = "demo0", seed: int = 0, split_id: str = SPLIT) -> Path:
    """A random student of 64 px with every threshold at 0.5, in `home/checkpoints/<name>`."""
    torch.manual_seed(seed)
    path = home / "checkpoints" / name / "model.safetensors"
    path.parent.mkdir(parents=True)
    thresholds = dict.fromkeys(FINDINGS, 0.5)
    info = ModelInfo(
        backbone=BACKBONE,
        attention="none",
        hidden=16,
        dropout=0.3,
        preprocess=Preprocess(64),
        split_id=split_id,
        label_version="2020",
        thresholds=thresholds,
    )
    save_model(path, Student(BACKBONE, hidden=16).eval(), info)
    return path


def save_demo_evaluation(
    home: Path,
    name: str = "demo0",
    split_id: str = SPLIT,
    seed: int = 0,
    signal: float = 0.3,
    caveats: Sequence[Caveat] = (),
) -> Report:
    """A report on 200 drawn films of 100 patients, none with Hernia, as metrics.json has it."""
    files = _report_files(name, split_id, seed, signal, tuple(caveats))
    out = home / "checkpoints" / name / "evaluation" / "test"
    out.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        (out / file).write_bytes(content)
    return Report.model_validate_json(files["metrics.json"])


@functools.cache
def _report_files(
    name: str, split_id: str, seed: int, signal: float, caveats: tuple[Caveat, ...]
) -> dict[str, bytes]:
    """The files of such a report, drawn once for all tests that want the same one."""
    report, films = drawn_report(name, split_id, seed, signal, caveats, resamples=50)
    with TemporaryDirectory() as out:
        write_report(out, report, films)
        return {path.name: path.read_bytes() for path in Path(out).iterdir()}


def drawn_report(
    name: str = "demo",
    split_id: str = SPLIT,
    seed: int = 0,
    signal: float = 0.3,
    caveats: Sequence[Caveat] = (),
    *,
    threshold: float = 0.5,
    training_seed: int | None = None,
    resamples: int = 20,
) -> tuple[Report, Films]:
    """The report on 200 drawn films, one threshold for all findings, 200 others to validate on."""
    rng = np.random.default_rng(seed)
    films, validation = (drawn_films(rng, first, signal=signal) for first in (0, 200))
    report = full_report(
        films,
        Stamp(name, split_id, "test", "2020", training_seed),
        Resamples(films.patients, resamples, 0),
        InUse(Thresholds(np.full(14, threshold)), "none"),
        ValidationFilms(validation, Validation(films=200, split_id=split_id)),
        caveats,
    )
    return report, films


def drawn_films(rng: np.random.Generator, first: int = 0, count: int = 200, signal: float = 0.3) -> Films:
    """Films, two of each patient and none with Hernia, with scores that know something of their labels."""
    labels = (rng.random((count, 14)) < 0.2).astype(np.uint8)
    labels[:, -1] = 0
    probs = np.clip(signal * labels + 0.7 * rng.random((count, 14)), 0, 1).astype(np.float32)
    numbers = np.arange(first, first + count)
    table = pd.DataFrame(
        {
            "image": [f"{number:08d}_000.png" for number in numbers],
            "stem": [f"{number:08d}_000" for number in numbers],
            "patient": (numbers // 2).astype(str),
            "age": rng.integers(5, 90, count).astype(float),
            "sex": np.where(numbers // 2 % 2, "F", "M"),
            "view": np.where(numbers % 2, "AP", "PA"),
        }
    ).join(pd.DataFrame(labels, columns=list(FINDINGS)))
    return Films(table, table["image"].tolist(), logit(probs), probs)
