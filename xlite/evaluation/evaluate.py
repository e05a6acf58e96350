"""Reports on models: a part of a data folder's split read by a model, and what must be said about it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from xlite.classify import Classifier
from xlite.data.dataset import FilmDataset, loader, model_input, open_films
from xlite.data.leakage import leakage_report
from xlite.data.nih import NihFolder
from xlite.data.splits import Split, load_split
from xlite.errors import DataError
from xlite.evaluation import contamination
from xlite.evaluation.report import evaluate_predictions, write_report
from xlite.evaluation.thresholds import threshold_array
from xlite.models.checkpoint import ModelInfo

Say = Callable[[str], None]


def evaluate_model(
    spec: str | Path,
    data: str | Path,
    split: str,
    part: str,
    out: str | Path,
    device: str = "cpu",
    skip_missing: bool = False,
    batch_size: int = 64,
    say: Say = print,
    resamples: int = 1000,
    teacher_list: Path | None = None,
) -> dict:
    """Judges a model on one part (train, val, test) of a folder's split and writes the report into `out`.

    A split that shares patients is judged too, with a warning. `teacher_list` lists the films that the
    model's teacher was trained on. Returns the report as `evaluate_predictions` does; raises CheckpointError
    or DataError where model, folder, split, list or films cannot be read.
    """
    classifier = Classifier.load(spec, device)
    info = classifier.info
    if teacher_list is not None and not info.notes.get("teacher"):
        raise DataError(
            f"{classifier.name} had no teacher, so there is nothing that {teacher_list} could list"
        )
    folder = NihFolder.open(data)
    chosen = load_split(folder, split, allow_leakage=True)
    with tqdm(desc="Decoding films", unit="film", delay=2, disable=None, leave=False) as bar:
        films, labels, stems = open_films(
            folder, chosen, part, info.preprocess, skip_missing, partial(_advance, bar)
        )
    say(f"{classifier.name} reads {len(stems)} films: split {chosen.id}, part {part}")
    dataset = FilmDataset(films, labels, info.preprocess)
    probs = classifier.probabilities(_logits(classifier, dataset, batch_size))
    report = evaluate_predictions(
        labels,
        probs,
        folder.patients(stems),
        split_id=chosen.id,
        part=part,
        label_version=folder.label_version,
        thresholds=threshold_array(info.thresholds) if info.thresholds else None,
        warnings=_missing_warnings(chosen, part, stems)
        + _split_warnings(info, folder, chosen, part, stems)
        + _training_warnings(info, folder)
        + _teacher_warnings(info, folder, chosen, part, stems, teacher_list),
        resamples=resamples,
    )
    write_report(out, report, folder.names(stems), labels, probs)
    return report


def _advance(bar: tqdm, done: int, total: int) -> None:
    bar.total = total
    bar.update(done - bar.n)


def _logits(classifier: Classifier, films: FilmDataset, batch_size: int) -> np.ndarray:
    """(N, 14) logits of all films, in their order."""
    batches = loader(films, batch_size)
    bar = tqdm(batches, desc="Reading films", unit="batch", delay=2, disable=None, leave=False)
    preprocess = classifier.info.preprocess
    return np.concatenate([classifier.predict_batch(model_input(batch[0], preprocess)) for batch in bar])


def _missing_warnings(split: Split, part: str, stems: list[str]) -> list[str]:
    missing = len(split.parts[part]) - len(stems)
    return [f"{missing} of {missing + len(stems)} films are missing and left out"] if missing else []


def _split_warnings(
    info: ModelInfo, folder: NihFolder, split: Split, part: str, stems: list[str]
) -> list[str]:
    """What the model may already know of the films it is judged on."""
    if split.id != info.split_id:
        return [f"split {split.id} is not the model's own, {info.split_id}: {_seen(info, folder, stems)}"]
    if part != "test":
        return [f"the model was {'trained' if part == 'train' else 'chosen and calibrated'} on these films"]
    report = leakage_report(split.stems("train") + split.stems("val"), stems, folder.table)
    if not report["affected_images"]:
        return []
    return [
        f"the split shares patients: {report['affected_images']} of {len(stems)} films "
        f"({report['affected_share']:.1%}) are of patients the model was trained on"
    ]


def _seen(info: ModelInfo, folder: NihFolder, stems: list[str]) -> str:
    """How many films are of patients the model was trained on, where this folder has the model's split."""
    own = contamination.find_split(folder, info.split_id)
    if own is None:
        return (
            "this folder does not have that split, so whether it was trained on these patients is not known"
        )
    report = leakage_report(own.stems("train") + own.stems("val"), stems, folder.table)
    return (
        f"{report['shared_images']} of these {len(stems)} films were in its training or validation part, "
        f"{report['affected_images']} are of patients who were"
    )


def _training_warnings(info: ModelInfo, folder: NihFolder) -> list[str]:
    """What the model's training does to its figures."""
    notes, said = info.notes, []
    if info.label_version != folder.label_version:
        said.append(
            f"the model learned the {info.label_version} labels, these are the {folder.label_version} ones"
        )
    distorting = [notes["loss"]] if notes.get("loss", "bce") != "bce" else []
    distorting += ["balanced sampler"] if notes.get("sampler") == "balanced" else []
    if distorting and info.calibration is None:
        said.append(f"scores are not probabilities: trained with {' and '.join(distorting)}, not calibrated")
    return said


def _teacher_warnings(
    info: ModelInfo, folder: NihFolder, split: Split, part: str, stems: list[str], given: Path | None
) -> list[str]:
    """What the model's teachers know of the films that it is judged on."""
    sources = info.notes.get("teacher_knows", [])
    if given is not None:  # in the place of lists that are known by their names alone
        kept = [source for source in sources if "list" not in source or contamination.is_here(source, folder)]
        sources = [*kept, {"list": given.name}]
    said = contamination.sentences(sources, folder, stems, split.id, part, given)
    if given is None and info.notes.get("contamination"):  # of a model file that has the sentence alone
        same = (split.id, part) == (info.split_id, "test")
        said.append(
            info.notes["contamination"] + ("" if same else f" (counted on the test part of {info.split_id})")
        )
    return [contamination.PREFIX + "; ".join(said)] if said else []
