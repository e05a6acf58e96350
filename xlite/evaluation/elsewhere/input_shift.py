"""What the guards say of the films of a folder, how unlike those of training they are, and how they look."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from tqdm import tqdm

from xlite.data.dataset import FilmRows, folder_films
from xlite.data.folder import NihFolder
from xlite.evaluation.elsewhere.appearance import Appearance, appearance
from xlite.evaluation.elsewhere.elsewhere_report import Distances, Guarded
from xlite.evaluation.likeness import pooled, spread
from xlite.guards.gate import Gate
from xlite.guards.verdict import REASONS, VERDICTS, Guards
from xlite.images import read_image

if TYPE_CHECKING:
    from xlite.classify import Classifier
    from xlite.guards.likeness import Likeness


class Inputs(NamedTuple):
    """What is said of films without their labels."""

    guards: Guarded
    distances: Distances | None
    appearance: Appearance


def input_shift(classifier: "Classifier", folder: NihFolder, stems: Sequence[str]) -> Inputs:
    """What the guards say of up to `likeness.FILMS` of the films, spread over all, their distances and looks.

    Guards look at whole films; what the model itself finds unlike its training is one of their reasons, as
    when a film is read. No distances if the model file does not say how near the films of training are.
    Raises ImageError.
    """
    chosen = [stems[row] for row in spread(len(stems))]
    likeness, gate = classifier.info.likeness, Gate.load()
    films, row_of = folder_films(folder, classifier.info.preprocess)
    rows = FilmRows(films, np.array([row_of[stem] for stem in chosen]))
    patients = folder.patients(chosen)
    looks = appearance(rows, patients)
    bar = tqdm(chosen, desc="Guards", unit="film", delay=2, disable=None, leave=False)
    said = [gate.judge(read_image(folder.paths[stem])) for stem in bar]
    if likeness is None:
        return Inputs(_guarded(said), None, looks)
    features = pooled(classifier.engine, rows)
    checks = [likeness.check(film) for film in features]
    said = [
        guards.with_check(check) if check and check.reason not in guards.reasons else guards
        for guards, check in zip(said, checks, strict=True)
    ]
    return Inputs(_guarded(said), _distances(likeness, features, len(set(patients))), looks)


def _guarded(said: Sequence[Guards]) -> Guarded:
    verdicts = [guards.verdict for guards in said]
    reasons = [reason for guards in said for reason in guards.reasons]
    return Guarded(
        films=len(said),
        verdicts={verdict: verdicts.count(verdict) for verdict in VERDICTS},
        reasons={reason: reasons.count(reason) for reason in REASONS if reason in reasons},
    )


def _distances(likeness: "Likeness", features: np.ndarray, patients: int) -> Distances:
    distances = likeness.distance(features)
    return Distances(
        films=len(distances),
        patients=patients,
        median=float(np.median(distances)),
        limit=likeness.limit,
        beyond=int(np.sum(distances > likeness.limit)),
        usual=likeness.usual,
        quantile=likeness.quantile,
        usual_films=likeness.films,
        unusual=int(np.sum(distances > likeness.usual)),
    )
