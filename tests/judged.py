"""Things to judge: a tiny model of a tiny folder, common findings, boxes, predictions for some films."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from noise_folder import write_noise_folder

from xlite.data.folder import NihFolder
from xlite.data.predictions import write_predictions
from xlite.data.split_files import load_split
from xlite.data.splits import Split
from xlite.evaluation.part_judged import PartJudged
from xlite.findings import FINDINGS
from xlite.images import Preprocess
from xlite.metrics.calibration import Platt
from xlite.models.checkpoint import load_model, save_model
from xlite.models.info import ModelInfo, ModelNotes
from xlite.models.student import Student

TABLE = "Data_Entry_2017_v2020.csv"
BOXES = """Image Index,Finding Label,Bbox [x,y,w,h],,,
00000001_000.png,Cardiomegaly,0,0,700,700,,,
00000002_000.png,Effusion,300,300,400,500,,,
00000003_000.png,Infiltrate,512,0,512,512,,,
00000004_000.png,Mass,10,10,40,40,,,
00000099_000.png,Mass,10,10,40,40,,,
"""


def save_tiny_model(home: Path, folder: Path) -> Path:
    """An untrained model of the folder's patient split, with thresholds and a calibrator, named tiny."""
    torch.manual_seed(0)
    path = home / "checkpoints" / "tiny" / "model.safetensors"
    path.parent.mkdir(parents=True)
    info = ModelInfo(
        backbone="test_resnet",
        attention="none",
        hidden=8,
        dropout=0.0,
        preprocess=Preprocess(32),
        split_id=load_split(NihFolder.open(folder), "patient").id,
        label_version="2020",
        thresholds={finding: 0.4 + c / 100 for c, finding in enumerate(FINDINGS)},
        calibration=Platt(scale=(2.0,) * 14, bias=(0.1,) * 14),
        notes={"loss": "bce", "sampler": "shuffle"},
    )
    save_model(path, Student("test_resnet", hidden=8), info)
    return path


def part_judged(folder: NihFolder, split_id: str, stems: list[str]) -> PartJudged:
    """The films as the test part of a split of that id."""
    return PartJudged(folder, Split("mine", split_id, "patient", 1, {"test": stems}), "test", stems)


def amend(path: Path, **changes: Any) -> None:
    """Changes what a model file says of itself."""
    model, info = load_model(path)
    if "notes" in changes:
        changes["notes"] = ModelNotes.model_validate(changes["notes"])
    save_model(path, model, info.model_copy(update=changes))


def write_common_folder(root: Path, model: Path) -> Path:
    """300 films, half of them with Effusion and Mass, the others with nothing; the model is of its split."""
    folder = write_noise_folder(root, patients=150)
    table = folder / TABLE
    table.write_text(re.sub(rf",({'|'.join(FINDINGS)}),", ",Effusion|Mass,", table.read_text()))
    amend(model, split_id=load_split(NihFolder.open(folder), "patient").id)
    return folder


def write_some_predictions(path: Path, folder: Path) -> Path:
    """Predictions for the folder's films but the first, last film first."""
    names = NihFolder.open(folder).table["image"].tolist()[:0:-1]
    write_predictions(path, names, np.random.default_rng(0).random((len(names), 14)))
    return path
