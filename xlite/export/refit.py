"""Calibration and thresholds of an export that answers otherwise than its model: fitted to its answers."""

import numpy as np
from onnx import ModelProto

from xlite.data.dataset import open_films
from xlite.data.folder import NihFolder
from xlite.data.splits import Split
from xlite.engines.engine import Engine
from xlite.errors import DataError
from xlite.evaluation.contamination.own_training import is_whole, own_split
from xlite.evaluation.films import FilmLogits
from xlite.evaluation.validation import choose_by, fit_info
from xlite.files import Steps
from xlite.findings import FINDINGS
from xlite.metrics.calibration import Calibrator, Platt, uncalibrated
from xlite.metrics.recalibration import line_of
from xlite.models.info import ModelInfo
from xlite.models.onnx_graph import recalibrate


def answers(
    engine: Engine, folder: NihFolder, split: Split, part: str, steps: Steps | None = None
) -> FilmLogits:
    """What an engine says of the films of a part that are there; `steps` gets one for each."""
    steps, preprocess = steps or Steps(), engine.info.preprocess
    films, labels, stems = open_films(folder, split, part, preprocess, skip_missing=True)
    logits = []
    for row in range(len(films)):
        logits.append(engine.logits(preprocess.normalize(films[row])[None]))
        steps.step()
    return FilmLogits(np.concatenate(logits), labels, folder.patients(stems))


def films_there(folder: NihFolder, split: Split, part: str) -> int:
    """How many films of a part `answers` reads."""
    return sum(stem in folder.paths for stem in split.stems(part))


def refitted(
    proto: ModelProto, info: ModelInfo, val: FilmLogits, before: np.ndarray | None = None
) -> ModelInfo:
    """The info with calibration and thresholds of these validation films; the graph gets them, too.

    before: what the model says of them in float32, logits (N, 14). If more films than these fitted its
    calibrator, that is carried to the export's logits instead.
    """
    films = val.logits, val.labels, val.patients
    if info.notes.pooled is None or before is None:
        fitted = fit_info(info, *films, "platt")
    else:
        carried = _carried(info.calibration, before, val.logits)
        fitted = choose_by(info, carried, *films).noting(pooled=info.notes.pooled)
    assert fitted.calibration is None or isinstance(fitted.calibration, Platt)
    recalibrate(proto, fitted.calibration)
    return fitted


def _carried(calibrator: Calibrator | None, before: np.ndarray, after: np.ndarray) -> Platt:
    """The calibrator of logits `before` (N, 14) for logits `after`, by the line from these to those.

    The line is that of least squares. A finding that was not calibrated stays so.
    """
    scale, bias = line_of(calibrator)
    for c, finding in enumerate(FINDINGS):
        if finding not in uncalibrated(calibrator):
            slope, shift = np.polyfit(after[:, c].astype(np.float64), before[:, c].astype(np.float64), 1)
            scale[c], bias[c] = scale[c] * slope, scale[c] * shift + bias[c]
    return Platt(scale=tuple(scale.tolist()), bias=tuple(bias.tolist()))


def split_of(info: ModelInfo, folder: NihFolder) -> Split:
    """The model's own split in a data folder. Raises DataError if it has none of that id."""
    split = own_split(info, folder)
    if split is None or not is_whole(split, info):
        raise DataError(
            f"{folder.root} has no split {info.split_id}, on which the model was trained and whose "
            "validation films fit its thresholds; make it by `xlite data split`, or name another folder"
        )
    return split
