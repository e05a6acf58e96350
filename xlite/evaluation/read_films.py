"""Films of a split's part read by a model: its logits, and the films beside what it says of them."""

import logging
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from xlite.classify import Classifier
from xlite.data.dataset import FilmDataset, loader, model_input, open_films
from xlite.data.folder import NihFolder
from xlite.data.splits import Split
from xlite.evaluation.films import Films
from xlite.evaluation.options import JudgeOptions
from xlite.models.student import Student
from xlite.text import counted

log = logging.getLogger(__name__)


def read_logits(model: Student, films: FilmDataset, batch_size: int) -> np.ndarray:
    """Raw logits float32 (N, 14) of a dataset's films, in its order, on the model's device; in eval."""
    device = next(model.parameters()).device
    return _read_batches(lambda x: model(x).float().cpu().numpy(), films, batch_size, device)


def _logits(classifier: Classifier, films: FilmDataset, batch_size: int) -> np.ndarray:
    """As `read_logits`; by an export's own engine, if there are no weights for torch."""
    if classifier.has_weights:  # what training saw, to the last digit
        return read_logits(classifier.model, films, batch_size)

    def by_engine(x: Tensor) -> np.ndarray:
        return classifier.logits(np.ascontiguousarray(x.numpy()))

    return _read_batches(by_engine, films, batch_size, torch.device("cpu"))


def _read_batches(
    forward: Callable[[Tensor], np.ndarray], films: FilmDataset, batch_size: int, device: torch.device
) -> np.ndarray:
    bar = tqdm(
        loader(films, batch_size), desc="Reading films", unit="batch", delay=2, disable=None, leave=False
    )
    with torch.inference_mode():
        inputs = (model_input(batch.films.to(device), films.preprocess) for batch in bar)
        return np.concatenate([forward(x) for x in inputs])


def read_films(
    classifier: Classifier, folder: NihFolder, split: Split, part: str, options: JudgeOptions
) -> tuple[Films, int]:
    """The films of a part and what the model says of them; and how many of them have no contrast."""
    preprocess = classifier.info.preprocess
    with tqdm(desc="Decoding films", unit="film", delay=2, disable=None, leave=False) as bar:
        pixels, labels, stems = open_films(
            folder, split, part, preprocess, options.skip_missing, partial(_advance, bar)
        )
    count = counted(len(stems), "film")
    log.info("%s reads %s: split %s, part %s", classifier.name, count, split.id, part)
    logits = _logits(classifier, FilmDataset(pixels, labels, preprocess), options.batch_size)
    return beside_answers(classifier, folder, stems, logits), pixels.facts().flat


def beside_answers(
    classifier: Classifier, folder: NihFolder, stems: Sequence[str], logits: np.ndarray
) -> Films:
    """Films of a folder beside what a classifier says of them by its logits (N, 14)."""
    table = folder.table.iloc[folder.rows(stems)]
    return Films(table, folder.names(stems), logits, classifier.probabilities(logits))


def _advance(bar: "tqdm[None]", done: int, total: int) -> None:
    bar.total = total
    bar.update(done - bar.n)
