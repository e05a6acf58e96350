"""How a film's pixels lie in Pixel Data (PS3.3 C.7.6.3)."""

from dataclasses import dataclass, replace

import numpy as np
import pydicom

from xlite.errors import ImageError
from xlite.formats.dicom.attributes import text, unfit, whole
from xlite.pixels import STRIP, check_size

# By letters and digits alone, as writers vary blanks, underscores and case.
_PHOTOMETRIC = {
    name.replace(" ", "").replace("_", ""): (name, samples)
    for name, samples in (
        *(("MONOCHROME1", 1), ("MONOCHROME2", 1), ("PALETTE COLOR", 1), ("RGB", 3), ("YBR_FULL", 3)),
        *(("YBR_FULL_422", 3), ("YBR_PARTIAL_422", 3), ("YBR_RCT", 3), ("YBR_ICT", 3)),
    )
}
_NOT_READ = {"HSV", "ARGB", "CMYK", "XYB", "YBRPARTIAL420"}
_OVERSHOOT = 8  # lossy coding goes beyond the values at an edge by less than this part of their range


@dataclass(frozen=True)
class Layout:
    """Size in px, samples a pixel, what they mean, and how many of their bits count.

    stored: the lower bits of those allocated; signed: whether they are in two's complement.
    """

    rows: int
    columns: int
    samples: int
    photometric: str
    allocated: int
    stored: int
    signed: bool

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the largest value that the stored bits can hold."""
        half = 2 ** (self.stored - 1)
        return (-half, half - 1) if self.signed else (0, 2 * half - 1)

    def values(self, codes: np.ndarray) -> np.ndarray:
        """Stored values int64 of unsigned integers as they lie in Pixel Data; unused bits do not count."""
        stored: np.ndarray = codes.astype(np.int64) & (2**self.stored - 1)
        if self.signed:
            half = 2 ** (self.stored - 1)
            stored = (stored ^ half) - half
        return stored

    def fitted(self, codes: np.ndarray, precision: int, *, lossy: bool) -> np.ndarray:
        """Decoded codes of any shape, with `precision` bits a sample, within the stored bits.

        A precision above Bits Stored alone is not a fault, as some writers state Bits Allocated there. A
        lossy stream overshoots at edges, which is clipped. Raises ImageError for codes that the bits cannot
        hold.
        """
        if precision <= self.stored or int(codes.max()) < 2**self.stored:
            return codes
        low, high = self.limits
        over = 2**self.stored // _OVERSHOOT if lossy else 0
        fitted, wide = np.empty_like(codes), replace(self, stored=precision)
        for top in range(0, len(codes), STRIP):
            values = wide.values(codes[top : top + STRIP])
            if values.min() < low - over or values.max() > high + over:
                raise ImageError(
                    f"the DICOM file's Bits Stored is {self.stored}, but its compressed pixels have "
                    f"{precision} bits and do not fit in it; export it again, or uncompressed"
                )
            fitted[top : top + STRIP] = values.clip(low, high).astype(codes.dtype)
        return fitted

    def mismatch(self) -> ImageError:
        """The error for pixels that make another image than the header says."""
        return ImageError(
            f"the DICOM file's image size does not match its pixels (Columns {self.columns:,}, "
            f"Rows {self.rows:,}, Samples per Pixel {self.samples}); export it again"
        )


def read_layout(header: pydicom.Dataset) -> Layout:
    """The layout that a header states. Raises ImageError, which names the attribute."""
    rows, columns = whole(header, "Rows"), whole(header, "Columns")
    check_size(columns, rows)
    written = text(header, "PhotometricInterpretation")
    key = "".join(letter for letter in written if letter.isalnum())
    if key not in _PHOTOMETRIC:
        # What stands in a broken tag may be a person's name, which is not told.
        known = f"is {key!r}, which" if key in _NOT_READ else "is of a kind that"
        raise unfit("PhotometricInterpretation", f"{known} cannot be read" if written else "is missing")
    photometric, samples = _PHOTOMETRIC[key]
    if (stated := whole(header, "SamplesPerPixel", samples)) != samples:
        raise unfit("SamplesPerPixel", f"is {stated}, but {photometric} has {samples}")
    allocated = whole(header, "BitsAllocated")
    if allocated not in (8, 16, 32):
        raise unfit("BitsAllocated", f"is {allocated}; expected 8, 16 or 32")
    stored = whole(header, "BitsStored")
    if not 1 <= stored <= allocated:
        raise unfit("BitsStored", f"is {stored}; expected 1 to {allocated}, the Bits Allocated")
    high = whole(header, "HighBit", stored - 1)
    if high >= stored:
        raise unfit("HighBit", f"is {high}: its pixels are in the upper bits, as is no longer done")
    if high != stored - 1:
        raise unfit("HighBit", f"is {high}; expected {stored - 1}, as Bits Stored is {stored}")
    signed = whole(header, "PixelRepresentation") == 1
    return Layout(rows, columns, samples, photometric, allocated, stored, signed)
