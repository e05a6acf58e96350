"""The elements of a DICOM file that a film needs, found in bounded time: pydicom sets no limit of its own."""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_sequence_item
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from xlite.errors import ImageError
from xlite.formats.dicom.attributes import find

MAX_READS = 20_000  # a film has some 300 elements, each of two or three reads, of some 20 us each
_MAX_VALUE = 2**20  # bytes; the largest value that a film's header needs is a look-up table of 128 KB
_MAX_CHARACTER_SET = 8  # bytes; pydicom looks up each of its names, and no number or code needs one
_CHARACTER_SETS = (b"\x08\x00\x05\x00", b"\x00\x08\x00\x05")  # the tag in both byte orders
_UNDEFINED = 0xFFFFFFFF
_NATIVE = {ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian}
_PALETTE = [
    f"{kind}{colour}PaletteColorLookupTable{part}"
    for colour in ("Red", "Green", "Blue")
    for kind, part in (("", "Descriptor"), ("", "Data"), ("Segmented", "Data"))
]
_KEYWORDS = [
    *("Modality", "NumberOfFrames", "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation"),
    *("PlanarConfiguration", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    *(
        "PixelPaddingValue",
        "PixelPaddingRangeLimit",
        "ModalityLUTSequence",
        "RescaleSlope",
        "RescaleIntercept",
    ),
    *("VOILUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction", "PresentationLUTShape", *_PALETTE),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
]
# Where an enhanced film has what others have in their header (PS3.3 C.7.6.16.2.9 and C.7.6.16.2.10).
_IN_GROUPS = {
    "PixelValueTransformationSequence": ("RescaleSlope", "RescaleIntercept"),
    "FrameVOILUTSequence": ("VOILUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction"),
}
# What pydicom raises on damaged files.
_BROKEN = (
    InvalidDicomError, BytesLengthException, ValueError, TypeError, AttributeError, LookupError, RuntimeError,
    EOFError, OSError, ArithmeticError, NotImplementedError, struct.error,
)  # fmt: skip
DAMAGED = "the DICOM file is damaged or cannot be read; export it again"


@dataclass(frozen=True)
class Film:
    """The header of a film, and its Pixel Data where it lies in the file."""

    header: pydicom.Dataset
    syntax: str
    pixel_vr: str
    pixel_data: memoryview
    encapsulated: bool


class _Reader(io.BytesIO):
    """Bytes that may be read in so many pieces: then they end, and `spent` says so."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._left, self._tag = MAX_READS, b""

    @property
    def spent(self) -> bool:
        return self._left < 0

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes; none if this is more than a film's header needs."""
        self._left -= 1
        if size is None or size < 0:  # pydicom reads all only to inflate it, without a limit
            raise ImageError(
                "the DICOM file is deflated as a whole (Transfer Syntax UID); "
                "export it uncompressed or as JPEG 2000"
            )
        if self.spent:
            return b""
        too_long = size > (_MAX_CHARACTER_SET if self._tag in _CHARACTER_SETS else _MAX_VALUE)
        if too_long:
            self.seek(size, io.SEEK_CUR)
            return b""
        piece = super().read(size)
        if size == 8:
            self._tag = piece[:4]
        return piece


def parse(data: bytes) -> Film:
    """The film in the bytes of a DICOM file; nothing is decoded yet. Raises ImageError."""
    reader = _Reader(data)
    try:
        header = pydicom.dcmread(reader, stop_before_pixels=True, force=True, specific_tags=_KEYWORDS)
        stated = str(header.file_meta.get("TransferSyntaxUID") or "")
    except _BROKEN as error:
        raise ImageError(_too_many() if reader.spent else DAMAGED) from error
    if reader.spent:
        raise ImageError(_too_many())
    _take_from_groups(header)
    start = reader.tell()
    order = ">" if data[start : start + 2] == b"\x7f\xe0" else "<"
    if len(data) < start + 12 or struct.unpack_from(f"{order}HH", data, start) != (0x7FE0, 0x0010):
        raise ImageError("the DICOM file holds no image (Pixel Data); export the film with its pixels")
    vr = data[start + 4 : start + 6].decode("latin-1")
    explicit = vr in ("OB", "OW", "UN")  # as a length these letters would be odd, which none is
    length = struct.unpack_from(f"{order}I", data, start + (8 if explicit else 4))[0]
    start += 12 if explicit else 8
    value = memoryview(data)[start:] if length == _UNDEFINED else memoryview(data)[start : start + length]
    if not value:
        raise ImageError("the DICOM file holds no image (Pixel Data); export the film with its pixels")
    implied = ExplicitVRLittleEndian if explicit else ImplicitVRLittleEndian
    syntax = stated or (ExplicitVRBigEndian if order == ">" else implied)
    return Film(header, syntax, vr, value, length == _UNDEFINED or syntax not in _NATIVE)


def _take_from_groups(header: pydicom.Dataset) -> None:
    """Adds to a header what functional groups say of the one frame, or of all, unless it says so itself."""
    for sequence, keywords in _IN_GROUPS.items():
        for group in ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"):
            frame = next(items(header, group), None)
            item = frame and next(items(frame, sequence), None)
            if item is None or any(_is_stated(header, keyword) for keyword in keywords):
                continue
            for keyword in keywords:
                if (element := find(item, keyword)) is not None:
                    header[element.tag] = element


def _is_stated(header: pydicom.Dataset, keyword: str) -> bool:
    element = find(header, keyword)
    return element is not None and bool(element.value)


def items(header: pydicom.Dataset, keyword: str) -> Iterator[pydicom.Dataset]:
    """The items of a sequence, each read when it is asked for; none if it is missing. Raises ImageError."""
    element = find(header, keyword)
    if element is None or not element.value:
        return
    if not isinstance(element, RawDataElement):  # of undefined length: parsed with the file
        yield from (item for item in element.value if isinstance(item, pydicom.Dataset))
        return
    reader = _Reader(element.value)
    implicit = element.is_implicit_VR or element.VR == "UN"
    while reader.tell() < len(element.value):
        try:
            item = read_sequence_item(reader, implicit, element.is_little_endian, "iso8859", 0)
        except _BROKEN as error:
            raise ImageError(_too_many() if reader.spent else DAMAGED) from error
        if reader.spent:
            raise ImageError(_too_many())
        if item is None:  # the end of the sequence
            return
        yield item


def _too_many() -> str:
    return f"the DICOM file has more than {MAX_READS // 2:,} elements, as no film has; export it again"
