"""Grey films: stored values, modality transformation, VOI LUT or window, inversion, padding (PS3.3 C.11).

All steps are done for each value that a pixel can have, at most 65,536, and looked up once for each pixel.
"""

from dataclasses import dataclass, replace

import numpy as np
import pydicom

from xlite.errors import ImageError
from xlite.formats.dicom.attributes import decimal, raw, text, words
from xlite.formats.dicom.layout import Layout
from xlite.formats.dicom.parse import items
from xlite.formats.dicom.presets import chosen
from xlite.formats.dicom.tables import read_table
from xlite.formats.dicom.window import NARROWEST, Window, apply_window, middle, stated_windows
from xlite.pixels import STRIP

_FAR = 1e9  # no detector gives a number beyond it
_ROUND = 2**24  # float32 tells whole numbers apart up to here


@dataclass(frozen=True)
class _Modality:
    """What the stored values mean: one value for each code, and the least and largest that there can be."""

    values: np.ndarray
    limits: tuple[float, float]
    fills_range: bool
    """Whether the limits are black and white if the file says no more: 8 bits, or a look-up table."""


def render_grey(
    codes: np.ndarray, layout: Layout, header: pydicom.Dataset, window: str | None = None
) -> np.ndarray:
    """Film uint8 (H, W), 0-255, bones bright, from codes (H, W), by a window as `chosen` takes it.

    Raises ImageError.
    """
    codes, stored = _index(codes, layout)
    counts = _histogram(codes, len(stored))
    padded = _padding(stored, layout, header)
    modality = _modality(stored, layout, header)
    if window is None:
        greys = _present(modality, counts, padded, header)
    else:
        greys = _shown_by(chosen(header, window), modality)
    # Both tags state the same inversion, after the window: the shape counts, if there is one (PS3.3 C.11.6).
    shape = text(header, "PresentationLUTShape")
    if shape == "INVERSE" or (layout.photometric == "MONOCHROME1" and shape != "IDENTITY"):
        greys = 255 - greys
    greys[padded] = 0
    return look_up(codes, greys)


def look_up(codes: np.ndarray, greys: np.ndarray) -> np.ndarray:
    """The grey uint8 of each code (H, W), in strips."""
    image = np.empty(codes.shape, np.uint8)
    for top in range(0, len(codes), STRIP):
        image[top : top + STRIP] = greys[codes[top : top + STRIP]]
    return image


def _index(codes: np.ndarray, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Codes uint8 or uint16 (H, W), and the stored value int64 of each code."""
    if layout.allocated <= 16:
        return codes, layout.values(np.arange(2**layout.allocated))
    low = min(int(layout.values(row).min()) for row in codes)
    high = max(int(layout.values(row).max()) for row in codes)
    if high - low >= 2**16:
        raise ImageError(
            f"the DICOM file's pixels (Bits Allocated {layout.allocated}) go from {low:,} to {high:,}; "
            "expected 16 bits at most, so export it with these"
        )
    narrow = np.empty(codes.shape, np.uint16)
    for row, wide in zip(narrow, codes, strict=True):
        row[:] = layout.values(wide) - low
    return narrow, low + np.arange(2**16)


def _histogram(codes: np.ndarray, size: int) -> np.ndarray:
    counts = np.zeros(size, np.int64)
    for top in range(0, len(codes), STRIP):
        counts += np.bincount(codes[top : top + STRIP].ravel(), minlength=size)
    return counts


def _padding(stored: np.ndarray, layout: Layout, header: pydicom.Dataset) -> np.ndarray:
    """Mask of the values that the file puts outside the exposed field: a value or a range.

    Only the first of several values counts. It is signed if the pixels are, whatever its VR.
    """
    ends = words(header, "PixelPaddingValue")[:1]
    if not ends:
        return np.zeros(stored.shape, bool)
    ends += words(header, "PixelPaddingRangeLimit")[:1]
    if layout.allocated <= 16:
        ends = [(end + 2**15) % 2**16 - 2**15 if layout.signed else end % 2**16 for end in ends]
        # Some writers put it into all allocated bits, beyond what the stored ones hold.
        whole = replace(layout, stored=layout.allocated).values(np.arange(len(stored)))
        outside = (whole >= min(ends)) & (whole <= max(ends)) & (whole != stored)
    else:
        outside = np.zeros(stored.shape, bool)
    mask: np.ndarray = outside | ((stored >= min(ends)) & (stored <= max(ends)))
    return mask


def _modality(stored: np.ndarray, layout: Layout, header: pydicom.Dataset) -> _Modality:
    if item := next(items(header, "ModalityLUTSequence"), None):
        table = read_table(item, "LUTDescriptor", "LUTData", layout.limits, may_be_signed=True)
        return _Modality(table.at(stored), table.limits, fills_range=True)
    slope, intercept = decimal(header, "RescaleSlope"), decimal(header, "RescaleIntercept")
    if not slope or intercept is None:  # a slope of 0 would make all pixels one value: as without
        return _Modality(stored, layout.limits, fills_range=layout.stored <= 8)
    ends = sorted(slope * int(end) + intercept for end in (stored.min(), stored.max()))
    usable = all(abs(value) < _FAR for value in (slope, intercept, *ends))
    if not usable or ends[1] - ends[0] < NARROWEST:  # refuses NaN too
        raise ImageError(
            f"the DICOM file's rescale slope {slope:g} and intercept {intercept:g} give no usable values; "
            "export it again"
        )
    kind = np.float32 if max(-ends[0], ends[1]) < _ROUND * abs(slope) else np.float64
    values: np.ndarray = stored.astype(kind)
    values = values * slope + intercept
    low, high = sorted(slope * end + intercept for end in layout.limits)
    return _Modality(values, (low, high), fills_range=layout.stored <= 8)


def _present(
    modality: _Modality, counts: np.ndarray, padded: np.ndarray, header: pydicom.Dataset
) -> np.ndarray:
    """A grey uint8 for each code: by the file's VOI LUT, else its first window, else by its range.

    The range is that of 8 bits or of the modality's look-up table; of deeper pixels the middle 99 %, as few
    detectors fill theirs. A LUT or window that makes the film a single grey was meant for other values.
    """
    values, shown = modality.values, counts > 0
    window = next(iter(stated_windows(header)), None)
    if item := _voi_item(header, window is not None):
        greys = _shown_by(item, modality)
        if np.ptp(greys[shown]):
            return greys
    if window:
        greys = _shown_by(window, modality)
        if np.ptp(greys[shown]):
            return greys
    if modality.fills_range:
        black, white = modality.limits
        return np.rint(np.clip((values - black) * (255 / (white - black)), 0, 255)).astype(np.uint8)
    exposed = shown & ~padded if (shown & ~padded).any() else shown
    return apply_window(values, middle(values[exposed], counts[exposed]))


def _voi_item(header: pydicom.Dataset, has_window: bool) -> pydicom.Dataset | None:
    """The first VOI LUT that has data; without one, and without a window, the first of all."""
    first = None
    for item in items(header, "VOILUTSequence"):
        if raw(item, "LUTData"):
            return item
        first = first or item
    return None if has_window else first


def _shown_by(shown_by: pydicom.Dataset | Window, modality: _Modality) -> np.ndarray:
    """A grey uint8 for each code, by a window or by the table of an item."""
    if isinstance(shown_by, Window):
        return apply_window(modality.values, shown_by)
    table = read_table(shown_by, "LUTDescriptor", "LUTData", modality.limits)
    entries = table.at(modality.values).astype(np.float32)
    greys: np.ndarray = np.rint(entries * (255 / table.top)).astype(np.uint8)
    return greys
