"""Reports on models: a part of a data folder's split read by a model, and what must be said about it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from xlite.classify import Classifier
from xlite.data.dataset import FilmDataset, loader, model_input, open_films
from xlite.data.folder import NihFolder
from xlite.data.splits import Split, load_split
from xlite.data.tables import stem_of
from xlite.errors import DataError
from xlite.evaluation.doubts import Doubt
from xlite.evaluation.films import Films
from xlite.evaluation.judge import Stamp, full_report, write_report
from xlite.evaluation.known import own_split, split_doubts, teacher_doubts, training_doubts
from xlite.evaluation.localise import localise_part
from xlite.evaluation.radiologists import read_radiologists
from xlite.evaluation.validation import fit_info, map_sentence
from xlite.findings import FINDINGS
from xlite.metrics.calibration import without_map
from xlite.metrics.thresholds import threshold_array
from xlite.models.checkpoint import save_model
from xlite.models.student import Student
from xlite.report.card import CARD_FILE, card_beside
from xlite.text import are, counted

Say = Callable[[str], None]
Logits = tuple[Sequence[str], np.ndarray]


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
    *,
    calibration: str | None = None,
    radiologists: str | Path | None = None,
    val_logits: Logits | None = None,
    teacher_list: Path | None = None,
) -> dict:
    """Judges a model on one part (train, val, test) of a folder's split and writes the report into `out`.

    Thresholds and calibration maps are compared on the val part of the model's own split; val_logits: names
    and logits (V, 14) of its films, where they are known already. calibration: a method of
    `fit_calibration` to fit there first and, once the report is written, to save in the model file.
    radiologists: Google's table. teacher_list: the films that the model's teacher was trained on. A split
    that shares patients is judged too, with a warning. Returns the report as `full_report` does; raises
    CheckpointError or DataError where model, folder, split, list or films cannot be read.
    """
    classifier = Classifier.load(spec, device)
    if teacher_list is not None and not classifier.info.notes.get("teacher"):
        raise DataError(
            f"{classifier.name} had no teacher, so there is nothing that {teacher_list} could list"
        )
    folder = NihFolder.open(data)
    chosen = load_split(folder, split, allow_leakage=True)
    read = partial(_read, folder=folder, skip_missing=skip_missing, batch_size=batch_size, say=say)
    marks = read_radiologists(radiologists) if radiologists else None
    held, note = _validation(classifier, folder, chosen, part, read, skip_missing, val_logits)
    if calibration is not None:
        if held is None:
            raise DataError(f"no calibration can be fitted: {note}")
        classifier = replace(
            classifier, info=fit_info(classifier.info, held.logits, held.labels, calibration)
        )
        held = replace(held, probs=classifier.probabilities(held.logits))
        if calibration != "none":
            say(f"Calibration: {map_sentence(classifier.info, held.labels)}")
    films = read(classifier, chosen, part)
    info, missing = classifier.info, len(chosen.parts[part]) - len(films)
    bare = without_map(info.calibration)
    whole = counted(missing + len(films), "film")
    doubts = [Doubt(f"{missing:,} of {whole} {are(missing)} missing and left out")] if missing else []
    report = full_report(
        films,
        Stamp(classifier.name, chosen.id, part, folder.label_version, info.notes.get("seed")),
        thresholds=threshold_array(info.thresholds) if info.thresholds else None,
        calibration=info.calibration["method"] if len(bare) < len(FINDINGS) else "none",
        without_map=bare,
        validation=held,
        validated_on=note,
        doubts=doubts
        + split_doubts(info, folder, chosen, part, films.stems)
        + training_doubts(info, folder)
        + teacher_doubts(info, folder, chosen, part, films.stems, teacher_list),
        radiologists=marks,
        localisation=localise_part(classifier, folder, chosen, part, resamples=resamples),
        resamples=resamples,
    )
    write_report(out, report, films)
    if calibration is not None:  # last, so that nothing given can fail behind it
        _keep(classifier, report, say)
    return report


def read_logits(model: Student, films: FilmDataset, batch_size: int) -> np.ndarray:
    """Raw logits float32 (N, 14) of a dataset's films, in its order, on the model's device; in eval."""
    device = next(model.parameters()).device
    bar = tqdm(
        loader(films, batch_size), desc="Reading films", unit="batch", delay=2, disable=None, leave=False
    )
    with torch.inference_mode():
        inputs = (model_input(batch[0].to(device), films.preprocess) for batch in bar)
        return torch.cat([model(x).float().cpu() for x in inputs]).numpy()


def _read(
    classifier: Classifier,
    split: Split,
    part: str,
    *,
    folder: NihFolder,
    skip_missing: bool,
    batch_size: int,
    say: Say,
) -> Films:
    """The films of a part and what the model says of them."""
    preprocess = classifier.info.preprocess
    with tqdm(desc="Decoding films", unit="film", delay=2, disable=None, leave=False) as bar:
        pixels, labels, stems = open_films(
            folder, split, part, preprocess, skip_missing, partial(_advance, bar)
        )
    say(f"{classifier.name} reads {counted(len(stems), 'film')}: split {split.id}, part {part}")
    logits = read_logits(classifier.model, FilmDataset(pixels, labels, preprocess), batch_size)
    return _films(classifier, folder, stems, logits)


def _films(classifier: Classifier, folder: NihFolder, stems: list[str], logits: np.ndarray) -> Films:
    table = folder.table.iloc[folder.rows(stems)]
    return Films(table, folder.names(stems), logits, classifier.probabilities(logits))


def _validation(
    classifier: Classifier,
    folder: NihFolder,
    split: Split,
    part: str,
    read: Callable[[Classifier, Split, str], Films],
    skip_missing: bool,
    known: Logits | None,
) -> tuple[Films | None, str]:
    """The validation films of the model's own split and what they are, or None and why there are none."""
    own = split if split.id == classifier.info.split_id else own_split(classifier.info, folder)
    if own is None:
        return None, f"this folder does not have the model's split, {classifier.info.split_id}"
    if not own.parts["val"]:
        return None, f"the model's split, {own.id}, has no validation part"
    if part == "val":
        return None, "these are the validation films themselves"
    here = sum(stem in folder.paths for stem in own.stems("val"))
    if known is None and here < len(own.parts["val"]) and not (skip_missing and here):
        return (
            None,
            f"only {here:,} of the {counted(len(own.parts['val']), 'film')} of the val part of split "
            f"{own.id} {are(here)} here",
        )
    if known is None:
        held = read(classifier, own, "val")
    else:
        held = _films(classifier, folder, [stem_of(name) for name in known[0]], known[1])
    return held, f"the {counted(len(held), 'film')} of the val part of split {own.id}"


def _keep(classifier: Classifier, report: dict, say: Say) -> None:
    """Saves the classifier's map and thresholds in its file, and makes the card beside it anew."""
    path, info, split = classifier.path, classifier.info, report["split"]
    save_model(path, classifier.model, info)
    method, films = report["calibration"]["in_use"], report["validation"]["films"]
    say(f"{path} now holds the calibration {method!r} and its thresholds, from {counted(films, 'film')}")
    if not path.with_name(CARD_FILE).is_file():
        return
    if (split["id"], split["part"]) == (info.split_id, "test"):
        card_beside(path, classifier.model, info, report)
    else:
        say(f"Its {CARD_FILE} still has the figures of the old one: judge the test part of {info.split_id}")


def _advance(bar: tqdm, done: int, total: int) -> None:
    bar.total = total
    bar.update(done - bar.n)
