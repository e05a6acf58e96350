"""Headers that cost time: counted, not parsed. Each file here took half a minute or more."""

import struct
import time

import numpy as np
import pytest
from dicom_films import FULL_WINDOW, GREYS, element, make, read, refusal, to_bytes, within_one
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from xlite.errors import ImageError
from xlite.images import read_image

FILM = to_bytes(make(**FULL_WINDOW))
PIXELS = FILM.index(b"\xe0\x7f\x10\x00")
ITEM, UNDEFINED, END = b"\xfe\xff\x00\xe0", b"\xff" * 4, b"\xfe\xff\xdd\xe0" + bytes(4)
EMPTY = struct.pack("<HH2sH", 0x0029, 0x1010, b"LO", 0)
MANY = 1_000_000


def with_bytes(inserted: bytes, at: int = PIXELS) -> bytes:
    return FILM[:at] + inserted + FILM[at:]


def sequence(tag: int, content: bytes) -> tuple[bytes, bytes]:
    """A sequence of undefined length, and one whose length is stated."""
    start = struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, b"SQ", 0)
    return start + UNDEFINED + content + END, start + struct.pack("<I", len(content)) + content


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "data",
    [
        with_bytes(EMPTY * MANY),
        with_bytes(struct.pack("<HH2sH", 2, 0x0016, b"AE", 0) * MANY, FILM.index(b"\x02\x00\x10\x00UI")),
        with_bytes(sequence(0x00291010, (ITEM + bytes(4)) * MANY)[0]),
        with_bytes(sequence(0x00283010, (ITEM + bytes(4)) * MANY)[0]),
        with_bytes(sequence(0x00283010, ITEM + UNDEFINED + EMPTY * MANY)[0]),
        with_bytes(sequence(0x00283010, ITEM + struct.pack("<I", 800_000) + EMPTY * 100_000)[1]),
    ],
    ids=["elements", "meta", "items", "VOI items", "elements of an item", "elements parsed later"],
)
def test_more_elements_than_a_film_has_are_refused(data: bytes) -> None:
    before = time.process_time()
    assert "more than 10,000 elements" in refusal(data)
    assert time.process_time() - before < 2


@pytest.mark.timeout(60)
def test_long_values_that_no_film_needs_cost_nothing() -> None:
    names = b"a\\" * MANY
    charset = struct.pack("<HH2sHI", 0x0008, 0x0005, b"UN", 0, len(names)) + names
    sets = ITEM + struct.pack("<I", 258) + struct.pack("<HH2sH", 0x0008, 0x0005, b"CS", 250) + names[:250]
    before = time.process_time()
    for inserted in (
        element("PatientName", "UN", names),
        sequence(0x00291010, (ITEM + bytes(4)) * MANY)[1],
        sequence(0x00291010, sets * 1000)[0],
    ):
        within_one(read_image(with_bytes(inserted)), GREYS)
    within_one(read_image(with_bytes(charset, FILM.index(b"\x08\x00\x16\x00UI"))), GREYS)
    long_window = with_bytes(element("WindowCenter", "UN", names))
    np.testing.assert_array_equal(read_image(long_window), read(WindowWidth=4096))
    assert time.process_time() - before < 3


@pytest.mark.timeout(60)
def test_items_in_items_without_end_are_refused() -> None:
    start = struct.pack("<HH2sH", 0x0028, 0x3010, b"SQ", 0) + UNDEFINED
    with pytest.raises(ImageError):
        read_image(with_bytes((start + ITEM + UNDEFINED) * MANY))


def test_a_film_with_private_sequences_of_a_workstation_is_read() -> None:
    item = ITEM + UNDEFINED + EMPTY * 20 + b"\xfe\xff\x0d\xe0" + bytes(4)
    for whole in sequence(0x00291010, item * 50):
        within_one(read_image(with_bytes(whole)), GREYS)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_an_empty_character_set_hides_nothing_of_what_follows(syntax: str) -> None:
    film = make(SpecificCharacterSet="", **FULL_WINDOW)
    film.file_meta.TransferSyntaxUID = syntax
    np.testing.assert_array_equal(read_image(to_bytes(film)), read_image(FILM))
