"""Look-up tables: modality, VOI and palette (PS3.3 C.11.1.1, C.11.2.1.1 and C.7.6.3.1.5)."""

from dataclasses import dataclass

import numpy as np
import pydicom

from xlite.formats.dicom.attributes import raw, unfit, words

_SMALL = 12  # bits that tables declared 16 bits deep often have: the width of the words was written instead


@dataclass(frozen=True)
class LookUpTable:
    """Entries for inputs from `first` on; those below and above take the entry at the end.

    entries: uint16, or int32 if some are below zero; bits: how deep they are, whatever entries a film meets.
    """

    first: int
    entries: np.ndarray
    bits: int

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the largest entry that the depth allows."""
        least = -(2 ** (self.bits - 1)) if self.entries.dtype.kind == "i" else 0
        return least, least + 2**self.bits - 1

    @property
    def top(self) -> int:
        """The largest entry that the depth allows: the white of this table."""
        return self.limits[1]

    def at(self, values: np.ndarray) -> np.ndarray:
        """The entries for values of any shape, which are rounded to whole numbers."""
        places = np.rint(values).astype(np.int64) - self.first
        found: np.ndarray = self.entries[np.clip(places, 0, len(self.entries) - 1)]
        return found


def read_table(
    item: pydicom.Dataset,
    descriptor: str,
    data: str,
    inputs: tuple[float, float],
    *,
    may_be_signed: bool = False,
) -> LookUpTable:
    """A table from its descriptor and data, named by their keywords; inputs: the least and largest possible.

    Its depth is the one declared, unless the entries need more, or 16 bits are declared and all fit in 12. It
    has as many entries as there are data, whatever the descriptor says.
    may_be_signed: whether data of VR SS are signed; else all are unsigned. Raises ImageError, which names the
    attribute.
    """
    stated = words(item, descriptor)
    if len(stated) < 3:
        raise unfit(descriptor, "is missing or incomplete")
    # A length of 0 stands for 65,536; whether the first input is signed follows from what can come in.
    count = stated[0] % 2**16 or 2**16
    entries, packed = _entries(item, data, count)
    element = raw(item, data)
    if may_be_signed and element and element.VR == "SS" and int(entries.max()) >= 2**15:
        entries = entries.view(np.int16).astype(np.int32)
    first = _signed_first(stated[1], len(entries), inputs)
    return LookUpTable(first, entries, _depth(stated[2] % 2**16, entries, packed))


def _entries(item: pydicom.Dataset, keyword: str, count: int) -> tuple[np.ndarray, bool]:
    """Entries uint16, and whether they were packed two to a word, as those of 8 bits may be."""
    element = raw(item, keyword)
    if element is None:
        raise unfit(keyword, "is missing")
    value = element.value or b""
    found = np.frombuffer(value[: len(value) // 2 * 2], "<u2" if element.is_little_endian else ">u2")
    if len(found) == (count + 1) // 2 and count > 1:
        return found.astype("<u2").view(np.uint8)[:count].astype(np.uint16), True
    if not len(found):
        raise unfit(keyword, "is missing")
    return found[: 2**16].astype(np.uint16), False


def _signed_first(word: int, count: int, inputs: tuple[float, float]) -> int:
    """The first input, read as signed if more of the inputs then meet the table.

    Its VR says US or SS, but is lost with implicit VR and wrong if a rescale makes values negative.
    """
    unsigned = word % 2**16
    signed = unsigned - 2**16 if unsigned >= 2**15 else unsigned

    def met(first: int) -> float:
        return min(inputs[1], first + count - 1) - max(inputs[0], first)

    # Both readings may lie within the inputs; if these go below zero, the word is one of signed values.
    is_signed = met(signed) > met(unsigned) or (met(signed) == met(unsigned) and inputs[0] < 0)
    return signed if word < 0 or is_signed else unsigned


def _depth(declared: int, entries: np.ndarray, packed: bool) -> int:
    if packed:
        return 8
    signed = entries.dtype.kind == "i"
    needed = max(8, int(np.where(entries < 0, ~entries, entries).max()).bit_length() + signed)
    if not needed <= declared <= 16 or (declared == 16 and needed <= _SMALL):
        return needed
    return declared
