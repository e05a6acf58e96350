"""Does a model read the disease or the hospital? What its features tell, what it does without parts."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from xlite.classify import Classifier
from xlite.data.dataset import FilmRows, open_films
from xlite.data.joined import FOLDER, open_data
from xlite.data.splits import load_split
from xlite.engines.engine import Engine
from xlite.errors import DataError
from xlite.evaluation.base import Bootstrap
from xlite.evaluation.hiding import without_corners
from xlite.evaluation.options import JudgeOptions
from xlite.evaluation.shortcut_report import Hidden, Shortcuts, Told
from xlite.evaluation.subgroups import film_groups, subgroups
from xlite.files import Progress
from xlite.findings import FEW_POSITIVES, FINDINGS
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.estimate import Estimate
from xlite.metrics.intervals import resampled
from xlite.metrics.per_finding import auc_per_class
from xlite.metrics.probe import FOLDS, told, told_auc
from xlite.patients import fewer_patients

HIDINGS: dict[str, Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]] = {"corners": without_corners}
"""By what is hidden: a film uint8 (S, S) to the film without it, and what was hidden, bool (S, S)."""
_BATCH = 16


class _Answers(NamedTuple):
    """Logits (N, 14) and pooled features (N, C) of films, and the mean share of them that is hidden."""

    logits: np.ndarray
    features: np.ndarray
    share: float


def judge_shortcuts(
    spec: str | Path,
    data: str | Path,
    split: str,
    part: str,
    options: JudgeOptions,
    progress: Progress | None = None,
) -> Shortcuts:
    """Looks for shortcuts of a model on one part of a folder's split.

    progress is called with the films read, of all versions, and all. Raises CheckpointError or DataError.
    """
    classifier, folder = Classifier.load(spec, options.device), open_data(data)
    chosen = load_split(folder, split, allow_leakage=True)
    preprocess = classifier.info.preprocess
    films, labels, stems = open_films(folder, chosen, part, preprocess, options.skip_missing)
    patients = folder.patients(stems)
    judged = fewer_patients(labels, patients) >= FEW_POSITIVES
    if not judged.any():
        raise DataError(
            f"none of the 14 findings has {FEW_POSITIVES} patients with it and as many without it in the "
            f"{part} part of {chosen.id}: judge a larger one"
        )
    read = _Reader(classifier.engine, films, 1 + len(HIDINGS), progress)
    plain = read()
    groups = film_groups(folder.table.iloc[folder.rows(stems)])
    resamples = Resamples(patients, options.resamples, options.seed)
    within = {name: groups[name] for name in ("view", "sex", "age", FOLDER) if name in groups}
    return Shortcuts(
        model=classifier.name,
        split=chosen.id,
        part=part,
        films=len(stems),
        patients=resamples.patients,
        bootstrap=Bootstrap(resamples=options.resamples, seed=options.seed),
        findings=tuple(finding for finding, is_so in zip(FINDINGS, judged, strict=True) if is_so),
        auc=_mean_auc(labels, plain.logits, judged, resamples)[0],
        told={name: _told(plain.features, values, patients, resamples) for name, values in within.items()},
        within=subgroups(labels, plain.logits, within, resamples),
        hidden={
            name: _hidden(labels, plain, read(hide), judged, resamples) for name, hide in HIDINGS.items()
        },
    )


class _Reader:
    """Reads all films once a version of them, and says how far it is."""

    def __init__(self, engine: Engine, films: FilmRows, versions: int, progress: Progress | None):
        self.engine, self.films, self.progress = engine, films, progress
        self.done, self.total = 0, versions * len(films)

    def __call__(self, hide: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]] | None = None) -> _Answers:
        normalize = self.engine.info.preprocess.normalize
        logits, features, shares = [], [], []
        for start in range(0, len(self.films), _BATCH):
            batch = self.films[list(range(start, min(start + _BATCH, len(self.films))))]
            versions = [hide(film) if hide else (film, np.zeros(1)) for film in batch]
            found = self.engine.output(np.stack([normalize(film) for film, _ in versions]), None)
            assert found.features is not None
            logits.append(found.logits)
            features.append(found.features)
            shares += [float(hidden.mean()) for _, hidden in versions]
            self.done += len(batch)
            if self.progress:
                self.progress(self.done, self.total)
        return _Answers(np.concatenate(logits), np.concatenate(features), float(np.mean(shares)))


def _mean_auc(
    labels: np.ndarray, scores: np.ndarray, judged: np.ndarray, resamples: Resamples
) -> tuple[Estimate, np.ndarray, np.ndarray]:
    """The mean AUC of the findings judged; the AUC of each finding (14,) and its resamples (R, 14)."""
    own, drawn = auc_per_class(labels, scores), resamples.auc(labels, scores)
    return resampled(own[judged].mean(), drawn[:, judged].mean(axis=1)), own, drawn


def _hidden(
    labels: np.ndarray, plain: _Answers, without: _Answers, judged: np.ndarray, resamples: Resamples
) -> Hidden:
    _, own, drawn = _mean_auc(labels, plain.logits, judged, resamples)
    after, other, redrawn = _mean_auc(labels, without.logits, judged, resamples)
    change, moved = other - own, redrawn - drawn
    return Hidden(
        share=without.share,
        auc=after,
        change=resampled(change[judged].mean(), moved[:, judged].mean(axis=1)),
        per_class={
            finding: resampled(change[c], moved[:, c]) for c, finding in enumerate(FINDINGS) if judged[c]
        },
    )


def _told(features: np.ndarray, values: np.ndarray, patients: np.ndarray, resamples: Resamples) -> Told:
    """How well the groups of an attribute can be told apart; films of which it is not known are left out."""
    known = values != ""
    names, counts = np.unique(values[known], return_counts=True)
    films = {str(name): int(count) for name, count in zip(names, counts, strict=True)}
    enough = [name for name in films if _patients(patients[values == name]) >= FOLDS]
    mine = np.isin(values, enough)
    if len(enough) < 2:
        return Told(films=films, auc=Estimate(None))
    probs = told(features[mine], values[mine], patients[mine], enough)
    some = resamples.of(mine)
    marked = values[mine][:, None] == np.array(enough)
    drawn = some.auc(marked, probs).mean(axis=1)
    return Told(films=films, auc=resampled(told_auc(probs, values[mine], enough), drawn))


def _patients(patients: Iterable[str]) -> int:
    return len({*patients})
