"""How often a label that `xlite data doubts` ranks high is really wrong, against chance.

    python benchmarks/label_noise.py read DATA --radiologists FILE (--predictions FILE | --model M)
    python benchmarks/label_noise.py planted DATA --model M [--share .1] [--seeds 5]
    python benchmarks/label_noise.py write DATA OUT [--share .1] [--seed 0]

read: labels of films that radiologists have read, too (Majkowska et al. 2020): wrong is what they contradict.
planted: of each finding a share of the labels that say yes are made no, and as many that say no are made yes.
The labels of the folder, which has to be of phantoms, are right. write: a copy of such a folder with labels
planted in the train part of its split `patient` alone, to train on.
"""

import argparse
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from xlite.classify import Classifier
from xlite.data.dataset import open_films
from xlite.data.film_names import stem_of
from xlite.data.folder import PHANTOM_NOTE, NihFolder
from xlite.data.predictions import read_predictions
from xlite.data.split_files import load_split
from xlite.data.tables import find_table
from xlite.evaluation.crossfit import crossfit
from xlite.evaluation.likeness import pooled
from xlite.evaluation.part_judged import PartJudged, all_films
from xlite.evaluation.radiologists import SHARED, read_radiologists
from xlite.findings import FINDINGS, NO_FINDING, spoken
from xlite.labels import known, positive
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.doubts import Doubts, doubts
from xlite.metrics.intervals import resampled
from xlite.metrics.linear_probe import FOLDS, out_of_fold_labels
from xlite.metrics.per_finding import auc_per_class
from xlite.patients import fewer_patients
from xlite.split_names import ALL_FILMS, DEFAULT_SPLIT

FIRST = (10, 20, 50, 100)
Row = Sequence[str]


def answers(folder: NihFolder, predictions: Path | None, model: str) -> tuple[list[str], np.ndarray]:
    """Stems (N,) and out-of-fold probabilities (N, 14): of a file, or cross-fitted to a model's features."""
    if predictions is None:
        chosen = all_films(folder)
        judged = PartJudged(folder, chosen, ALL_FILMS, chosen.stems(ALL_FILMS))
        return chosen.stems(ALL_FILMS), crossfit(model, judged)[1]
    said = read_predictions(predictions)
    here = [row for row, stem in enumerate(said.stems) if stem in folder]
    return [said.stems[row] for row in here], said.probs[here]


def read_rows(folder: NihFolder, stems: list[str], probs: np.ndarray, marks: Path) -> Iterator[Row]:
    """For each of what the radiologists marked: how many labels are wrong, and how many of the first k."""
    seen = read_radiologists(marks)
    labels, patients = folder.labels(stems), folder.patients(stems)
    films = np.flatnonzero([stem in seen.index for stem in stems])
    yield ["", "films", "wrong", *(f"of the first {k}" for k in FIRST), "AUC of yes", "AUC of no"]
    for name, findings in SHARED.items():
        columns = [FINDINGS.index(finding) for finding in findings]
        together = np.asarray(positive(labels[:, columns]).any(axis=1), np.float32)
        found = doubts(together, np.nan_to_num(probs[:, columns]).max(axis=1))
        wrong = seen.loc[[stems[row] for row in films], name].to_numpy() != positive(together[films])
        order = np.lexsort((found.score[films], found.place[films]))
        firsts = [f"{wrong[order[:k]].sum()} of {k}" if k <= len(films) else "" for k in FIRST]
        sides = [
            _telling(wrong[side], found.score[films][side], patients[films][side])
            for side in (together[films] == 1, together[films] == 0)
        ]
        yield [name, str(len(films)), f"{wrong.sum()} ({wrong.mean():.1%})", *firsts, *sides]


def _telling(wrong: np.ndarray, score: np.ndarray, patients: np.ndarray) -> str:
    """How well the score tells wrong labels that are alike from right ones: AUC with its interval."""
    truth, doubt = wrong[:, None].astype(np.float32), -score[:, None]
    drawn = Resamples(patients).auc(truth, doubt)[:, 0]
    return f"{resampled(auc_per_class(truth, doubt)[0], drawn)}, {wrong.sum()} of {len(wrong)}"


def planted(labels: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Labels (N, 14) with a share of each finding's yes made no, and as many of its no made yes."""
    changed = labels.copy()
    for column in range(labels.shape[1]):
        yes, no = np.flatnonzero(labels[:, column] == 1), np.flatnonzero(labels[:, column] == 0)
        count = min(round(share * len(yes)), len(no))
        changed[rng.choice(yes, count, replace=False), column] = 0
        changed[rng.choice(no, count, replace=False), column] = 1
    return changed


def planted_rows(folder: NihFolder, model: str, share: float, seeds: int) -> Iterator[Row]:
    """For each finding and all together: how many of the planted labels stand among as many of the first."""
    classifier, chosen = Classifier.load(model), all_films(folder)
    films, labels, stems = open_films(folder, chosen, ALL_FILMS, classifier.info.preprocess)
    features, patients = pooled(classifier.engine, films, range(len(films))), folder.patients(stems)
    found = [_plant(features, labels, patients, share, seed) for seed in range(seeds)]
    yield ["", "planted", "found", "by chance", "planted yes found", "planted no found", "estimated wrong"]
    for column, finding in enumerate([*map(spoken, FINDINGS), "all by rank", "all by score"]):
        if rows := [one[column] for one in found if column in one]:
            mean = np.nanmean(rows, axis=0)
            yield [finding, f"{mean[0]:.0f}", *(f"{value:.1%}" for value in mean[1:])]


def _plant(
    features: np.ndarray, labels: np.ndarray, patients: np.ndarray, share: float, seed: int
) -> dict[int, np.ndarray]:
    """By finding, then of all together, the values of a row of `planted_rows`."""
    changed = planted(labels, share, np.random.default_rng(seed))
    probs = out_of_fold_labels(features, changed, patients)
    judged = np.flatnonzero((fewer_patients(changed, patients) >= FOLDS) & known(probs).any(axis=0))
    all_doubts = {int(column): doubts(changed[:, column], probs[:, column]) for column in judged}
    wrong = {column: changed[:, column] != labels[:, column] for column in all_doubts}
    rows = {
        column: _recall((one.score, one.place), wrong[column], changed[:, column], 1 - one.joint.trace())
        for column, one in all_doubts.items()
    }
    truth, given = (np.concatenate([of[:, column] for column in judged]) for of in (labels, changed))
    noise = float(np.mean([row[-1] for row in rows.values()]))
    score, place = _joined(all_doubts, "score"), _joined(all_doubts, "place")
    for number, keys in enumerate(((score, place), (score,))):
        rows[len(FINDINGS) + number] = _recall(keys, truth != given, given, noise)
    return rows


def _joined(found: dict[int, Doubts], name: str) -> np.ndarray:
    return np.concatenate([getattr(one, name) for one in found.values()])


def write_planted(folder: NihFolder, out: Path, share: float, seed: int) -> int:
    """Writes the folder OUT with planted labels in its train part, films as links; how many are planted."""
    split = load_split(folder, DEFAULT_SPLIT)
    stems = split.stems("train")
    labels = folder.labels(stems)
    changed = planted(labels, share, np.random.default_rng(seed))
    said = {stem: "|".join(np.array(FINDINGS)[row > 0]) for stem, row in zip(stems, changed, strict=True)}
    out.mkdir()
    source = find_table(folder.root)
    table = pd.read_csv(source, dtype=str)
    new = table["Image Index"].map(stem_of).map(said).replace("", NO_FINDING)
    table["Finding Labels"] = new.fillna(table["Finding Labels"])
    table.to_csv(out / source.name, index=False)
    (out / "images").symlink_to((folder.root / "images").resolve())
    shutil.copy(folder.root / PHANTOM_NOTE, out)
    shutil.copytree(folder.root / "splits", out / "splits")
    return int((changed != labels).sum())


def _recall(keys: tuple[np.ndarray, ...], wrong: np.ndarray, given: np.ndarray, noise: float) -> np.ndarray:
    """Of labels (N,), of which some are wrong: how many are, and which share of them is among as many of the
    lowest by keys, the last one first; by chance; of those that say yes, and no; and what was estimated.
    """
    first = np.zeros(len(wrong), bool)
    first[np.lexsort(keys)[: wrong.sum()]] = True
    sides = [(first & wrong)[given == label].sum() / max(wrong[given == label].sum(), 1) for label in (1, 0)]
    return np.array([wrong.sum(), (first & wrong).sum() / max(wrong.sum(), 1), wrong.mean(), *sides, noise])


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    read, plant = kinds.add_parser("read"), kinds.add_parser("planted")
    for one in (read, plant):
        one.add_argument("data", type=Path)
        one.add_argument("--model", default="")
    read.add_argument("--radiologists", type=Path, required=True)
    read.add_argument("--predictions", type=Path)
    plant.add_argument("--share", type=float, default=0.1)
    plant.add_argument("--seeds", type=int, default=5)
    write = kinds.add_parser("write")
    write.add_argument("data", type=Path)
    write.add_argument("out", type=Path)
    write.add_argument("--share", type=float, default=0.1)
    write.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    folder = NihFolder.open(options.data)
    if options.kind == "write":
        print(write_planted(folder, options.out, options.share, options.seed), "labels planted")
        return
    if options.kind == "read":
        rows = read_rows(folder, *answers(folder, options.predictions, options.model), options.radiologists)
    else:
        rows = planted_rows(folder, options.model, options.share, options.seeds)
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
