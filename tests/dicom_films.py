"""DICOM radiographs built tag by tag, for tests of every module that reads them."""

import io
import struct

import numpy as np
import pydicom
import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian

from xlite.errors import ImageError
from xlite.images import read_image

RAMP = np.linspace(0, 4095, 48 * 64).round().astype(np.uint16).reshape(48, 64)
GREYS = np.rint(RAMP / 4095 * 255)
FULL_WINDOW = {"WindowCenter": 2048, "WindowWidth": 4096}
DAMAGED = "DICOM file is damaged"
MISMATCH = "size does not match its pixels"


def make(pixels: np.ndarray = RAMP, bits: int = 12, **tags: object) -> Dataset:
    """A computed radiograph, MONOCHROME2, uncompressed; `tags` are set on top."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = ComputedRadiographyImageStorage
    dataset.SOPInstanceUID = "1.2.3"
    dataset.Modality = "CR"
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = pixels.dtype.itemsize * 8
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PixelData = pixels.tobytes()
    for name, value in tags.items():
        setattr(dataset, name, value)
    return dataset


def to_bytes(dataset: Dataset) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def read(*args: object, **tags: object) -> np.ndarray:
    return read_image(to_bytes(make(*args, **tags)))


def to_bytes_with(**texts: str) -> bytes:
    """A film with decimal strings that pydicom itself would not write."""
    with pydicom.config.disable_value_validation():
        return to_bytes(make(**texts))


def refusal(source: bytes | Dataset) -> str:
    with pytest.raises(ImageError) as caught:
        read_image(source if isinstance(source, bytes) else to_bytes(source))
    return str(caught.value)


def lut(first: int, values: list[int], bits: int, packed: bool = False) -> list[Dataset]:
    """A sequence with one table: words as US, or bytes packed two to a word as OW."""
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(values), first, bits])
    if packed:
        item.add_new("LUTData", "OW", bytes(values) + bytes(len(values) % 2))
    else:
        item.add_new("LUTData", "US", values)
    return [item]


def element(keyword: str, vr: str, value: bytes) -> bytes:
    """An element in explicit little endian, with whatever a writer may have put into it."""
    tag = tag_for_keyword(keyword) or 0
    start = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    if vr in ("OB", "OW", "SQ", "UN"):
        return start + struct.pack("<HI", 0, len(value)) + value
    return start + struct.pack("<H", len(value)) + value


def with_element(data: bytes, keyword: str, vr: str, value: bytes | None) -> bytes:
    """The file with one element of the header written anew before the pixels, or taken out (None)."""
    tag = tag_for_keyword(keyword) or 0
    header = pydicom.dcmread(io.BytesIO(data), specific_tags=[keyword])
    if keyword in header:
        old = header.get_item(keyword)
        start = data.index(struct.pack("<HH", tag >> 16, tag & 0xFFFF) + old.VR.encode())
        data = data[:start] + data[start + 8 + old.length :]
    if value is None:
        return data
    pixels = data.index(b"\xe0\x7f\x10\x00")
    return data[:pixels] + element(keyword, vr, value) + data[pixels:]


def compressed(frame: bytes, syntax: str, shape: tuple[int, int] = (64, 64), **tags: object) -> bytes:
    """A grey film of 8 bits whose pixels are `frame`, of any transfer syntax."""
    dataset = make(np.zeros((64, 64), np.uint8), 8, PixelData=encapsulate([frame]))
    dataset.Rows, dataset.Columns = shape
    for name, value in tags.items():
        setattr(dataset, name, value)
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset["PixelData"].is_undefined_length = True
    return to_bytes(dataset)


def within_one(film: np.ndarray, expected: np.ndarray) -> None:
    assert film.dtype == np.uint8
    assert np.abs(film.astype(float) - expected).max() <= 1
