"""What a model answers to many films, read from their files. No torch."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xlite.classify import Classifier
from xlite.errors import DataError, ImageError
from xlite.files import Progress
from xlite.findings import FINDINGS
from xlite.images import read_image
from xlite.processors import processors

_BATCH = 16

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model says of N films: stems, calibrated probs float32 (N, 14), pooled features float32 (N, C).

    disagreement float32 (N, 14) is the standard deviation of an ensemble's members' probabilities; None of a
    single model.
    """

    stems: list[str]
    probs: np.ndarray
    features: np.ndarray
    disagreement: np.ndarray | None


def read_answers(
    classifier: Classifier,
    films: Sequence[tuple[str, Path]],
    progress: Progress | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Answers | None:
    """The answers to films (stem, file), in their order; those that cannot be read are left out.

    None if it is stopped. Raises DataError if the model gives no features.
    """
    stems: list[str] = []
    probs = [np.empty((0, len(FINDINGS)), np.float32)]
    features: list[np.ndarray] = []
    apart: list[np.ndarray] = []
    for batch in _batches(classifier, films, progress):
        if is_stopped():
            return None
        output = classifier.output(np.concatenate([x for _, x in batch]), None)
        if output.features is None:
            raise DataError(f"{classifier.name} gives no features of films; name another model")
        stems += [stem for stem, _ in batch]
        probs.append(classifier.probabilities(output.logits).astype(np.float32))
        features.append(output.features)
        if output.disagreement is not None:
            apart.append(output.disagreement)
    return Answers(
        stems,
        np.concatenate(probs),
        np.concatenate(features) if features else np.empty((0, 0), np.float32),
        np.concatenate(apart) if apart else None,
    )


def _batches(
    classifier: Classifier, films: Sequence[tuple[str, Path]], progress: Progress | None
) -> Iterator[list[tuple[str, np.ndarray]]]:
    """Batches of films as the model takes them, float32 (1, 3, S, S), decoded by threads."""

    def decode(film: tuple[str, Path]) -> tuple[str, np.ndarray] | None:
        try:
            return film[0], classifier.input(read_image(film[1]))
        except (ImageError, OSError) as error:
            log.warning("left out: %s", error)
            return None

    with ThreadPoolExecutor(processors()) as pool:
        for start in range(0, len(films), _BATCH):
            batch = films[start : start + _BATCH]
            if found := [one for one in pool.map(decode, batch) if one is not None]:
                yield found
            if progress:
                progress(start + len(batch), len(films))
