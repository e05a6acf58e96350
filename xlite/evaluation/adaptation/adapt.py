"""A model's calibration and thresholds fitted to some films of another hospital, and judged by the rest."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.data.leakage import films_sharing_patients
from xlite.data.published_splits import published_split
from xlite.errors import CheckpointError, DataError
from xlite.evaluation.adaptation.adaptation import Adaptation
from xlite.evaluation.adaptation.change import change_of, per_class
from xlite.evaluation.adaptation.curve import first_films, fit_to, learning_curve, order_of_draw
from xlite.evaluation.adaptation.local_fit import LocalFit, adapted_info, own_cuts
from xlite.evaluation.contamination.own_training import own_split
from xlite.evaluation.films import Films
from xlite.evaluation.options import AdaptOptions, JudgeOptions
from xlite.evaluation.part_judged import all_films
from xlite.evaluation.read_films import read_films
from xlite.evaluation.report_base import Bootstrap
from xlite.findings import FINDINGS
from xlite.metrics import per_finding as metrics
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.finding_estimates import PatientCounts, fixed_mean_of
from xlite.metrics.intervals import LEAST_IN_MEAN
from xlite.models.adapted import AdaptedTo, film_marks
from xlite.models.info import ModelInfo
from xlite.split_names import ALL_FILMS
from xlite.text import counted


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
    order = order_of_draw(films.patients, options.seed, 0)
    local = first_films(films.patients, order, options.films)
    rest = np.setdiff1d(order, local)
    fit = fit_to(classifier.info, films, local)
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
    judged = JudgeOptions(device=options.device, batch_size=options.batch_size)
    return read_films(classifier, folder, all_films(folder, known), ALL_FILMS, judged)[0], len(known)


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
        ece=change_of("ece", labels, (before, after), judged, resamples),
        brier=change_of("brier", labels, (before, after), judged, resamples),
        per_class=per_class(labels, before, after, own_cuts(classifier.info), fit),
        curve=learning_curve(classifier.info, films, judged, options),
    )
