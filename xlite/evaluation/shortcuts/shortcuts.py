"""Does a model read the disease or the hospital? What its features tell, what it does without parts."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from xlite.classify import Classifier
from xlite.data.dataset import FilmRows, open_films
from xlite.data.joined import FOLDER, open_data
from xlite.data.split_files import load_split
from xlite.engines.engine import Engine
from xlite.errors import DataError
from xlite.evaluation.contamination.contamination import count_known, learned_caveats
from xlite.evaluation.options import JudgeOptions
from xlite.evaluation.part_judged import PartJudged
from xlite.evaluation.report_base import Bootstrap
from xlite.evaluation.shortcuts.hiding import without_corners, without_surroundings
from xlite.evaluation.shortcuts.lungs import Lungs
from xlite.evaluation.shortcuts.shortcut_report import Hidden, Shortcuts, Told
from xlite.evaluation.subgroups import film_groups, subgroups
from xlite.files import Progress
from xlite.findings import FINDINGS
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.estimate import Estimate
from xlite.metrics.finding_estimates import PatientCounts, finding_estimate, mean_over
from xlite.metrics.intervals import LEAST_IN_MEAN, paired_estimate
from xlite.metrics.linear_probe import out_of_fold
from xlite.metrics.paired import compared_findings
from xlite.metrics.per_finding import auc_per_class
from xlite.patients import fewer_patients

Hiding = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""A film uint8 (S, S) to the film without a part of it, and what was hidden, bool (S, S)."""
_BATCH = 16


def hidings() -> dict[str, Hiding]:
    """By what is hidden. Raises CheckpointError if the network that finds the lungs cannot be read."""
    return {
        "corners": without_corners,
        "what is outside the lungs": partial(without_surroundings, lungs=Lungs.load()),
    }


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
    classifier, folder = Classifier.load(spec, options.device, has_maps=False), open_data(data)
    chosen = load_split(folder, split, allow_leakage=True)
    preprocess = classifier.info.preprocess
    films, labels, stems = open_films(folder, chosen, part, preprocess, options.skip_missing)
    patients = folder.patients(stems)
    resamples = Resamples(patients, options.resamples, options.seed)
    enough = fewer_patients(labels, patients) >= LEAST_IN_MEAN
    judged = enough & compared_findings(labels, resamples).findings
    if not judged.any():
        raise DataError(
            f"none of the 14 findings has {LEAST_IN_MEAN} patients with it and as many without it in the "
            f"{part} part of {chosen.id}: judge a larger one"
        )
    versions = hidings()
    read = _Reader(classifier.engine, films, 1 + len(versions), progress)
    plain = read()
    groups = film_groups(folder.table.iloc[folder.rows(stems)])
    within = {name: groups[name] for name in ("view", "sex", "age", FOLDER) if name in groups}
    findings = tuple(finding for finding, is_so in zip(FINDINGS, judged, strict=True) if is_so)

    def auc(answers: _Answers) -> _Auc:
        return _Auc.of(labels[:, judged], answers.logits[:, judged], resamples)

    caveats = learned_caveats(classifier.info, PartJudged(folder, chosen, part, stems))
    whole = auc(plain)
    without = {name: read(hide) for name, hide in versions.items()}
    return Shortcuts(
        model=classifier.name,
        split=chosen.id,
        part=part,
        films=len(stems),
        known=count_known(caveats),
        patients=resamples.patients,
        bootstrap=Bootstrap(resamples=options.resamples, seed=options.seed),
        findings=findings,
        auc=whole.mean,
        told={name: _told(plain.features, values, patients, resamples) for name, values in within.items()},
        within=subgroups(labels, plain.logits, within, resamples),
        hidden={name: _hidden(findings, whole, auc(one), one.share) for name, one in without.items()},
        caveats=tuple(caveats),
    )


class _Reader:
    """Reads all films once a version of them, and says how far it is."""

    def __init__(self, engine: Engine, films: FilmRows, versions: int, progress: Progress | None):
        self.engine, self.films, self.progress = engine, films, progress
        self.done, self.total = 0, versions * len(films)

    def __call__(self, hide: Hiding | None = None) -> _Answers:
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


class _Auc(NamedTuple):
    """AUC of the findings judged: of each with an interval, their resamples (R, M), and the mean."""

    each: list[Estimate]
    drawn: np.ndarray
    mean: Estimate

    @classmethod
    def of(cls, labels: np.ndarray, scores: np.ndarray, resamples: Resamples) -> "_Auc":
        """Of labels and scores (N, M) of findings that have patients enough for an interval each."""
        counts = PatientCounts.per_finding(labels, labels > 0, resamples.owner)
        values, drawn = auc_per_class(labels, scores), resamples.auc(labels, scores)
        each = [finding_estimate("auc", value, drawn[:, c], counts[c]) for c, value in enumerate(values)]
        return cls(each, drawn, mean_over("auc", each, drawn, counts))


def _hidden(findings: Sequence[str], plain: _Auc, without: _Auc, share: float) -> Hidden:
    drawn = np.stack([without.drawn, plain.drawn], axis=2)
    pairs = zip(findings, without.each, plain.each, np.moveaxis(drawn, 1, 0), strict=True)
    return Hidden(
        share=share,
        auc=without.mean,
        change=paired_estimate(without.mean, plain.mean, drawn.mean(axis=1)),
        per_class={finding: paired_estimate(after, before, both) for finding, after, before, both in pairs},
    )


def _told(features: np.ndarray, values: np.ndarray, patients: np.ndarray, resamples: Resamples) -> Told:
    """How well the groups of an attribute can be told apart; films of which it is not known are left out."""
    known = values != ""
    names, counts = np.unique(values[known], return_counts=True)
    films = {str(name): int(count) for name, count in zip(names, counts, strict=True)}
    enough = [name for name in films if len({*patients[values == name]}) >= LEAST_IN_MEAN]
    mine = np.isin(values, enough)
    if len(enough) < 2:
        return Told(films=films, auc=Estimate(None))
    probs = out_of_fold(features[mine], values[mine], patients[mine], enough)
    marked = (values[mine][:, None] == np.array(enough)).astype(np.float32)
    return Told(films=films, auc=_Auc.of(marked, probs, resamples.of(mine)).mean)
