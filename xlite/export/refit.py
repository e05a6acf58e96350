"""Calibration and thresholds of an export that answers otherwise than its model: fitted to its answers."""

from dataclasses import dataclass

import numpy as np
from onnx import ModelProto

from xlite.data.dataset import open_films
from xlite.data.folder import NihFolder
from xlite.data.splits import Split
from xlite.engines.engine import Engine
from xlite.errors import DataError
from xlite.evaluation.contamination.own_training import is_whole, own_split
from xlite.evaluation.validation import fit_info
from xlite.metrics.calibration import Platt
from xlite.models.info import ModelInfo
from xlite.models.onnx_graph import recalibrate


@dataclass(frozen=True, eq=False)
class FilmLogits:
    """Logits and labels (N, 14) and patients (N,) of films."""

    logits: np.ndarray
    labels: np.ndarray
    patients: np.ndarray

    def beside(self, others: "FilmLogits") -> "FilmLogits":
        """These films and the others."""
        pairs = (
            (self.logits, others.logits),
            (self.labels, others.labels),
            (self.patients, others.patients),
        )
        return FilmLogits(*map(np.concatenate, pairs))


def answers(engine: Engine, folder: NihFolder, split: Split, part: str) -> FilmLogits:
    """What an engine says of the films of a part that are there."""
    preprocess = engine.info.preprocess
    films, labels, stems = open_films(folder, split, part, preprocess, skip_missing=True)
    logits = [engine.logits(preprocess.normalize(films[row])[None]) for row in range(len(films))]
    return FilmLogits(np.concatenate(logits), labels, folder.patients(stems))


def refitted(proto: ModelProto, info: ModelInfo, val: FilmLogits) -> ModelInfo:
    """The info with calibration and thresholds of these validation films; the graph gets them, too."""
    fitted = fit_info(info, val.logits, val.labels, val.patients, "platt")
    assert fitted.calibration is None or isinstance(fitted.calibration, Platt)
    recalibrate(proto, fitted.calibration)
    return fitted


def split_of(info: ModelInfo, folder: NihFolder) -> Split:
    """The model's own split in a data folder. Raises DataError if it has none of that id."""
    split = own_split(info, folder)
    if split is None or not is_whole(split, info):
        raise DataError(
            f"{folder.root} has no split {info.split_id}, on which the model was trained and whose "
            "validation films fit its thresholds; make it by `xlite data split`, or name another folder"
        )
    return split
