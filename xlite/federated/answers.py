"""What a model file says of films, as its calibrated probabilities."""

from pathlib import Path

import numpy as np

from xlite.data.dataset import FilmDataset, open_films
from xlite.data.folder import NihFolder
from xlite.data.predictions import Predictions
from xlite.data.splits import Split
from xlite.evaluation.options import JudgeOptions
from xlite.evaluation.read_films import read_logits
from xlite.metrics.calibration import apply_calibrator
from xlite.models.checkpoint import load_model


def answers(model: Path, folder: NihFolder, split: Split, part: str) -> Predictions:
    """Stems, names and probabilities (N, 14) of a part's films, in the split's order, read on the CPU.

    Raises CheckpointError or DataError if model or films cannot be read.
    """
    student, info = load_model(model)
    films, labels, stems = open_films(folder, split, part, info.preprocess)
    logits = read_logits(student, FilmDataset(films, labels, info.preprocess), JudgeOptions().batch_size)
    probs = np.asarray(apply_calibrator(logits, info.calibration))
    return Predictions(stems, folder.names(stems), probs)
