"""Photographed or secondary-capture films in colour: RGB, YBR or a palette, made grey (ITU-R 601 weights)."""

import cv2
import numpy as np
import pydicom

from xlite.formats.dicom.attributes import raw, unfit
from xlite.formats.dicom.grey import look_up
from xlite.formats.dicom.layout import Layout
from xlite.formats.dicom.tables import read_table
from xlite.pixels import STRIP

_PARTIAL_BLACK, _PARTIAL_WHITE = 16, 235  # of YBR_PARTIAL_422, as in video (CCIR 601)


def render_colour(codes: np.ndarray, layout: Layout, header: pydicom.Dataset) -> np.ndarray:
    """Film uint8 (H, W), 0-255, from codes (H, W, 3), or (H, W) of a palette or of luminance Y."""
    if layout.photometric == "PALETTE COLOR":
        return look_up(codes, _palette(layout, header))
    image = np.empty(codes.shape[:2], np.uint8)
    for top in range(0, len(codes), STRIP):
        strip = _to_bytes(np.ascontiguousarray(codes[top : top + STRIP]), layout)
        image[top : top + STRIP] = strip if strip.ndim == 2 else cv2.cvtColor(strip, cv2.COLOR_RGB2GRAY)
    return image


def _to_bytes(codes: np.ndarray, layout: Layout) -> np.ndarray:
    """Samples of any shape to uint8."""
    partial = layout.photometric == "YBR_PARTIAL_422"
    if layout.stored == layout.allocated == 8 and not partial:
        return codes
    black, white = (_PARTIAL_BLACK, _PARTIAL_WHITE) if partial else (0, 2**layout.stored - 1)
    scaled = (layout.values(codes) - black) * (255 / (white - black))
    samples: np.ndarray = np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)
    return samples


def _palette(layout: Layout, header: pydicom.Dataset) -> np.ndarray:
    """The grey uint8 of each code."""
    names = [f"{colour}PaletteColorLookupTable" for colour in ("Red", "Green", "Blue")]
    for name in names:
        if raw(header, f"Segmented{name}Data") and not raw(header, f"{name}Data"):
            raise unfit(f"Segmented{name}Data", "cannot be read")
    if layout.allocated > 16:
        raise unfit("BitsAllocated", f"is {layout.allocated}; expected 8 or 16 for a palette")
    tables = [read_table(header, f"{name}Descriptor", f"{name}Data", layout.limits) for name in names]
    top = max(table.top for table in tables)
    indices = layout.values(np.arange(2**layout.allocated))
    colours = np.stack([table.at(indices) for table in tables], axis=-1).astype(np.float32)
    colours = np.rint(colours[None] * (255 / top)).astype(np.uint8)
    greys: np.ndarray = cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)[0]
    return greys
