"""What is read of patient and study from a film's file, whatever its writer made of it."""

import pytest
from dicom_films import with_element
from pacs_films import CR, SERIES, SOP, STUDY, UIDS, film

from xlite.errors import ImageError
from xlite.pacs.source import TYPE_2, read_source


def test_what_every_object_needs_is_there_though_the_film_says_nothing() -> None:
    source = read_source(film())
    assert (source.sop_class, source.sop, source.study, source.series) == (CR, SOP, STUDY, SERIES)
    assert source.identity == dict.fromkeys(TYPE_2, "") and not source.is_own


def test_what_the_film_says_is_kept() -> None:
    said = {
        "PatientName": "Muster^Anna",
        "PatientID": "0042",
        "PatientBirthDate": "19600102",
        "PatientSex": "F",
        "StudyDate": "20260304",
        "StudyTime": "050607.12",
        "StudyID": "S 1",
        "AccessionNumber": "A/17",
        "ReferringPhysicianName": "Haus^G",
        "PatientAge": "066Y",
        "StudyDescription": "Chest, PA",
    }
    assert read_source(film(**said)).identity == said


@pytest.mark.parametrize(
    ("character_set", "raw", "expected"),
    [
        (b"ISO_IR 100", "Müller^Jörg".encode("latin-1"), "Müller^Jörg"),
        (b"ISO_IR 192", "Müller^Jörg".encode(), "Müller^Jörg"),
        (b"ISO_IR 144", "Люкceмбypг".encode("iso8859_5"), "Люкceмбypг"),
        (b"\\ISO 2022 IR 87", b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", "Yamada^Tarou=山田^太郎"),
        (b"ISO_IR 192", "Müller".encode("latin-1"), "Müller"),  # stated wrongly
        (b"", "Müller".encode(), "Müller"),  # not stated
        (b"PATIENT NAME", b"Doe^J", "Doe^J"),
        (b"ISO_IR 100", b"Doe^J\x1b\r\n\0 ", "Doe^J"),
    ],
)
def test_names_are_read_by_their_character_set(character_set: bytes, raw: bytes, expected: str) -> None:
    data = film(PatientName="x")
    start = data.index(b"\x08\x00\x16\x00")
    padded = character_set + b" " * (len(character_set) % 2)
    element = b"\x08\x00\x05\x00CS" + len(padded).to_bytes(2, "little") + padded
    data = data[:start] + element + data[start:]
    name = raw + b" " * (len(raw) % 2)
    old = b"\x10\x00\x10\x00PN\x02\x00x "
    assert data.count(old) == 1
    data = data.replace(old, b"\x10\x00\x10\x00PN" + len(name).to_bytes(2, "little") + name)
    assert read_source(data).identity["PatientName"] == expected


@pytest.mark.parametrize(
    ("keyword", "vr", "value"),
    [
        ("PatientBirthDate", "DA", b"ANNA"),
        ("StudyTime", "TM", b"noon"),
        ("PatientSex", "CS", b"XX"),
        ("StudyDate", "DA", b"2026.03.04"),
    ],
)
def test_what_is_no_date_time_or_sex_counts_as_not_known(keyword: str, vr: str, value: bytes) -> None:
    assert read_source(with_element(film(), keyword, vr, value)).identity == dict.fromkeys(TYPE_2, "")


@pytest.mark.parametrize("keyword", UIDS)
@pytest.mark.parametrize("value", [None, b"", b"no uid", b"1." * 40])
def test_a_film_that_nothing_can_refer_to_is_refused(keyword: str, value: bytes | None) -> None:
    words = {"StudyInstanceUID": "Study", "SeriesInstanceUID": "Series", "SOPInstanceUID": "SOP"}[keyword]
    with pytest.raises(ImageError, match=f"has no {words} Instance UID that can be used"):
        read_source(with_element(film(), keyword, "UI", value))


def test_x_lites_own_pictures_are_known() -> None:
    assert read_source(film(Manufacturer="X-Lite")).is_own
    assert not read_source(film(Manufacturer="X-Lite Imaging")).is_own


def test_nothing_of_a_person_is_in_what_a_source_shows_of_itself() -> None:
    assert "Muster" not in repr(read_source(film(PatientName="Muster^Anna")))
