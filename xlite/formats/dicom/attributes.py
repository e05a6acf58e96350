"""Attributes of a DICOM header, read leniently: by their first value, and by what writers do to it.

Raw values are taken, as pydicom refuses a decimal comma, a word or a blank where a number belongs.
"""

import math
import re

import numpy as np
import pydicom
from pydicom.datadict import dictionary_description, dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement

from xlite.errors import ImageError

_FAR = 1e9  # no detector gives a number beyond it, and float32 would be too coarse for one
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
_TEXTS = {"DS", "IS", "CS", "LO", "SH", "LT", "ST", "UT"}
_FORMATS = {"UL": "u4", "SL": "i4", "FL": "f4", "FD": "f8", "SS": "i2"}
_MOST_TEXT, _LONGEST_TITLE = 1024, 64  # bytes of all values of a text; signs of a title (VR LO)
_MOST = 128 * 2**10  # bytes; more than any value that is read as numbers


def find(header: pydicom.Dataset, keyword: str) -> RawDataElement | DataElement | None:
    """The element as it was parsed; pydicom's own `get_item` converts an empty one, which can fail."""
    tag = tag_for_keyword(keyword)
    return next((element for element in header.values() if element.tag == tag), None)


def raw(header: pydicom.Dataset, keyword: str) -> RawDataElement | None:
    """The element as it lies in the file; None if it is missing or empty."""
    element = find(header, keyword)
    return element if isinstance(element, RawDataElement) and element.value else None


def _vr(element: RawDataElement) -> str:
    """The value representation: as the file says, or by the dictionary if it does not."""
    return element.VR if element.VR and element.VR != "UN" else dictionary_VR(element.tag)


def text(header: pydicom.Dataset, keyword: str) -> str:
    """The first value, in upper case and without blanks around it; empty if there is none."""
    return next(iter(_values(header, keyword)), "").upper()


def titles(header: pydicom.Dataset, keyword: str) -> list[str]:
    """All values of a text that people read, without what does not print; UTF-8, else Latin-1."""
    element = raw(header, keyword)
    value = (element.value or b"")[:_MOST_TEXT] if element else b""
    try:
        written = value.decode("utf-8")
    except UnicodeDecodeError:
        written = value.decode("latin-1")
    return ["".join(filter(str.isprintable, part)).strip()[:_LONGEST_TITLE] for part in written.split("\\")]


def decimal(header: pydicom.Dataset, keyword: str) -> float | None:
    """The first number of a value, which may be written with a decimal comma; None if there is none.

    NaN and infinities are numbers here: who asks decides what they mean.
    """
    return next(iter(decimals(header, keyword)), None)


def decimals(header: pydicom.Dataset, keyword: str) -> list[float | None]:
    """All numbers of a value, as `decimal` reads the first."""
    element = raw(header, keyword)
    if element is None:
        return []
    if _vr(element) not in _TEXTS:
        return [float(number) for number in words(header, keyword)] or [math.nan]
    return [_number(written) for written in _values(header, keyword)]


def _number(written: str) -> float | None:
    written = written.replace(",", ".")
    if written.lstrip("+-").lower() in {"nan", "inf", "infinity"}:
        return float(written)
    found = _NUMBER.match(written)
    return float(found[0]) if found else None


def usable(number: float | None) -> float | None:
    """The number; None if no detector could mean it."""
    return number if number is not None and abs(number) < _FAR else None


def words(header: pydicom.Dataset, keyword: str) -> list[int]:
    """All values of a binary attribute; those of 16 bits are unsigned unless the file says SS."""
    element = raw(header, keyword)
    if element is None:
        return []
    order = "<" if element.is_little_endian else ">"
    kind = np.dtype(order + _FORMATS.get(_vr(element), "u2"))
    value = (element.value or b"")[:_MOST]
    found: list[int] = np.frombuffer(value[: len(value) // kind.itemsize * kind.itemsize], kind).tolist()
    return found


def whole(header: pydicom.Dataset, keyword: str, default: int | None = None) -> int:
    """The first value as a whole number, binary or written; without one, the default or an ImageError."""
    element = raw(header, keyword)
    if element is not None and _vr(element) in _TEXTS:
        number = decimal(header, keyword)
        found = None if number is None or not math.isfinite(number) else int(number)
    else:
        found = next(iter(words(header, keyword)), None)
    if found is None and default is None:
        raise unfit(keyword, "is missing")
    return default if found is None else int(found)  # type: ignore[return-value]


def unfit(keyword: str, why: str) -> ImageError:
    """The error that names an attribute as the dictionary does, such as "Bits Allocated"."""
    return ImageError(f"the DICOM file's {dictionary_description(keyword)} {why}; export it again")


def _values(header: pydicom.Dataset, keyword: str) -> list[str]:
    """The values of a text, without blanks around them."""
    element = raw(header, keyword)
    value = (element.value or b"")[:_MOST_TEXT].decode("latin-1") if element else ""
    return [part.strip(" \t\r\n\0") for part in value.split("\\")]
