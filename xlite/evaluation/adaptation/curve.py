"""Which films of a draw fit a model, and the learning curve over draws: how many films are enough."""

import numpy as np

from xlite.evaluation.adaptation.adaptation import CurvePoint
from xlite.evaluation.adaptation.change import changed_calls
from xlite.evaluation.adaptation.local_fit import LocalFit, own_cuts
from xlite.evaluation.films import Films
from xlite.evaluation.options import AdaptOptions
from xlite.metrics import per_finding as metrics
from xlite.metrics.bootstrap import or_none
from xlite.models.info import ModelInfo

SIZES = (25, 50, 100, 200, 400, 800, 1600, 3200)
"""Of the learning curve, as far as they are fewer than the films that fit the model."""


def order_of_draw(patients: np.ndarray, seed: int, draw: int) -> np.ndarray:
    """Rows of all films, int64 (N,), patient by patient in the random order of a draw."""
    different, owner = np.unique(patients, return_inverse=True)
    place = np.random.default_rng((seed, draw)).permutation(len(different))
    return np.argsort(place[owner], kind="stable")


def first_films(patients: np.ndarray, order: np.ndarray, films: int) -> np.ndarray:
    """The first rows of the order: as many whole patients as give no more than so many films."""
    owners = patients[order]
    ends = np.flatnonzero(np.append(owners[1:] != owners[:-1], True)) + 1
    fitting = ends[ends <= films]
    return order[: fitting[-1] if len(fitting) else 0]


def fit_to(info: ModelInfo, films: Films, local: np.ndarray) -> LocalFit:
    """What the films at the rows `local` make of the model's calibrator and thresholds."""
    return LocalFit.of(info, films.logits[local], films.labels[local], films.patients[local])


def learning_curve(
    info: ModelInfo, films: Films, judged: np.ndarray, options: AdaptOptions
) -> tuple[CurvePoint, ...]:
    """The learning curve over `options.draws` draws, each judged on the films behind `options.films`."""
    sizes = [size for size in SIZES if size < options.films] + [options.films]
    found: dict[int, list[np.ndarray]] = {size: [] for size in (0, *sizes)}
    for draw in range(1, options.draws + 1):
        order = order_of_draw(films.patients, options.seed, draw)
        rest = np.setdiff1d(order, first_films(films.patients, order, options.films))
        for size in found:
            fit = fit_to(info, films, first_films(films.patients, order, size)) if size else None
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
        changed_calls(before, cuts, after, new_cuts),
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
