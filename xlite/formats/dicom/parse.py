"""The elements of a DICOM file that a film needs, found in bounded time: pydicom sets no limit of its own."""

import io
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pydicom
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_sequence_item
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from xlite.errors import ImageError
from xlite.formats.dicom.attributes import find

MAX_READS = 20_000  # a film has some 300 elements, each of two or three reads, of some 20 us each
_MAX_VALUE = 2**20  # bytes; the largest value that a film's header needs is a look-up table of 128 KB
# Specific Character Set, in both byte orders: no number or code needs it, and pydicom looks up each of its
# names and warns of those it does not know. It also warns of a Transfer Syntax UID that is none. Both with
# what stands there, which in a broken file may be a person's name.
_CHARACTER_SETS = (b"\x08\x00\x05\x00", b"\x00\x08\x00\x05")
_SYNTAX, _UID = b"\x02\x00\x10\x00", re.compile(rb"[0-2](\.(0|[1-9]\d*)){3,}[\0 ]*")
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
    *("VOILUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction", "WindowCenterWidthExplanation"),
    *("PresentationLUTShape", *_PALETTE),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
]
# Overlay Bit Position of each group that an overlay may have: which bit above the pixel's own it lies in.
# Where an enhanced film has what others have in their header (PS3.3 C.7.6.16.2.9 and C.7.6.16.2.10).
_IN_GROUPS = {
    "PixelValueTransformationSequence": ("RescaleSlope", "RescaleIntercept"),
    "FrameVOILUTSequence": (
        "VOILUTSequence",
        "WindowCenter",
        "WindowWidth",
        "VOILUTFunction",
        "WindowCenterWidthExplanation",
    ),
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
        self._left = MAX_READS
        self.character_set = b""  # the file's, which is withheld below
        self._start = b""  # of the element whose value comes next: tag, and VR and length

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
        if size > _MAX_VALUE:
            self.seek(size, io.SEEK_CUR)
            return b""
        piece, start, self._start = super().read(size), self._start, b""
        if size == 8 and _is_empty(start):  # this is the start of the next element
            start = b""
        if start[4:6].isalpha() and start[6:] == b"\0\0" and size == 4:  # a length
            self._start = start[:4]
        elif start[:4] in _CHARACTER_SETS:
            self.character_set = self.character_set or piece
            return b""
        elif start[:4] == _SYNTAX and not _UID.fullmatch(piece):
            return b""
        elif size == 8:
            self._start = piece
        return piece

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes to another place; what is read there is not the value of the element before."""
        self._start = b""
        return super().seek(offset, whence)


def _is_empty(start: bytes) -> bool:
    """Whether an element that begins so has no value: tag, VR and length, or tag and length."""
    return start[4:] == bytes(4) or (start[4:6].isalpha() and start[6:] == bytes(2))


def parse(data: bytes) -> Film:
    """The film in the bytes of a DICOM file; nothing is decoded yet. Raises ImageError."""
    reader = _Reader(data)
    known = (tag_for_keyword(keyword) for keyword in _KEYWORDS)
    wanted = [tag for tag in known if tag is not None]
    try:
        header = pydicom.dcmread(reader, stop_before_pixels=True, force=True, specific_tags=wanted)
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


def read_elements(data: bytes, keywords: Iterable[str]) -> tuple[pydicom.Dataset, bytes]:
    """Those elements of a DICOM file's header, as they lie there, and its Specific Character Set.

    Raises ImageError.
    """
    reader = _Reader(data)
    wanted = [tag for keyword in keywords if (tag := tag_for_keyword(keyword)) is not None]
    try:
        header = pydicom.dcmread(reader, stop_before_pixels=True, force=True, specific_tags=wanted)
    except _BROKEN as error:
        raise ImageError(_too_many() if reader.spent else DAMAGED) from error
    if reader.spent:
        raise ImageError(_too_many())
    return header, reader.character_set


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
