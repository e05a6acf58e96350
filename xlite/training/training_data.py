"""The films and labels that a run trains on: which, how often each is drawn, what is refused."""

import logging
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from xlite.config import TrainConfig
from xlite.data.cache import FilmFacts
from xlite.data.folder import NihFolder
from xlite.data.imbalance import balanced_folder_weights, balanced_sample_weights
from xlite.data.joined import FOLDER, open_data
from xlite.data.part_films import part_stems
from xlite.data.split_files import load_split
from xlite.data.splits import Split
from xlite.data.train_part import as_trained
from xlite.errors import DataError
from xlite.findings import FINDINGS
from xlite.labels import known
from xlite.text import counted, verb
from xlite.training.concern_sentences import without_positives_sentence
from xlite.training.concerns import without_positives
from xlite.training.doubts import TrainedLabels
from xlite.training.teachers import Teacher

log = logging.getLogger(__name__)


def sample_weights(
    config: TrainConfig, folder: NihFolder, stems: list[str], labels: NDArray[np.float32]
) -> NDArray[np.float64] | None:
    """How often each film is drawn, by finding and by folder as is asked for; None if all are alike."""
    # A film without labels teaches nothing, unless a teacher or its view, sex and age do.
    balanced = partial(balanced_sample_weights, with_unlabelled=bool(config.teacher) or config.auxiliary > 0)
    weights = balanced if config.sampler == "balanced" else None
    if config.balance == "folder" and FOLDER in folder.table:
        folders = folder.table[FOLDER].to_numpy(str)[folder.rows(stems)]
        return balanced_folder_weights(labels, folders, weights)
    return weights(labels) if weights else None


def warn_of_flat_films(facts: list[FilmFacts]) -> None:
    """One warning if films of the train and val parts have no contrast: they count like any other."""
    flat, films = sum(part.flat for part in facts), sum(len(part.contrast) for part in facts)
    if flat:
        log.warning(
            f"Warning: {flat:,} of {counted(films, 'film')} to train and validate on "
            f"{verb(flat, 'has', 'have')} no contrast (blank, black or white); `xlite data check` lists them"
        )


def check_input(config: TrainConfig) -> None:
    """Opens folder and split and nothing else. Raises DataError if one of them cannot be had."""
    load_split(open_data(config.data), config.split, allow_leakage=config.allow_leakage)


def open_split(config: TrainConfig, folder: NihFolder) -> tuple[Split, list[str], list[str]]:
    """The split with what is asked for of its train part, the stems of its training films and those left out.

    DataError if fewer than two films are left.
    """
    split = load_split(folder, config.split, allow_leakage=config.allow_leakage)
    whole = len(split.parts["train"])
    split, left_out = as_trained(folder, split, config.train_share, config.fold)
    stems = part_stems(folder, split, "train", config.skip_missing)
    val_count = len(part_stems(folder, split, "val", config.skip_missing))
    if len(stems) < 2:
        raise DataError(
            f"split {split.id} leaves {counted(len(stems), 'film')} to train on; at least 2 are needed"
        )
    share = (
        f" ({config.train_share:.0%} of the {whole} there are, by patient)" if config.train_share < 1 else ""
    )
    without = f" without the {len(left_out)} of fold {config.fold}" if config.fold else ""
    log.info(
        f"Data: {folder.root}, split {split.id}: {len(stems)} films to train on{share}{without}, "
        f"{val_count} to validate on"
    )
    return split, stems, left_out


def check_labels(
    config: TrainConfig,
    folder: NihFolder,
    split: Split,
    stems: list[str],
    given: TrainedLabels,
    teacher: Teacher,
    file_logits: NDArray[np.float32] | None,
) -> None:
    """Warns of findings that neither labels nor a teacher of the training films `stems` let it learn.

    DataError if nothing is known of these films, or of those that it is to be validated on.
    """
    val_stems = part_stems(folder, split, "val", config.skip_missing)
    if not known(folder.labels(val_stems)).any():
        raise DataError(
            f"no label of the {counted(len(val_stems), 'validation film')} is known, so nothing could tell "
            "which epoch is the best; use a split whose val part is labelled"
        )
    labels, silent = given.hard, torch.full((1, len(FINDINGS)), torch.nan)
    said = silent if file_logits is None else torch.from_numpy(file_logits)
    taught = teacher.speaks(said).any(dim=0) & (config.alpha > 0)
    if not known(labels).any() and not taught.any():
        raise DataError(
            f"no label of the {counted(len(stems), 'training film')} is known, and no teacher speaks of "
            "them: there is nothing to learn"
        )
    unlearnt = [name for name in without_positives(labels) if not taught[FINDINGS.index(name)]]
    if unlearnt:
        log.warning(f"Warning: {without_positives_sentence(unlearnt)}")


def why_unjudged(config: TrainConfig, folder: NihFolder, split: Split) -> str:
    """Why the run will have no report on the test part, which is also logged; empty if it will have one.

    Raises DataError as `part_stems` does, so that a run does not train first and is refused then.
    """
    if not split.parts["test"]:
        why = "the split has no test part"
    else:
        stems = part_stems(folder, split, "test", config.skip_missing)
        if known(folder.labels(stems)).any():
            return ""
        why = f"no label of the {counted(len(stems), 'test film')} is known"
    log.warning(f"Warning: {why}, so the run will not be judged")
    return why
