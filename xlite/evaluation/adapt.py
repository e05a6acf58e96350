"""A model's calibration and thresholds fitted to some films of another hospital, and judged by the rest."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TypeVar

import numpy as np

from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.data.leakage import films_sharing_patients
from xlite.data.published_splits import published_split
from xlite.data.splits import Split
from xlite.errors import CheckpointError, DataError
from xlite.evaluation.adaptation import Adaptation, AdaptedFinding, CurvePoint
from xlite.evaluation.base import Bootstrap
from xlite.evaluation.evaluate import read_films
from xlite.evaluation.films import Films
from xlite.evaluation.options import AdaptOptions, JudgeOptions
from xlite.evaluation.own_training import own_split
from xlite.findings import FEW_POSITIVES, FINDINGS
from xlite.metrics import per_finding as metrics
from xlite.metrics.bootstrap import Resamples, or_none
from xlite.metrics.calibration import apply_calibrator
from xlite.metrics.intervals import resampled
from xlite.metrics.ladder import Climbed, climb
from xlite.metrics.thresholds import Thresholds
from xlite.metrics.validation_record import validation_records
from xlite.models.adapted import AdaptedTo, film_marks
from xlite.models.info import ModelInfo
from xlite.patients import fewer_patients
from xlite.text import counted

log = logging.getLogger(__name__)

SIZES = (25, 50, 100, 200, 400, 800, 1600, 3200)
"""Of the learning curve, as far as they are fewer than the films that fit the model."""
_T = TypeVar("_T")


@dataclass(frozen=True, eq=False)
class AdaptedModel:
    """The classifier with its new calibrator and thresholds, and what they are worth."""

    classifier: Classifier
    report: Adaptation


@dataclass(frozen=True, eq=False)
class _Fit:
    """What local films make of a model: its calibrator, and a threshold a finding (14), NaN if none."""

    climbed: Climbed
    chosen: Thresholds
    cuts: np.ndarray

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        return apply_calibrator(logits, self.climbed.calibrator)


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


def _fit(info: ModelInfo, films: Films, local: np.ndarray) -> _Fit:
    """Calibrator and thresholds by some of the films; what these cannot tell stays as the model has it."""
    logits, labels, patients = films.logits[local], films.labels[local], films.patients[local]
    climbed = climb(logits, labels, patients, info.calibration)
    chosen = Thresholds.choose(labels, apply_calibrator(logits, climbed.calibrator), patients)
    return _Fit(climbed, chosen, np.where(climbed.moved, chosen.cuts, _cuts(info)))


def _cuts(info: ModelInfo) -> np.ndarray:
    """A model's own thresholds (14,), NaN if it has none."""
    none = dict.fromkeys(FINDINGS)
    return Thresholds.of(info.thresholds or none, info.thresholds_chosen_on).cuts


def _adapted(info: ModelInfo, films: Films, local: np.ndarray, fit: _Fit, folder: NihFolder) -> ModelInfo:
    """The model's info with what the local films say; of findings that they cannot fit, what it was."""
    labels, patients = films.labels[local], films.patients[local]
    moved = {finding for finding, is_so in zip(FINDINGS, fit.climbed.moved, strict=True) if is_so}
    now = Thresholds(fit.cuts, fit.chosen.chosen_on)
    counts = now.chosen_on_by_finding() or {}
    records = validation_records(labels, fit.probabilities(films.logits[local]), patients, now)
    stays = {finding for finding in FINDINGS if finding not in moved}
    by_hand = _of(info.notes.thresholds_by_hand, stays)
    adapted_to = AdaptedTo(
        data=folder.root.name,
        day=date.today().isoformat(),
        films=len(local),
        patients=len(np.unique(patients)),
        findings=tuple(finding for finding in FINDINGS if finding in moved),
        film_marks=tuple(film_marks(folder.fingerprint(), [films.stems[row] for row in local])),
    )
    notes = {"adapted_to": adapted_to} | ({"thresholds_by_hand": by_hand} if by_hand else {})
    return info.model_copy(
        update={
            "calibration": fit.climbed.calibrator,
            "thresholds": now.by_finding(),
            "thresholds_chosen_on": counts | _of(info.thresholds_chosen_on, stays),
            "validation": records | _of(info.validation, stays),
            "notes": info.notes.without_hand().model_copy(update=notes),
        }
    )


def _of(by_finding: Mapping[str, _T] | None, findings: Collection[str]) -> dict[str, _T]:
    return {finding: value for finding, value in (by_finding or {}).items() if finding in findings}


def _report(
    classifier: Classifier,
    folder: NihFolder,
    films: Films,
    local: np.ndarray,
    rest: np.ndarray,
    fit: _Fit,
    known: int,
    options: AdaptOptions,
) -> Adaptation:
    """What the films that fitted nothing say of the model before and after, and the learning curve."""
    labels, logits, patients = films.labels[rest], films.logits[rest], films.patients[rest]
    before, after = films.probs[rest], fit.probabilities(logits)
    resamples = Resamples(patients, options.resamples, options.seed)
    judged = fewer_patients(labels, patients) >= FEW_POSITIVES
    if not judged.any():
        raise DataError(
            f"none of the 14 findings has {FEW_POSITIVES} patients with it and as many without it among the "
            f"{counted(len(rest), 'film')} of {folder.root} that are to judge what comes of it"
        )
    some = [probs[:, judged] for probs in (before, after)]
    ece = [metrics.ece_per_class(labels[:, judged], probs).mean() for probs in some]
    drawn = [resamples.ece(labels[:, judged], probs).mean(axis=1) for probs in some]
    auc = metrics.auc_per_class(labels[:, judged], logits[:, judged]).mean()
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
        findings=tuple(finding for finding, is_so in zip(FINDINGS, judged, strict=True) if is_so),
        auc=resampled(auc, resamples.auc(labels[:, judged], logits[:, judged]).mean(axis=1)),
        ece=(resampled(ece[0], drawn[0]), resampled(ece[1], drawn[1])),
        ece_change=resampled(ece[1] - ece[0], drawn[1] - drawn[0]),
        per_class=_per_class(labels, before, after, _cuts(classifier.info), fit),
        curve=_curve(classifier.info, films, judged, options),
    )


def _per_class(
    labels: np.ndarray, before: np.ndarray, after: np.ndarray, cuts: np.ndarray, fit: _Fit
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
    info: ModelInfo, films: Films, rest: np.ndarray, judged: np.ndarray, fit: _Fit | None
) -> np.ndarray:
    """Findings fitted, mean ECE, Brier score, F1 and changed calls on the films `rest`, (5,)."""
    labels, before, cuts = films.labels[rest], films.probs[rest], _cuts(info)
    after, new_cuts = (fit.probabilities(films.logits[rest]), fit.cuts) if fit else (before, cuts)
    values = (
        metrics.ece_per_class(labels, after),
        metrics.brier_per_class(labels, after),
        metrics.rates_at(labels, after, new_cuts)["f1"],
        _changed(before, cuts, after, new_cuts),
    )
    fitted = np.count_nonzero(fit.climbed.moved) if fit else 0
    return np.array([fitted, *(metrics.macro(value[judged]) for value in values)])


def _point(size: int, rows: np.ndarray) -> CurvePoint:
    low, high = np.nanquantile(rows[:, 1], [0.1, 0.9])
    fitted, ece, brier, f1, changed = metrics.macro(rows.T)
    return CurvePoint(
        films=size,
        findings=float(fitted),
        ece=float(ece),
        ece_low=float(low),
        ece_high=float(high),
        brier=float(brier),
        f1=or_none(f1),
        changed=or_none(changed),
    )
