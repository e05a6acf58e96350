"""What a film's DICOM file says of whose it is and where it belongs: what its results have to repeat."""

import re
from codecs import lookup
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO

import pydicom
from pydicom.charset import decode_bytes, python_encoding
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
)

from xlite.errors import ImageError
from xlite.formats.dicom.attributes import raw
from xlite.formats.dicom.parse import read_elements

MANUFACTURER = "X-Lite"
"""By this X-Lite knows what it made itself."""
FILM_CLASSES = (ComputedRadiographyImageStorage, DigitalXRayImageStorageForPresentation)
"""The SOP classes of films: CR, and DX for presentation."""
TYPE_2 = {
    "PatientName": "PN",
    "PatientID": "LO",
    "PatientBirthDate": "DA",
    "PatientSex": "CS",
    "StudyDate": "DA",
    "StudyTime": "TM",
    "StudyID": "SH",
    "AccessionNumber": "SH",
    "ReferringPhysicianName": "PN",
}
"""What every object has to have, empty if it is not known."""
TYPE_3 = {"IssuerOfPatientID": "LO", "PatientAge": "AS", "StudyDescription": "LO"}
"""What is repeated if it is known."""
_UIDS = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_LONGEST_UID = 64
_FORMS = {
    "DA": re.compile(r"\d{8}"),
    "TM": re.compile(r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?"),
    "CS": re.compile(r"[MFO]"),  # the only coded one is the sex
    "AS": re.compile(r"\d{3}[DWMY]"),
}
_ESCAPE, _PN_DELIMITERS = b"\x1b", {0x5C, 0x5E, 0x3D}  # what ends a code extension within a value


@dataclass(frozen=True)
class Source:
    """A film's identifiers, and what its file says of patient and study: text by keyword, "" if not known.

    What of TYPE_3 is not known is left out.
    """

    sop_class: str
    sop: str
    study: str
    series: str
    identity: Mapping[str, str] = field(repr=False)  # a person's: it belongs into no log
    is_own: bool = False


def read_source(data: bytes) -> Source:
    """The source in the bytes of a DICOM file, whose pixels are not looked at. Raises ImageError.

    Values that are not dates, times or sexes count as not known; pydicom would warn of each with what stands
    there.
    """
    known = {**TYPE_2, **TYPE_3}
    header, character_set = read_elements(data, (*_UIDS, *known, "Manufacturer"))
    encodings = _encodings(character_set)

    def text(keyword: str, vr: str) -> str:
        element = raw(header, keyword)
        value = "" if element is None else _decoded(element.value or b"", vr, encodings)
        return value if vr not in _FORMS or _FORMS[vr].fullmatch(value) else ""

    sop_class, sop, study, series = (_uid(header, keyword) for keyword in _UIDS)
    identity = {keyword: text(keyword, vr) for keyword, vr in known.items()}
    return Source(
        sop_class,
        sop,
        study,
        series,
        {keyword: value for keyword, value in identity.items() if value or keyword in TYPE_2},
        text("Manufacturer", "LO") == MANUFACTURER,
    )


def _uid(header: pydicom.Dataset, keyword: str) -> str:
    element = raw(header, keyword)
    value = (element.value or b"").rstrip(b"\0 ").decode("latin-1") if element is not None else ""
    if not _UID.fullmatch(value) or len(value) > _LONGEST_UID:
        words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=SOP)", " ", keyword)
        raise ImageError(f"the DICOM file has no {words} that can be used, so no result can refer to it")
    return value


def _encodings(character_set: bytes) -> list[str]:
    """Python's names of the encodings that a file states; none if it states none that is known."""
    named = [name.strip() for name in character_set.rstrip(b"\0").decode("latin-1").split("\\")]
    return [python_encoding[name] for name in named if name in python_encoding] if any(named) else []


def _decoded(value: bytes, vr: str, encodings: Sequence[str]) -> str:
    """The first value of a text, without what does not print; what is stated wrongly is UTF-8 or Latin-1."""
    text = _as_stated(value, encodings)
    if text is None:
        try:
            text = value.decode("utf-8")
        except UnicodeDecodeError:
            text = value.decode("latin-1")
    first = text.split("\\")[0]
    return "".join(filter(str.isprintable, first)).strip()


def _as_stated(value: bytes, encodings: Sequence[str]) -> str | None:
    """A value by the encodings that the file states; None if there are none, or they do not fit."""
    if not encodings:
        return None
    if _ESCAPE in value and len(encodings) > 1:
        return decode_bytes(value, list(encodings), _PN_DELIMITERS)
    try:
        return value.decode(lookup(encodings[0]).name)
    except UnicodeDecodeError:
        return None


def to_bytes(dataset: pydicom.Dataset) -> bytes:
    """An object as the bytes of a DICOM file."""
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
