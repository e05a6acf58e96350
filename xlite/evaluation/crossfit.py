"""What a model's features say of films out of fold: of each, by what the films of other patients have."""

from pathlib import Path

import numpy as np

from xlite.classify import Classifier
from xlite.data.dataset import open_films
from xlite.evaluation.contamination.caveats import Caveat
from xlite.evaluation.contamination.contamination import learned_caveats
from xlite.evaluation.likeness import pooled
from xlite.evaluation.part_judged import PartJudged
from xlite.files import Progress
from xlite.metrics.linear_probe import out_of_fold_labels


def crossfit(
    spec: str | Path, judged: PartJudged, device: str = "cpu", progress: Progress | None = None
) -> tuple[str, np.ndarray, tuple[Caveat, ...]]:
    """The model's name, out-of-fold probabilities (N, 14) of the films judged, and which films it knows.

    NaN as `out_of_fold_labels` has it. progress is called with the films read, and all.
    Raises CheckpointError.
    """
    classifier, folder = Classifier.load(spec, device, has_maps=False), judged.folder
    films, labels, stems = open_films(
        folder, judged.split, judged.part, classifier.info.preprocess, skip_missing=True
    )
    features = pooled(classifier.engine, films, range(len(films)), progress)
    probs = out_of_fold_labels(features, labels, folder.patients(stems))
    return classifier.name, probs, tuple(learned_caveats(classifier.info, judged))
