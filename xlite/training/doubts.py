"""Labels in doubt while training: the most doubtful are dropped, others softened; of training films alone."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlite.config import TrainConfig
from xlite.data.doubts import of_films, read_doubts
from xlite.data.folder import NihFolder
from xlite.data.splits import Split
from xlite.errors import DataError, RunError, Setting
from xlite.files import digest_of
from xlite.labels import known
from xlite.text import are, counted

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class TrainedLabels:
    """The labels of the training films, float32 (N, 14), NaN if unknown or dropped.

    hard: 0 or 1; soft: the same, but softened ones lie between 0 and 1. dropped, softened: how many; digest:
    of the list of doubts, empty without one.
    """

    hard: NDArray[np.float32]
    soft: NDArray[np.float32]
    dropped: int = 0
    softened: int = 0
    digest: str = ""


def trained_labels(
    config: TrainConfig, folder: NihFolder, split: Split, stems: Sequence[str]
) -> TrainedLabels:
    """The labels of the training films (N,) as `doubts`, `drop` and `soften` make them of the table's.

    Raises RunError for settings that do not go together, and DataError for a list that is none, or of which
    no label is one of these.
    """
    labels = folder.labels(stems)
    asked = config.drop > 0 or config.soften > 0
    if asked != bool(config.doubts):
        raise RunError(
            Setting("doubts"),
            " names the labels that ",
            *(Setting("drop"), " or ", Setting("soften")),
            " is for: give both, or neither",
        )
    if not asked:
        return TrainedLabels(labels, labels)
    listed = read_doubts(Path(config.doubts))
    mine = of_films(listed, stems, labels)
    rows, columns, probs = (mine[name].to_numpy() for name in ("row", "column", "probability"))
    if not len(rows):
        raise DataError(
            f"{config.doubts} doubts no label that the {counted(len(stems), 'training film')} have: make it "
            f"of their folder, with `xlite data doubts --split {config.split}`"
        )
    _warn(listed, split, config)
    count = round(config.drop if config.drop >= 1 else config.drop * int(known(labels).sum()))
    hard, soft = labels.copy(), labels.copy()
    first, rest = (slice(count), slice(count, None)) if config.soften else (slice(count), slice(0))
    hard[rows[first], columns[first]] = soft[rows[first], columns[first]] = np.nan
    given = labels[rows[rest], columns[rest]]
    soft[rows[rest], columns[rest]] = given + config.soften * (probs[rest] - given)
    dropped, softened = len(rows[first]), len(rows[rest])
    log.info(
        f"Labels in doubt: of the {counted(int(known(labels).sum()), 'known label')} of the training films "
        f"{dropped:,} {are(dropped)} dropped, {softened:,} {are(softened)} softened"
    )
    return TrainedLabels(hard, soft, dropped, softened, digest_of(Path(config.doubts)))


def _warn(listed: pd.DataFrame, split: Split, config: TrainConfig) -> None:
    """A warning if labels of the films that are to judge have taught the probabilities, too."""
    judging = {*split.stems("val"), *split.stems("test")}
    if judging & {*listed["stem"]}:
        log.warning(
            f"Warning: {config.doubts} was made of val or test films, too, and their labels have taught its "
            f"probabilities: make it with `xlite data doubts --split {config.split}`"
        )
