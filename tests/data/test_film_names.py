"""Names of films: folders of both kinds, suffixes of films only, and several names on a line of a list."""

import pytest

from xlite.data.film_names import names_in, stem_of

UID = "1.2.826.0.1.3680043.8.498.77.100"


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("00000001_000.png", "00000001_000"),
        ("images/00000001_000.jpg", "00000001_000"),
        (r"D:\cxr\images\00000001_000.PNG", "00000001_000"),
        (r"images_001\images/00000001_000.Dcm ", "00000001_000"),
        (r"\\server\share\00000001_000.jpeg", "00000001_000"),
        ("00000001_000", "00000001_000"),
        (UID, UID),
        (f"{UID}.dcm", UID),
        (f"C:\\a.b\\{UID}.DICOM", UID),
        ("scan.v1.final", "scan.v1.final"),
        ("a.dcm.png", "a.dcm"),
        ("a.IMA", "a"),
        (".png", ".png"),
        ("png", "png"),
        ("x.png.", "x.png."),
    ],
)
def test_a_film_is_known_by_its_name_without_folder_and_suffix(name: str, stem: str) -> None:
    assert stem_of(name) == stem


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("a.png", ["a.png"]),
        (' "a.png", ', ["a.png"]),
        ("a.png,b.png,c.jpg", ["a.png", "b.png", "c.jpg"]),
        ("a.png; b.PNG;", ["a.png", "b.PNG"]),
        ("a.png b.png\tc.png", ["a.png", "b.png", "c.png"]),
        ("'a.png', 'b.png'", ["a.png", "b.png"]),
        (r"C:\My films\a.png,C:\My films\b.png", [r"C:\My films\a.png", r"C:\My films\b.png"]),
        (f"{UID}1 {UID}2", [f"{UID}1", f"{UID}2"]),
        ("00000001_000,00000002_010", ["00000001_000", "00000002_010"]),
        ("00009232_004.png 0 0 1 0", ["00009232_004.png"]),  # as CheXNet's lists have it
        ("00009232_004.png,1.0,0.0", ["00009232_004.png"]),
        ("John Doe.png", ["John Doe.png"]),
        ("Doe (1)/a-1.png-b.png", ["Doe (1)/a-1.png-b.png"]),
        ("Doe, John.png", ["Doe, John.png"]),
        ("scan 1", []),
        ("a.png|b.png", []),
        ("a.png:b.png:c.png", []),
        ("0 a.png", []),
        ("17,a.png", []),
        ("scan 1.png scan 2.png", []),
        ("00000001_000.png No Finding", []),
        ("00000001_000,No Finding", []),
        ("# the films of test", []),
        ("<html>", []),
        ("['a.png', 'b.png']", []),
        ("[", []),
        ("a\x1b.png", []),
    ],
)
def test_a_line_names_one_film_or_several_or_cannot_be_told(line: str, names: list[str]) -> None:
    assert names_in(line) == names
