"""Which files are read and what they are called."""

from pathlib import Path

import pytest
from noise_film import write_film

from xlite.errors import DataError
from xlite.predict.films import Film, find_films


def test_films_come_in_the_order_given_and_folders_are_searched(tmp_path: Path) -> None:
    single = write_film(tmp_path / "z.png")
    inside = [write_film(tmp_path / "films" / name) for name in ("b.png", "deep/a.png")]
    (tmp_path / "films" / "readme.txt").write_text("no film")
    found = find_films([single, tmp_path / "films"], tmp_path / "out")
    assert found.films == [Film(single, "z.png"), Film(inside[0], "b.png"), Film(inside[1], "a.png")]
    assert found.passed_over == {"not a film": 1}


def test_a_film_is_given_twice_however_its_path_is_written(tmp_path: Path) -> None:
    film = write_film(tmp_path / "films" / "a.png")
    (tmp_path / "link").symlink_to("films")
    for other in (
        tmp_path / "link",
        tmp_path / "link" / "a.png",
        tmp_path / "link" / ".." / "films" / "a.png",
    ):
        with pytest.raises(DataError, match=r"a\.png was given twice"):
            find_films([film, other], tmp_path / "out")


@pytest.mark.parametrize(
    ("given", "match"),
    [(["gone"], "gone"), (["empty"], "empty holds no film"), (["a.png"] * 2, "given twice")],
)
def test_what_is_no_film_or_given_twice_is_refused(tmp_path: Path, given: list[str], match: str) -> None:
    write_film(tmp_path / "a.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=match):
        find_films([tmp_path / name for name in given], tmp_path / "out")


def test_names_that_differ_in_case_or_in_how_an_accent_is_written_are_numbered(tmp_path: Path) -> None:
    for name in ("Film.png", "film.png", "name\u00e9.png", "namee\u0301.png", "other.png"):
        (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n")
    found = find_films([tmp_path], tmp_path / "out")
    assert [film.name for film in found.films] == [
        *("1_Film.png", "2_film.png", "3_namee\u0301.png", "4_name\u00e9.png", "other.png")
    ]
