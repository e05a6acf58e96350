"""From the bytes of a DICOM file to a film."""

import numpy as np
import pydicom

from xlite.errors import ImageError
from xlite.formats.dicom.attributes import text, whole
from xlite.formats.dicom.colour import render_colour
from xlite.formats.dicom.frames import read_codes
from xlite.formats.dicom.grey import render_grey
from xlite.formats.dicom.layout import read_layout
from xlite.formats.dicom.parse import parse
from xlite.formats.dicom.presets import presets

# Plain X-ray and what exports call it: computed, digital, digitised film, fluoroscopy frame, other, unnamed.
_MODALITIES = {"CR", "DX", "RG", "DR", "XR", "RF", "XA", "OT", ""}


def read_dicom(data: bytes, window: str | None = None) -> np.ndarray:
    """The radiograph in DICOM bytes: uint8 (H, W), 0-255, bones bright. Raises ImageError.

    window: one of `dicom_windows`, by its title or its place from 1 on, or "CENTER,WIDTH" in modality values;
    without it the file's first, or what shows most of the film if it has none.
    """
    film = parse(data)
    _check_kind(film.header)
    layout = read_layout(film.header)
    codes, layout = read_codes(film, layout)
    if layout.photometric.startswith("MONOCHROME"):
        return render_grey(codes, layout, film.header, window)
    if window is not None:
        raise ImageError("the DICOM file is in colour, so it has no windows; leave the window out")
    return render_colour(codes, layout, film.header)


def dicom_windows(data: bytes) -> list[str]:
    """The titles of the look-up tables and windows that a DICOM file offers. Raises ImageError."""
    return [preset.title for preset in presets(parse(data).header)]


# Other types that are told by name: what stands in a broken tag may be a person's.
_OTHERS = {
    *("BI", "BMD", "CT", "DG", "ECG", "ES", "GM", "IO", "IVOCT", "IVUS", "MG", "MR", "NM", "OCT", "OP"),
    *("OPT", "PR", "PT", "PX", "RTDOSE", "RTIMAGE", "RTPLAN", "RTSTRUCT", "SC", "SEG", "SM", "SR", "TG"),
    *("US", "XC"),
}


def _check_kind(header: pydicom.Dataset) -> None:
    modality = text(header, "Modality")
    if modality not in _MODALITIES:
        kind = f"of type {modality!r}" if modality in _OTHERS else "of another type (Modality)"
        raise ImageError(f"the DICOM file is {kind}; expected an X-ray (CR, DX or RG)")
    frames = whole(header, "NumberOfFrames", 1)
    if frames > 1:
        raise ImageError(f"the DICOM file holds {frames:,} images; export the one film to read")
