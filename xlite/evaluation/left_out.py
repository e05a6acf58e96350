"""What cross-fitted runs say of the films that they left out: with them a calibrator has films enough."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.data.train_part import as_trained
from xlite.errors import CheckpointError, DataError
from xlite.evaluation.contamination.sources import find_split
from xlite.evaluation.films import FilmLogits
from xlite.evaluation.options import JudgeOptions
from xlite.evaluation.read_films import read_films
from xlite.models.info import ModelInfo, Pooled


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Films that `runs` runs left out, each read by the run that learned from no film of its patient."""

    films: FilmLogits
    runs: int

    def note(self) -> Pooled:
        """What the model file notes of them."""
        patients = self.films.patients
        return Pooled(films=len(patients), patients=len(np.unique(patients)), runs=self.runs)


def read_left_out(runs: Sequence[str], own: ModelInfo, folder: NihFolder, options: JudgeOptions) -> LeftOut:
    """The films of the model's own split that the runs left out of its train part, read by these.

    own: the info of the model that they stand in for. Raises CheckpointError for a run that left no fold out,
    or the same one as another, or is of another split or network; DataError if the folder lacks films.
    """
    classifiers = [Classifier.load(run, options.device) for run in runs]
    for classifier in classifiers:
        _check_run(classifier, own)
    folds = [classifier.info.notes.fold for classifier in classifiers]
    if len({*folds}) < len(folds) or len({fold.split("/")[1] for fold in folds}) > 1:
        raise CheckpointError(
            f"the runs leave out the folds {', '.join(folds)}; expected each fold of one cross-fit once"
        )
    read = [_read(classifier, folder, options) for classifier in classifiers]
    return LeftOut(reduce(FilmLogits.beside, read), len(runs))


def _check_run(classifier: Classifier, own: ModelInfo) -> None:
    """CheckpointError if the run's answers cannot stand in for those of the model."""
    info, name = classifier.info, classifier.name
    if not info.notes.fold:
        raise CheckpointError(f"{name} left no fold out; expected runs as `xlite sweep crossfit` makes them")
    if info.split_id != own.split_id:
        raise CheckpointError(
            f"{name} learned from split {info.split_id}; expected the model's own, {own.split_id}"
        )
    network, wanted = (
        f"{one.backbone}, {one.stages or 'all'} stages, attention {one.attention}" for one in (info, own)
    )
    if network != wanted:
        raise CheckpointError(
            f"{name} is another network ({network}), whose logits lie elsewhere; expected {wanted}"
        )


def _read(classifier: Classifier, folder: NihFolder, options: JudgeOptions) -> FilmLogits:
    """The films that a run left out."""
    notes, split_id = classifier.info.notes, classifier.info.split_id
    split = find_split(folder, split_id)
    if split is None:
        raise DataError(f"{folder.root} has no split {split_id}, of which {classifier.name} left a fold out")
    _, left_out = as_trained(folder, split, notes.train_share, notes.fold)
    apart = replace(split, parts={**split.parts, "train": folder.names(left_out)})
    films, _ = read_films(classifier, folder, apart, "train", options)
    return FilmLogits(films.logits, films.labels, films.patients)
