"""DICOM radiographs to uint8 images: stored values, rescale, VOI LUT or window, at most one inversion."""

import io
import math
import struct

import cv2
import numpy as np
import pydicom
from pydicom.encaps import encapsulate, get_frame
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from xlite.errors import ImageError
from xlite.pixels import STRIP, check_size, to_uint8

# Plain X-ray and what exports call it: computed, digital, digitised film, fluoroscopy frame, other, unnamed.
_MODALITIES = {"CR", "DX", "RG", "DR", "XR", "RF", "XA", "OT", ""}
_FAR = 1e9  # no detector gives a number beyond it, and float32 would be too coarse for one
_NARROWEST = 1e-6  # least width of a window, as it is a divisor
_JPEG2000_START = b"\xff\x4f\xff\x51"
_JP2_BOX = b"\x00\x00\x00\x0cjP  "
# What pydicom and its decoders raise on damaged files.
_BROKEN = (
    InvalidDicomError, BytesLengthException, ValueError, TypeError, AttributeError, LookupError, RuntimeError,
    EOFError, OSError, ArithmeticError, AssertionError, MemoryError, struct.error, cv2.error,
)  # fmt: skip


def looks_like_dicom(data: bytes) -> bool:
    """Whether bytes begin as a DICOM file does, with or without its 128-byte preamble."""
    if data[128:132] == b"DICM":
        return True
    starts_in_group = data[:2] in (b"\x02\x00", b"\x08\x00") and data[3:4] == b"\x00"
    names_a_vr = data[4:6].isalpha() and data[4:6].isupper()
    return starts_in_group and (names_a_vr or data[6:8] == b"\x00\x00")


def read_dicom(data: bytes) -> np.ndarray:
    """The radiograph in DICOM bytes: uint8 (H, W), 0-255, bones bright. Raises ImageError."""
    # Inflating happens while parsing, without a limit: a few MB would become gigabytes.
    if DeflatedExplicitVRLittleEndian.encode() in data:
        raise ImageError("the DICOM file is deflated as a whole; export it uncompressed or as JPEG 2000")
    try:
        dataset = pydicom.dcmread(io.BytesIO(data), force=True)
        _check_header(dataset)
        _check_pixel_data(dataset)
        if dataset.SamplesPerPixel == 1 and dataset.PhotometricInterpretation != "PALETTE COLOR":
            return _render_grey(dataset)
        return _render_colour(dataset)
    except _BROKEN as error:
        raise ImageError("the DICOM file is damaged or cannot be read; export it again") from error


def _check_header(dataset: pydicom.Dataset) -> None:
    modality = str(dataset.get("Modality") or "").strip().upper()
    if modality not in _MODALITIES:
        raise ImageError(f"the DICOM file is of type {modality[:16]!r}; expected an X-ray (CR, DX or RG)")
    if "PixelData" not in dataset or not dataset.PixelData:
        raise ImageError("the DICOM file holds no image; export the film with its pixels")
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames > 1:
        raise ImageError(f"the DICOM file holds {frames:,} images; export the one film to read")
    check_size(int(dataset.Columns), int(dataset.Rows))
    if dataset.get("HighBit", dataset.BitsStored - 1) != dataset.BitsStored - 1:
        raise ImageError(
            "the DICOM file keeps its pixels in the upper bits, as is no longer done; export it again"
        )


def _check_pixel_data(dataset: pydicom.Dataset) -> None:
    """Raises ImageError unless the pixels, compressed or not, are as many as Rows and Columns say."""
    syntax = _transfer_syntax(dataset)
    if syntax == RLELossless:
        return  # pydicom compares the sizes itself
    if syntax.is_compressed:
        frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
        if frame.startswith(_JP2_BOX):  # not allowed in DICOM, and pydicom loops for ever on a bad box
            frame = frame[frame.index(_JPEG2000_START) :]
            dataset.PixelData = encapsulate([frame])
        mismatch = _codestream_size(frame) != (dataset.Columns, dataset.Rows)
    else:
        row = dataset.Columns * dataset.SamplesPerPixel * dataset.BitsAllocated // 8
        # Padding at the end is common, but not a whole row of it.
        mismatch = len(dataset.PixelData) >= row * (dataset.Rows + 1)
    if mismatch:
        raise ImageError("the DICOM file's image size does not match its pixels; export it again")


def _transfer_syntax(dataset: pydicom.Dataset) -> UID:
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, _ = dataset.original_encoding
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    return dataset.file_meta.TransferSyntaxUID


def _codestream_size(frame: bytes) -> tuple[int, int]:
    """Width and height (px) stated in a JPEG, JPEG-LS or JPEG 2000 frame."""
    if frame.startswith(_JPEG2000_START):  # the SIZ segment has the far corner, then the offset
        right, bottom, left, top = struct.unpack_from(">4I", frame, 8)
        return right - left, bottom - top
    if not frame.startswith(b"\xff\xd8"):
        raise ValueError("neither JPEG nor JPEG 2000")
    position = 2
    while True:
        marker, length = struct.unpack_from(">HH", frame, position)
        is_frame_header = 0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC)
        if is_frame_header or marker == 0xFFF7:
            height, width = struct.unpack_from(">HH", frame, position + 5)
            return width, height
        position += 2 + length


def _render_grey(dataset: pydicom.Dataset) -> np.ndarray:
    stored = dataset.pixel_array
    image = _window(_rescale(stored, dataset), dataset, ~_padding(stored, dataset))
    # Both tags state the same inversion: a file with both is inverted once, and after the window.
    shape = str(dataset.get("PresentationLUTShape") or "").strip().upper()
    if dataset.PhotometricInterpretation == "MONOCHROME1" or shape == "INVERSE":
        image = 255 - image
    image[_padding(stored, dataset)] = 0
    return image


def _padding(stored: np.ndarray, dataset: pydicom.Dataset) -> np.ndarray:
    """Mask (H, W) of the pixels outside the exposed field, which the file fills with a value or a range."""
    first = dataset.get("PixelPaddingValue")
    if first is None:
        return np.zeros(stored.shape, bool)
    last = dataset.get("PixelPaddingRangeLimit", first)
    mask: np.ndarray = (stored >= min(first, last)) & (stored <= max(first, last))
    return mask


def _rescale(stored: np.ndarray, dataset: pydicom.Dataset) -> np.ndarray:
    if dataset.get("ModalityLUTSequence"):
        looked_up: np.ndarray = apply_modality_lut(stored, dataset)
        return looked_up
    if dataset.get("RescaleSlope") is None or dataset.get("RescaleIntercept") is None:
        return stored
    slope, intercept = float(dataset.RescaleSlope), float(dataset.RescaleIntercept)
    ends = [slope * int(end) + intercept for end in (stored.min(), stored.max())]
    if not all(abs(value) < _FAR for value in (slope, intercept, *ends)):  # refuses NaN too
        raise ImageError(
            f"the DICOM file's rescale slope {slope:g} and intercept {intercept:g} give no usable values; "
            "export it again"
        )
    values: np.ndarray = stored.astype(np.float32)
    values *= slope
    values += intercept
    return values


def _window(values: np.ndarray, dataset: pydicom.Dataset, exposed: np.ndarray) -> np.ndarray:
    """Modality values (H, W) to uint8: by the file's VOI LUT, else its first window, else the middle 99 %.

    Percentiles and not the extremes: a burnt-in marker or a dead pixel would take the contrast of all others.
    A window that makes the image a single grey was meant for other values, and is ignored.
    """
    if dataset.get("VOILUTSequence"):
        return to_uint8(apply_voi(np.rint(values).astype(np.int32), dataset))
    center, width = _first(dataset.get("WindowCenter")), _first(dataset.get("WindowWidth"))
    kind = str(dataset.get("VOILUTFunction") or "LINEAR").strip().upper()
    if center is not None and width is not None and width > (1 if kind == "LINEAR" else _NARROWEST):
        image = _apply_window(values, center, width, kind)
        if image.min() < image.max():
            return image
    inside = values[exposed] if exposed.any() else values
    low, high = np.percentile(inside, (0.5, 99.5))
    return _apply_window(values, (low + high) / 2, max(high - low, _NARROWEST), "LINEAR_EXACT")


def _first(number: object) -> float | None:
    """The first of one or several decimal strings; None if there is none or no detector could mean it."""
    values = list(number) if isinstance(number, pydicom.multival.MultiValue) else [number]
    first = float(str(values[0])) if values and values[0] not in (None, "") else math.nan
    return first if abs(first) < _FAR else None


def _apply_window(values: np.ndarray, center: float, width: float, kind: str) -> np.ndarray:
    """DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3, onto uint8 0-255."""
    if kind == "LINEAR":
        center, width = center - 0.5, width - 1
    image = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), STRIP):
        rows = slice(top, top + STRIP)
        scaled = (values[rows].astype(np.float32) - center) / width
        if kind == "SIGMOID":
            scaled = 1 / (1 + np.exp(-4 * np.clip(scaled, -10, 10)))
        else:
            scaled = np.clip(scaled + 0.5, 0, 1)
        image[rows] = np.rint(scaled * 255)
    return image


def _render_colour(dataset: pydicom.Dataset) -> np.ndarray:
    """Photographed or secondary-capture films: RGB, YBR (pydicom makes it RGB) or a palette, made grey."""
    pixels = dataset.pixel_array
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, dataset)
    return cv2.cvtColor(to_uint8(pixels), cv2.COLOR_RGB2GRAY)
