"""Films of a data folder that come back under another name, as the same file or as the same pixels."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from noise_folder import write_noise_folder

from xlite.data import known_films
from xlite.data.cache import cache_folder, cached_crcs, open_cache
from xlite.data.folder import NihFolder
from xlite.data.joined import open_data
from xlite.data.known_films import KnownFilms
from xlite.images import Preprocess, read_image


def saved_again(path: Path) -> bytes:
    """Another file of the same pixels."""
    again = cv2.imencode(".bmp", read_image(path))[1].tobytes()
    assert len(again) != path.stat().st_size
    return bytes(again)


def cached(root: Path, side: int = 32) -> None:
    folder = NihFolder.open(root)
    open_cache(list(folder.paths.values()), Preprocess(side), cache_folder(root))


def test_the_same_file_is_known_and_no_other_is_opened(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = KnownFilms.of(NihFolder.open(tiny_folder))
    path = tiny_folder / "images" / "00000005_001.png"
    opened: list[Path] = []
    read = known_films.read_file
    monkeypatch.setattr(known_films, "read_file", lambda path: opened.append(path) or read(path))
    assert index.find(path.read_bytes()) == "00000005_001"
    assert all(one.stat().st_size == path.stat().st_size for one in opened)
    altered = bytearray(path.read_bytes())
    altered[-20] ^= 1
    assert index.find(bytes(altered)) is None
    assert index.find(b"") is None


@pytest.mark.slow
def test_the_same_pixels_are_known_by_the_cache_that_training_made(tiny_folder: Path) -> None:
    path = tiny_folder / "images" / "00000005_001.png"
    again = saved_again(path)
    assert KnownFilms.of(NihFolder.open(tiny_folder)).find(again) is None
    cached(tiny_folder)
    index = KnownFilms.of(NihFolder.open(tiny_folder))
    assert ([*index.of_crc], index.find(again)) == ([32], "00000005_001")
    other = cv2.imencode(".png", 255 - read_image(path))[1].tobytes()
    assert index.find(other) is None and index.find(b"no film") is None


@pytest.mark.slow
def test_a_film_that_was_replaced_since_is_not_taken_for_the_old_one(tiny_folder: Path) -> None:
    path = tiny_folder / "images" / "00000005_001.png"
    again = saved_again(path)
    cached(tiny_folder)
    cv2.imwrite(str(path), np.zeros((64, 64), np.uint8))
    assert KnownFilms.of(NihFolder.open(tiny_folder)).find(again) is None
    path.unlink()
    index = KnownFilms.of(NihFolder.open(tiny_folder))
    assert index.find(again) is None and "00000005_001" not in sum(index.of_size.values(), [])


def test_the_newest_cache_is_taken_and_a_damaged_one_is_none(tiny_folder: Path, tmp_path: Path) -> None:
    assert cached_crcs(tmp_path / "nowhere") == (0, {})
    cached(tiny_folder)
    folder = cache_folder(tiny_folder)
    side, crcs = cached_crcs(folder)
    assert (side, len(crcs), "00000001_000.png" in crcs) == (32, 24, True)
    for index in folder.glob("*.json"):
        index.write_text("{")
    assert cached_crcs(folder) == (0, {})


@pytest.mark.slow
def test_films_of_several_folders_are_known_by_each_ones_cache(tmp_path: Path) -> None:
    west = write_noise_folder(tmp_path / "west")
    east = write_noise_folder(tmp_path / "east", patients=15, seed=1)
    again = [saved_again(root / "images" / "00000005_001.png") for root in (west, east)]
    cached(west, side=32)
    cached(east, side=24)
    index = KnownFilms.of(open_data(f"{west},{east}"))
    assert {side: sum(map(len, found.values())) for side, found in index.of_crc.items()} == {
        32: 48,  # a name that both have may be either's
        24: 54,
    }
    assert [index.find(film) for film in again] == ["west~00000005_001", "east~00000005_001"]
    assert index.find((east / "images" / "00000014_000.png").read_bytes()) == "00000014_000"
