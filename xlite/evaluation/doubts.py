"""Which labels of a data folder are probably wrong, as facts and as the rows of doubts.csv. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xlite.data import doubts as file
from xlite.data.folder import NihFolder
from xlite.data.part_films import part_stems
from xlite.data.predictions import read_averaged, spoken_name
from xlite.data.split_files import load_split
from xlite.data.worklist import FILM, PATIENT, RANK
from xlite.errors import DataError
from xlite.evaluation.part_judged import PartJudged, all_films
from xlite.evaluation.report_base import ReportModel, WithCaveats
from xlite.files import Progress
from xlite.findings import FINDINGS
from xlite.labels import known, positive
from xlite.metrics.bootstrap import or_none
from xlite.metrics.doubts import Doubts, doubts
from xlite.metrics.linear_probe import FOLDS
from xlite.metrics.per_finding import auc_per_class
from xlite.patients import fewer_patients
from xlite.split_names import ALL_FILMS
from xlite.text import counted


class FindingDoubts(ReportModel):
    """The labels of one finding: how many there are and say yes, how many of each kind are in doubt.

    auc: of the out-of-fold probabilities, by the labels as they are. wrong_yes, wrong_no: the estimated share
    0-1 of wrong ones among the labels that say yes, and that say no; noise: among all.
    """

    films: int
    positives: int
    auc: float | None
    wrong_yes: float
    wrong_no: float
    noise: float
    doubtful_yes: int
    doubtful_no: int


class LabelDoubts(WithCaveats):
    """Which labels are in doubt, finding by finding.

    split: the id of the split whose train part was looked at, empty for all films. films: those with
    probabilities. model: by whose features, in FOLDS folds; predictions: or the file of out-of-fold
    predictions. not_judged: findings that too few patients have, or lack.
    """

    data: str
    data_fingerprint: str
    label_version: str
    split: str
    films: int
    patients: int
    model: str = ""
    predictions: str = ""
    findings: dict[str, FindingDoubts]
    not_judged: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Doubted:
    """The facts, and the doubtful labels by rank as `write_worklist` takes them."""

    facts: LabelDoubts
    table: pd.DataFrame


def doubts_by_model(
    spec: str | Path, data: str | Path, split: str = "", device: str = "cpu", progress: Progress | None = None
) -> Doubted:
    """The doubts about a folder's films, or those of the train part of a split, by a model's features.

    They are cross-fitted; films without a file are left out. progress is called with the films read, and all.
    Raises CheckpointError or DataError.
    """
    from xlite.evaluation.crossfit import crossfit

    folder = NihFolder.open(data)
    chosen, part = (load_split(folder, split), "train") if split else (all_films(folder), ALL_FILMS)
    judged = PartJudged(folder, chosen, part, part_stems(folder, chosen, part, skip_missing=True))
    name, probs, knows = crossfit(spec, judged, device, progress)
    return _doubted(folder, judged.stems, probs, split=chosen.id if split else "", model=name, caveats=knows)


def doubts_by_predictions(spec: str | Path, data: str | Path, split: str = "") -> Doubted:
    """The same by predictions that somebody made out of fold, of which a folder needs no film.

    Films that they lack are left out. Raises DataError.
    """
    folder, read = NihFolder.open(data), read_averaged(spec)
    chosen = load_split(folder, split) if split else None
    row_of = {stem: row for row, stem in enumerate(read.stems)}
    asked = chosen.stems("train") if chosen else folder.table["stem"].tolist()
    stems = [stem for stem in asked if stem in row_of]
    if not stems:
        raise DataError(
            f"{spec} has predictions of none of the {counted(len(asked), 'film')} asked for of {folder.root}"
        )
    probs = read.probs[[row_of[stem] for stem in stems]]
    return _doubted(folder, stems, probs, split=chosen.id if chosen else "", predictions=spoken_name(spec))


def _doubted(folder: NihFolder, stems: Sequence[str], probs: np.ndarray, **facts: Any) -> Doubted:
    """The doubts about the labels of films (N,) by probabilities (N, 14); facts: how these came about."""
    labels, patients = folder.labels(stems), folder.patients(stems)
    judged = (fewer_patients(labels, patients) >= FOLDS) & known(probs).any(axis=0)
    if not judged.any():
        raise DataError(
            f"none of the 14 findings is labelled yes for {FOLDS} patients and no for as many among the "
            f"{counted(len(stems), 'film')} of {folder.root}: look at more films"
        )
    aucs = auc_per_class(labels, np.where(judged, probs, 0))
    findings, tables = {}, []
    for column in map(int, np.flatnonzero(judged)):
        found = doubts(labels[:, column], probs[:, column])
        findings[FINDINGS[column]] = _of_finding(labels[:, column], found, aucs[column])
        tables.append(_rows(folder, stems, column, labels[:, column], probs[:, column], found))
    table = pd.concat(tables).sort_values(["place", file.SCORE], kind="stable", ignore_index=True)
    return Doubted(
        LabelDoubts(
            data=folder.root.name,
            data_fingerprint=folder.fingerprint(),
            label_version=folder.label_version,
            films=len(stems),
            patients=len(np.unique(patients)),
            findings=findings,
            not_judged=tuple(name for name, is_so in zip(FINDINGS, judged, strict=True) if not is_so),
            **facts,
        ),
        table.drop(columns="place").assign(**{RANK: range(1, len(table) + 1)}),
    )


def _of_finding(labels: np.ndarray, found: Doubts, auc: float) -> FindingDoubts:
    (right_no, wrong_no), (wrong_yes, right_yes) = found.joint.tolist()
    return FindingDoubts(
        films=int(known(labels).sum()),
        positives=int(positive(labels).sum()),
        auc=or_none(auc),
        wrong_yes=wrong_yes / (wrong_yes + right_yes),
        wrong_no=wrong_no / (wrong_no + right_no),
        noise=wrong_yes + wrong_no,
        doubtful_yes=int((found.doubtful & positive(labels)).sum()),
        doubtful_no=int((found.doubtful & ~positive(labels)).sum()),
    )


def _rows(
    folder: NihFolder,
    stems: Sequence[str],
    column: int,
    labels: np.ndarray,
    probs: np.ndarray,
    found: Doubts,
) -> pd.DataFrame:
    """The doubtful labels of one finding, both kinds in turn, with the `place` of each among its kind."""
    rows = np.flatnonzero(found.doubtful)
    rows = rows[np.lexsort((found.score[rows], found.place[rows]))]
    there = [stems[int(row)] for row in rows]
    return pd.DataFrame(
        {
            FILM: folder.names(there),
            PATIENT: folder.patients(there),
            file.FINDING: FINDINGS[column],
            file.LABEL: np.where(positive(labels[rows]), file.YES, file.NO),
            file.PROBABILITY: probs[rows],
            file.SCORE: found.score[rows],
            file.PLACE: range(1, len(rows) + 1),
            "place": found.place[rows],
        }
    )
