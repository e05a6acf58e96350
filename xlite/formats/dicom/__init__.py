"""DICOM radiographs to uint8 images: stored values, rescale, VOI LUT or window, at most one inversion.

pydicom takes a third of a second to load, and does so when the first DICOM file comes.
"""

import numpy as np


def looks_like_dicom(data: bytes) -> bool:
    """Whether bytes begin as a DICOM file does, with or without its 128-byte preamble."""
    if data[128:132] == b"DICM":
        return True
    starts_in_group = data[:2] in (b"\x02\x00", b"\x08\x00") and data[3:4] == b"\x00"
    names_a_vr = data[4:6].isalpha() and data[4:6].isupper()
    return starts_in_group and (names_a_vr or data[6:8] == b"\x00\x00")


def read_dicom(data: bytes, window: str | None = None) -> np.ndarray:
    """As `film.read_dicom`."""
    from xlite.formats.dicom import film

    return film.read_dicom(data, window)


def dicom_windows(data: bytes) -> list[str]:
    """As `film.dicom_windows`."""
    from xlite.formats.dicom import film

    return film.dicom_windows(data)
