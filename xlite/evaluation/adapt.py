"""A model's calibration and thresholds fitted to some films of another hospital, and judged by the rest."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np

from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.data.leakage import films_sharing_patients
from xlite.data.published_splits import published_split
from xlite.data.splits import Split
from xlite.errors import CheckpointError, DataError
from xlite.evaluation.adaptation import Adaptation, AdaptedFinding, Change, CurvePoint
from xlite.evaluation.base import Bootstrap
from xlite.evaluation.evaluate import read_films
from xlite.evaluation.films import Films
from xlite.evaluation.local_fit import LocalFit, adapted_info, own_cuts
from xlite.evaluation.options import AdaptOptions, JudgeOptions
from xlite.evaluation.own_training import own_split
from xlite.findings import FINDINGS
from xlite.metrics import per_finding as metrics
from xlite.metrics.bootstrap import Resamples, or_none
from xlite.metrics.finding_estimates import PatientCounts, fixed_mean_of
from xlite.metrics.intervals import LEAST_IN_MEAN, paired_estimate
from xlite.models.adapted import AdaptedTo, film_marks
from xlite.models.info import ModelInfo
from xlite.text import counted

log = logging.getLogger(__name__)

SIZES = (25, 50, 100, 200, 400, 800, 1600, 3200)
"""Of the learning curve, as far as they are fewer than the films that fit the model."""


_Metric = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class AdaptedModel:
    """The classifier with its new calibrator and thresholds, and what they are worth."""

    classifier: Classifier
    report: Adaptation


def adapt_model(spec: str | Path, data: str | Path, options: AdaptOptions) -> AdaptedModel:
    """Fits a model's calibrator and thresholds to `options.films` films of a folder, drawn by patients.

    The folder's other films judge it, also along a learning curve over repeated draws. Films that the model
    knows, by themselves or by their patients, are in neither. Raises CheckpointError for an export, an
    ensemble or an isotonic calibrator, and DataError if the folder has too few films.
    """
    classifier = Classifier.load(spec, options.device)
    if not classifier.has_weights:
        raise CheckpointError(
            f"{classifier.name} has no weights of its own: adapt what its export was made from and export it "
            "again"
        )
    folder = NihFolder.open(data)
    films, known = _films(classifier, folder, options)
    order = _drawn(films.patients, options.seed, 0)
    local = _first(films.patients, order, options.films)
    rest = np.setdiff1d(order, local)
    fit = _fit(classifier.info, films, local)
    report = _report(classifier, folder, films, local, rest, fit, known, options)
    info = _adapted(classifier.info, films, local, fit, folder)
    return AdaptedModel(replace(classifier, info=info), report)


def _films(classifier: Classifier, folder: NihFolder, options: AdaptOptions) -> tuple[Films, int]:
    """What the model says of the folder's films that it does not know, and how many it does."""
    there = [stem for stem in folder.table["stem"].tolist() if stem in folder.paths]
    info = classifier.info
    own = own_split(info, folder) or published_split(info.split_id, folder)
    learned = [] if own is None else own.stems("train") + own.stems("val")
    known = set(films_sharing_patients(learned, there, folder.table).films)
    new = [stem for stem in there if stem not in known]
    if len(new) < 2 * options.films:
        without = f" besides {counted(len(known), 'film')} of patients that the model knows" if known else ""
        raise DataError(
            f"{folder.root} has {counted(len(new), 'film')}{without}: to adapt to {options.films:,} it takes "
            f"{2 * options.films:,} at least, as the others judge what comes of it"
        )
    split = Split("all", "all films of the folder", "all", 0, {"all": folder.names(new)})
    judged = JudgeOptions(device=options.device, batch_size=options.batch_size)
    return read_films(classifier, folder, split, "all", judged)[0], len(known)


def _drawn(patients: np.ndarray, seed: int, draw: int) -> np.ndarray:
    """Rows of all films, int64 (N,), patient by patient in the random order of a draw."""
    different, owner = np.unique(patients, return_inverse=True)
    place = np.random.default_rng((seed, draw)).permutation(len(different))
    return np.argsort(place[owner], kind="stable")


def _first(patients: np.ndarray, order: np.ndarray, films: int) -> np.ndarray:
    """The first rows of the order: as many whole patients as give no more than so many films."""
    owners = patients[order]
    ends = np.flatnonzero(np.append(owners[1:] != owners[:-1], True)) + 1
    fitting = ends[ends <= films]
    return order[: fitting[-1] if len(fitting) else 0]


def _fit(info: ModelInfo, films: Films, local: np.ndarray) -> LocalFit:
    return LocalFit.of(info, films.logits[local], films.labels[local], films.patients[local])


def _adapted(info: ModelInfo, films: Films, local: np.ndarray, fit: LocalFit, folder: NihFolder) -> ModelInfo:
    patients = films.patients[local]
    adapted_to = AdaptedTo(
        data=folder.root.name,
        day=date.today().isoformat(),
        films=len(local),
        patients=len(np.unique(patients)),
        findings=fit.findings,
        film_marks=tuple(film_marks(folder.fingerprint(), [films.stems[row] for row in local])),
    )
    return adapted_info(info, fit, films.logits[local], films.labels[local], patients, adapted_to)


def _report(
    classifier: Classifier,
    folder: NihFolder,
    films: Films,
    local: np.ndarray,
    rest: np.ndarray,
    fit: LocalFit,
    known: int,
    options: AdaptOptions,
) -> Adaptation:
    """What the films that fitted nothing say of the model before and after, and the learning curve."""
    labels, logits, patients = films.labels[rest], films.logits[rest], films.patients[rest]
    before, after = films.probs[rest], fit.probabilities(logits)
    resamples = Resamples(patients, options.resamples, options.seed)
    counts = PatientCounts.per_finding(labels, labels > 0, resamples.owner)
    auc = fixed_mean_of("auc", metrics.auc_per_class(labels, logits), resamples.auc(labels, logits), counts)
    if not auc.findings:
        raise DataError(
            f"none of the 14 findings has {LEAST_IN_MEAN} patients with it and as many without it among the "
            f"{counted(len(rest), 'film')} of {folder.root} that are to judge what comes of it"
        )
    judged = np.array([finding in auc.findings for finding in FINDINGS])
    return Adaptation(
        model=classifier.name,
        data=folder.root.name,
        data_fingerprint=folder.fingerprint(),
        label_version=folder.label_version,
        films=len(local),
        patients=len(np.unique(films.patients[local])),
        judged=len(rest),
        judged_patients=resamples.patients,
        known=known,
        seed=options.seed,
        draws=options.draws,
        bootstrap=Bootstrap(resamples=options.resamples, seed=options.seed),
        findings=auc.findings,
        auc=auc.estimate,
        ece=_change("ece", labels, (before, after), judged, resamples),
        brier=_change("brier", labels, (before, after), judged, resamples),
        per_class=_per_class(labels, before, after, own_cuts(classifier.info), fit),
        curve=_curve(classifier.info, films, judged, options),
    )


def _change(
    name: Literal["ece", "brier"],
    labels: np.ndarray,
    sides: tuple[np.ndarray, np.ndarray],
    judged: np.ndarray,
    resamples: Resamples,
) -> Change:
    """The mean of a metric over the findings judged (14,) bool, by the probabilities before and after."""
    of_films: _Metric = metrics.ece_per_class if name == "ece" else metrics.brier_per_class
    of_resamples: _Metric = resamples.ece if name == "ece" else resamples.brier
    labels = np.where(judged, labels, np.nan)
    counts = PatientCounts.per_finding(labels, labels > 0, resamples.owner)
    drawn = [of_resamples(labels, probs) for probs in sides]
    before, after = (
        fixed_mean_of(name, of_films(labels, probs), one, counts).estimate
        for probs, one in zip(sides, drawn, strict=True)
    )
    means = np.stack([one[:, judged].mean(axis=1) for one in drawn], axis=1)
    return Change(before=before, after=after, difference=paired_estimate(after, before, means[:, ::-1]))


def _per_class(
    labels: np.ndarray, before: np.ndarray, after: np.ndarray, cuts: np.ndarray, fit: LocalFit
) -> dict[str, AdaptedFinding]:
    sides = ((before, cuts), (after, fit.cuts))
    ece, brier = (
        [[or_none(value) for value in metric(labels, probs)] for probs, _ in sides]
        for metric in (metrics.ece_per_class, metrics.brier_per_class)
    )
    rates = [metrics.rates_at(labels, probs, at) for probs, at in sides]
    changed = _changed(before, cuts, after, fit.cuts)
    assert fit.chosen.chosen_on is not None

    def both(name: str, c: int) -> tuple[float | None, float | None]:
        return or_none(rates[0][name][c]), or_none(rates[1][name][c])

    return {
        finding: AdaptedFinding(
            rung=fit.climbed.rungs[c],
            with_it=fit.chosen.chosen_on[c].positive,
            without=fit.chosen.chosen_on[c].negative,
            films=int(np.count_nonzero(~np.isnan(labels[:, c]))),
            positives=int(np.count_nonzero(labels[:, c] == 1)),
            ece=(ece[0][c], ece[1][c]),
            brier=(brier[0][c], brier[1][c]),
            threshold=(or_none(cuts[c]), or_none(fit.cuts[c])),
            sensitivity=both("recall", c),
            specificity=both("specificity", c),
            changed=or_none(changed[c]),
        )
        for c, finding in enumerate(FINDINGS)
    }


def _changed(before: np.ndarray, cuts: np.ndarray, after: np.ndarray, new_cuts: np.ndarray) -> np.ndarray:
    """The share of films (14,) whose call is another one; NaN without both thresholds."""
    share = ((before >= cuts) != (after >= new_cuts)).mean(axis=0)
    return np.where(np.isnan(cuts) | np.isnan(new_cuts), np.nan, share)


def _curve(
    info: ModelInfo, films: Films, judged: np.ndarray, options: AdaptOptions
) -> tuple[CurvePoint, ...]:
    """The learning curve over `options.draws` draws, each judged on the films behind `options.films`."""
    sizes = [size for size in SIZES if size < options.films] + [options.films]
    found: dict[int, list[np.ndarray]] = {size: [] for size in (0, *sizes)}
    for draw in range(1, options.draws + 1):
        order = _drawn(films.patients, options.seed, draw)
        rest = np.setdiff1d(order, _first(films.patients, order, options.films))
        for size in found:
            fit = _fit(info, films, _first(films.patients, order, size)) if size else None
            found[size].append(_judged(info, films, rest, judged, fit))
    return tuple(_point(size, np.array(rows)) for size, rows in found.items())


def _judged(
    info: ModelInfo, films: Films, rest: np.ndarray, judged: np.ndarray, fit: LocalFit | None
) -> np.ndarray:
    """Thresholds chosen, mean ECE, Brier score, F1 and changed calls on the films `rest`, (5,)."""
    labels, before, cuts = films.labels[rest], films.probs[rest], own_cuts(info)
    after, new_cuts = (fit.probabilities(films.logits[rest]), fit.cuts) if fit else (before, cuts)
    values = (
        metrics.ece_per_class(labels, after),
        metrics.brier_per_class(labels, after),
        metrics.rates_at(labels, after, new_cuts)["f1"],
        _changed(before, cuts, after, new_cuts),
    )
    chosen = len(fit.findings) if fit else 0
    return np.array([chosen, *(metrics.macro(value[judged]) for value in values)])


def _point(size: int, rows: np.ndarray) -> CurvePoint:
    low, high = np.nanquantile(rows[:, 1], [0.1, 0.9])
    chosen, ece, brier, f1, changed = metrics.macro(rows.T)
    return CurvePoint(
        films=size,
        thresholds=float(chosen),
        ece=float(ece),
        ece_low=float(low),
        ece_high=float(high),
        brier=float(brier),
        f1=or_none(f1),
        changed=or_none(changed),
    )
