"""What one may choose when a model, its predictions or its maps are judged. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xlite.errors import Option
from xlite.metrics.bootstrap import RESAMPLES, RESAMPLING_SEED

KEEP = "keep"
"""In place of a calibrator to fit: the model keeps its own, and what its thresholds are worth is recorded."""
RADIOLOGISTS = Option("--radiologists", "Radiologists' labels")


@dataclass(frozen=True, eq=False)
class JudgeOptions:
    """How a model is judged on films.

    skip_missing: leave films out that the folder lacks; batch_size: films read at a time; resamples, seed: of
    patients, for the intervals; calibration: a method of `fit_calibrator` to fit first, or KEEP;
    folds: runs that each left a fold out, whose answers for these films are fitted to, too;
    radiologists: Google's table; teacher_list: files of the films that the model's teachers were trained on,
    joined by commas; val_logits: names and logits (V, 14) of the validation films, if they are known already;
    own_data: the folder of the model's own split, whose test films stand beside those of another folder; pdf:
    whether the report is written as a PDF too.
    """

    device: str = "cpu"
    skip_missing: bool = False
    batch_size: int = 64
    resamples: int = RESAMPLES
    seed: int = RESAMPLING_SEED
    calibration: str | None = None
    folds: tuple[str, ...] = ()
    radiologists: str | Path | None = None
    teacher_list: str | Path | None = None
    val_logits: tuple[Sequence[str], np.ndarray] | None = None
    own_data: str | Path | None = None
    pdf: bool = False


@dataclass(frozen=True)
class AdaptOptions:
    """How a model is adapted to the films of another hospital.

    films: at most so many fit it, of whole patients; draws: of the learning curve, each of other films;
    resamples: of patients, for the intervals; seed: of the films drawn and of the resamples; batch_size:
    films read at a time.
    """

    films: int
    draws: int = 20
    resamples: int = RESAMPLES
    seed: int = RESAMPLING_SEED
    device: str = "cpu"
    batch_size: int = 64


@dataclass(frozen=True)
class ScoreOptions:
    """How anyone's predictions are judged.

    thresholds: a JSON file {finding: probability}; ignore_unknown: leave films out that the table lacks;
    resamples, seed: of patients, for the intervals; validation: predictions of the same model for other films
    of the table, which choose thresholds and calibrators; radiologists: Google's table; trained_on: a list of
    films that the model, or its teacher, learned from; against: another model's predictions to compare with;
    pdf: whether the report is written as a PDF too.
    """

    thresholds: str | Path | None = None
    ignore_unknown: bool = False
    resamples: int = RESAMPLES
    seed: int = RESAMPLING_SEED
    validation: str | Path | None = None
    radiologists: str | Path | None = None
    trained_on: str | Path | None = None
    against: str | Path | None = None
    pdf: bool = False


@dataclass(frozen=True)
class MapOptions:
    """How a model's maps are judged.

    boxes: a table as NIH's, by default the folder's own; methods: of `xlite.explain.METHODS`, None for all;
    checks: targets, drawn at random, for the sanity checks; resamples, seed: of patients, for the intervals.
    """

    boxes: str | Path | None = None
    methods: Sequence[str] | None = None
    checks: int = 24
    device: str = "cpu"
    resamples: int = RESAMPLES
    seed: int = RESAMPLING_SEED
