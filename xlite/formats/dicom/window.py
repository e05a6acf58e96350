"""Windows: which values become black and white (PS3.3 C.11.2.1.2 and C.11.2.1.3)."""

import math
from dataclasses import dataclass

import numpy as np
import pydicom
from scipy.special import expit

from xlite.formats.dicom.attributes import decimals, text, usable

NARROWEST = 1e-6  # least width of a window, as it is a divisor
_LINEAR, _FUNCTIONS = "LINEAR", {"LINEAR", "LINEAR_EXACT", "SIGMOID"}
_MIDDLE = (0.005, 0.995)


@dataclass(frozen=True)
class Window:
    """Center and width in modality values, and the function: LINEAR, LINEAR_EXACT or SIGMOID."""

    center: float
    width: float
    function: str


def stated_windows(header: pydicom.Dataset) -> list[Window | None]:
    """The windows of a file in order; None in place of one that could not be meant.

    A function that the standard does not know is passed over, as dcmtk does.
    """
    function = text(header, "VOILUTFunction")
    function = function if function in _FUNCTIONS else _LINEAR
    pairs = zip(decimals(header, "WindowCenter"), decimals(header, "WindowWidth"), strict=False)
    return [_window(usable(center), usable(width), function) for center, width in pairs]


def _window(center: float | None, width: float | None, function: str) -> Window | None:
    if center is None or width is None or width < (1 if function == _LINEAR else NARROWEST):
        return None
    return Window(center, width, function)


def middle(values: np.ndarray, counts: np.ndarray) -> Window:
    """The window from percentile 0.5 to 99.5 of pixels that have `values`, each as often as `counts` says.

    Percentiles and not the extremes: a burnt-in marker or a dead pixel would take the contrast of all others.
    """
    order = np.argsort(values)
    values, ranks = values[order], np.cumsum(counts[order])
    low, high = (_percentile(values, ranks, share) for share in _MIDDLE)
    return Window((low + high) / 2, max(high - low, NARROWEST), "LINEAR_EXACT")


def _percentile(values: np.ndarray, ranks: np.ndarray, share: float) -> float:
    """As numpy's linear method gives it for the pixels one by one."""
    place = share * (int(ranks[-1]) - 1)
    lower, upper = (
        float(values[np.searchsorted(ranks, rank, side="right")])
        for rank in (math.floor(place), math.ceil(place))
    )
    return lower + (upper - lower) * (place % 1)


def apply_window(values: np.ndarray, window: Window) -> np.ndarray:
    """Values of any shape onto uint8 0-255."""
    center, width = window.center, window.width
    if window.function == _LINEAR:
        center, width = center - 0.5, width - 1
        if width == 0:  # a threshold
            return np.where(values > center, 255, 0).astype(np.uint8)
    kind = values.dtype if values.dtype == np.float64 else np.float32
    scaled = (values.astype(kind) - center) / width
    share = expit(4 * scaled) if window.function == "SIGMOID" else np.clip(scaled + 0.5, 0, 1)
    return np.asarray(np.rint(share * 255), np.uint8)
