"""What films look like as a model gets them, in numbers of their own: grey, contrast and grain.

Pooled features are means over a film, which noise hardly moves, and automatic exposure keeps the greys as
they are: so a distance of features does not see another dose, and the grain does.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from xlite.evaluation.elsewhere.elsewhere_report import AppearanceShift, Quantity
from xlite.evaluation.report_base import Bootstrap
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.finding_estimates import PatientCounts, finding_estimate
from xlite.metrics.per_finding import auc_per_class
from xlite.patients import patient_places

if TYPE_CHECKING:
    from xlite.data.dataset import FilmRows

_NORMAL = 1.4826
"""A standard deviation as a multiple of the median distance from 0, of normal noise."""


class Appearance(NamedTuple):
    """Each quantity of N films, float64 (N,), and their patients (N,)."""

    values: dict[Quantity, np.ndarray]
    patients: np.ndarray


def appearance(films: "FilmRows | np.ndarray", patients: Sequence[str] | np.ndarray) -> Appearance:
    """Of films uint8 (N, S, S), in greys of 0-255: the mean, the standard deviation, and the grain.

    Grain is the standard deviation of what a blur by 1 px takes away, by its median, so that edges do not
    count.
    """
    found = [_quantities(films[row].astype(np.float32)) for row in range(len(films))]
    return Appearance({name: np.array([one[name] for one in found]) for name in found[0]}, np.array(patients))


def _quantities(film: np.ndarray) -> dict[Quantity, float]:
    fine = film - cv2.GaussianBlur(film, (0, 0), 1.0)
    return {
        "grey": float(film.mean()),
        "contrast": float(film.std()),
        "grain": _NORMAL * float(np.median(np.abs(fine))),
    }


def appearance_shift(
    there: Appearance, here: Appearance | None, bootstrap: Bootstrap
) -> dict[Quantity, AppearanceShift]:
    """The medians there, and beside those here how often a film there has more, if these are at hand."""
    if here is None:
        return {
            name: AppearanceShift(there=float(np.median(values))) for name, values in there.values.items()
        }
    first, second = (patient_places(side.patients) for side in (here, there))
    owner = np.concatenate([first, second + len(first)])  # equal numbers of two hospitals are two patients
    resamples = Resamples(owner, bootstrap.resamples, bootstrap.seed)
    is_there = np.repeat([[0.0], [1.0]], [len(first), len(second)], axis=0).astype(np.float32)
    [counts] = PatientCounts.per_finding(is_there, is_there > 0, resamples.owner)
    found = {}
    for name, values in there.values.items():
        both = np.concatenate([here.values[name], values])[:, None]
        auc, drawn = auc_per_class(is_there, both), resamples.auc(is_there, both)
        found[name] = AppearanceShift(
            there=float(np.median(values)),
            here=float(np.median(here.values[name])),
            more=finding_estimate("auc", float(auc[0]), drawn[:, 0], counts),
        )
    return found
