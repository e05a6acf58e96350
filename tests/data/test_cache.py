"""The film cache: the right pixels, built once, rebuilt if it must be, never half there."""

import json
import os
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from xlite.data import cache
from xlite.data.cache import cache_folder, film_facts, fingerprint, open_cache
from xlite.errors import DataError, ImageError
from xlite.images import Preprocess, read_image
from xlite.places import home

SMALL = Preprocess(32)


def films_of(folder: Path) -> list[Path]:
    return sorted((folder / "images").iterdir())


def decoded(paths: list[Path], preprocess: Preprocess = SMALL) -> np.ndarray:
    return np.stack([preprocess.resize(read_image(path)) for path in paths])


def files_in(folder: Path) -> set[str]:
    return {path.suffix for path in folder.iterdir()}


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the films that the cache decodes from now on."""
    seen: list[str] = []

    def spy(path: Path) -> np.ndarray:
        seen.append(path.name)
        return read_image(path)

    monkeypatch.setattr(cache, "read_image", spy)
    return seen


def test_films_are_decoded_once_and_mapped_read_only(tiny_folder, tmp_path, reads):
    paths, calls = films_of(tiny_folder), []
    films = open_cache(paths, SMALL, tmp_path / "cache", lambda done, total: calls.append((done, total)))
    assert isinstance(films, np.memmap) and not films.flags.writeable
    assert calls == [(done, 24) for done in range(1, 25)]
    np.testing.assert_array_equal(films, decoded(paths))
    assert sorted(reads) == [path.name for path in paths]
    again = open_cache(paths, SMALL, tmp_path / "cache")
    np.testing.assert_array_equal(again, films)
    assert len(reads) == 24
    assert files_in(tmp_path / "cache") == {".npy", ".json", ".lock"}


def test_each_side_has_an_array_of_its_own(tiny_folder, tmp_path, reads):
    paths, larger = films_of(tiny_folder), Preprocess(48)
    for _ in range(2):
        np.testing.assert_array_equal(open_cache(paths, SMALL, tmp_path / "c"), decoded(paths))
        np.testing.assert_array_equal(open_cache(paths, larger, tmp_path / "c"), decoded(paths, larger))
    assert len(reads) == 48


def test_only_a_changed_source_is_decoded_again(tiny_folder, tmp_path, reads):
    paths = films_of(tiny_folder)
    open_cache(paths, SMALL, tmp_path / "cache")
    reads.clear()
    cv2.imwrite(str(paths[5]), np.full((64, 64), 77, np.uint8))
    films = open_cache(paths, SMALL, tmp_path / "cache")
    assert reads == [paths[5].name]
    assert (films[5] == 77).all()
    np.testing.assert_array_equal(films, decoded(paths))
    assert len(list((tmp_path / "cache").glob("*.npy"))) == 1


def test_a_source_of_the_same_size_but_a_later_date_is_decoded_again(tiny_folder, tmp_path, reads):
    paths = films_of(tiny_folder)
    open_cache(paths, SMALL, tmp_path / "cache")
    reads.clear()
    os.utime(paths[9], ns=(0, paths[9].stat().st_mtime_ns + 1))
    open_cache(paths, SMALL, tmp_path / "cache")
    assert reads == [paths[9].name]


def test_films_that_come_and_go_are_followed(tiny_folder, tmp_path, reads):
    paths = films_of(tiny_folder)
    open_cache(paths[:20], SMALL, tmp_path / "cache")
    reads.clear()
    films = open_cache(paths[2:], SMALL, tmp_path / "cache")
    assert sorted(reads) == [path.name for path in paths[20:]]
    np.testing.assert_array_equal(films, decoded(paths[2:]))


def harm_one_byte(array: Path) -> None:
    with open(array, "r+b") as file:
        file.seek(128 + 7 * 32 * 32 + 100)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))


def cut_short(array: Path) -> None:
    os.truncate(array, array.stat().st_size - 1)


def lose_index(array: Path) -> None:
    array.with_suffix(".json").unlink()


def halve_index(array: Path) -> None:
    os.truncate(array.with_suffix(".json"), 100)


@pytest.mark.parametrize("harm", [harm_one_byte, cut_short, lose_index, halve_index, Path.unlink])
def test_a_damaged_cache_is_built_anew(tiny_folder, tmp_path, harm):
    paths = films_of(tiny_folder)
    open_cache(paths, SMALL, tmp_path / "cache")
    (array,) = (tmp_path / "cache").glob("*.npy")
    harm(array)
    np.testing.assert_array_equal(open_cache(paths, SMALL, tmp_path / "cache"), decoded(paths))


def test_decay_that_leaves_no_trace_is_found_in_the_sample(tiny_folder, tmp_path):
    paths = films_of(tiny_folder)
    open_cache(paths, SMALL, tmp_path / "cache")
    (array,) = (tmp_path / "cache").glob("*.npy")
    before = array.stat()
    harm_one_byte(array)
    os.utime(array, ns=(before.st_atime_ns, before.st_mtime_ns))
    np.testing.assert_array_equal(open_cache(paths, SMALL, tmp_path / "cache"), decoded(paths))


def test_harm_is_not_carried_into_the_next_array(tiny_folder, tmp_path):
    paths = films_of(tiny_folder)
    open_cache(paths, SMALL, tmp_path / "cache")
    (array,) = (tmp_path / "cache").glob("*.npy")
    harm_one_byte(array)
    np.testing.assert_array_equal(open_cache(paths[1:], SMALL, tmp_path / "cache"), decoded(paths[1:]))


def test_a_film_that_cannot_be_read_is_named_and_nothing_is_left(tiny_folder, tmp_path):
    paths = films_of(tiny_folder)
    paths[3].write_bytes(b"no film at all")
    with pytest.raises(ImageError, match=paths[3].name):
        open_cache(paths, SMALL, tmp_path / "cache")
    assert files_in(tmp_path / "cache") == {".lock"}
    paths[3].unlink()
    with pytest.raises(DataError, match=paths[3].name):
        open_cache(paths, SMALL, tmp_path / "cache")
    with pytest.raises(DataError, match="there are no films"):
        open_cache([], SMALL, tmp_path / "cache")


BUILD = """
import sys
from pathlib import Path
from xlite.data.cache import open_cache
from xlite.errors import DataError
from xlite.images import Preprocess
{setup}
paths = sorted((Path(sys.argv[1]) / "images").iterdir())
def progress(done, total):
    {each}
try:
    open_cache(paths, Preprocess(32), Path(sys.argv[2]), progress)
except DataError as error:
    print(error)
print("end")
"""


def start_build(data: Path, into: Path, each: str, setup: str = "") -> subprocess.Popen:
    code = BUILD.format(each=each, setup=setup)
    return subprocess.Popen([sys.executable, "-c", code, data, into], stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_of_two_processes_one_builds_and_the_other_waits(tiny_folder, tmp_path):
    slowly = "import time; time.sleep(0.02); print('film')"
    both = [start_build(tiny_folder, tmp_path / "cache", slowly) for _ in range(2)]
    said = [process.communicate(timeout=60)[0].split() for process in both]
    assert sorted(map(len, said)) == [1, 25]
    assert all(lines[-1] == "end" for lines in said)
    paths = films_of(tiny_folder)
    np.testing.assert_array_equal(open_cache(paths, SMALL, tmp_path / "cache"), decoded(paths))


@pytest.mark.slow
def test_a_build_that_is_killed_leaves_nothing_that_counts(tiny_folder, tmp_path):
    process = start_build(
        tiny_folder, tmp_path / "cache", "print('film', flush=True); import time; time.sleep(0.1)"
    )
    for _ in range(3):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert files_in(tmp_path / "cache") == {".lock", ".partial"}
    started = time.perf_counter()
    paths = films_of(tiny_folder)
    np.testing.assert_array_equal(open_cache(paths, SMALL, tmp_path / "cache"), decoded(paths))
    assert time.perf_counter() - started < 5  # the dead process's lock delays nobody
    assert files_in(tmp_path / "cache") == {".lock", ".npy", ".json"}


@pytest.mark.slow
@pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no limit on a file's size to stand for a full disk"
)
def test_a_disk_that_fills_up_gives_a_sentence_and_leaves_nothing(tiny_folder, tmp_path):
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))"
    process = start_build(tiny_folder, tmp_path / "cache", "pass", full)
    sentence, end = process.communicate(timeout=60)[0].splitlines()
    assert sentence.endswith("cache; the cache of 24 films at 32 px takes 0.0 GB") and end == "end"
    assert files_in(tmp_path / "cache") == {".lock"}


def test_too_small_a_disk_is_said_before_anything_is_decoded(tiny_folder, tmp_path, reads, monkeypatch):
    usage = cache.shutil.disk_usage(tmp_path)._replace(free=24 * 32 * 32 - 1)
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(DataError, match="the disk is full, so .*/cache could not be written"):
        open_cache(films_of(tiny_folder), SMALL, tmp_path / "cache")
    assert reads == []


def test_the_cache_lies_in_the_data_folder_or_at_home(tiny_folder, monkeypatch):
    assert cache_folder(tiny_folder) == tiny_folder / "cache"
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    outside = cache_folder(tiny_folder)
    assert outside.parent == home() / "cache" and outside == cache_folder(str(tiny_folder) + "/../data")


def test_the_facts_of_films_are_the_indexs_and_equal_those_of_their_pixels(tiny_folder, tmp_path):
    paths = films_of(tiny_folder)
    for row in (3, 7):
        cv2.imwrite(str(paths[row]), np.full((64, 64), 20 * row, np.uint8))
    films, rows = open_cache(paths, SMALL, tmp_path / "cache"), np.array([7, 0, 3, 5])
    told, seen = film_facts(films, rows), film_facts(np.array(films), rows)
    assert told.crc32.tolist() == seen.crc32.tolist() == [zlib.crc32(films[row]) for row in rows]
    assert told.contrast.tolist() == seen.contrast.tolist() == [False, True, False, True]
    assert told.flat == 2
    assert fingerprint(told) == fingerprint(seen) != fingerprint(film_facts(films, rows[::-1]))


def test_an_index_of_old_is_told_which_films_have_no_contrast(tiny_folder, tmp_path, reads):
    paths = films_of(tiny_folder)
    cv2.imwrite(str(paths[3]), np.full((64, 64), 60, np.uint8))
    open_cache(paths, SMALL, tmp_path / "cache")
    [index] = (tmp_path / "cache").glob("*.json")
    whole = json.loads(index.read_text())
    assert whole.pop("flat") == [3]
    index.write_text(json.dumps(whole))
    reads.clear()
    films = open_cache(paths, SMALL, tmp_path / "cache")
    assert reads == [] and json.loads(index.read_text()) == whole | {"flat": [3]}
    assert film_facts(films, np.arange(24)).flat == 1


@pytest.mark.parametrize("says", [True, False])
def test_a_cache_of_another_version_is_made_anew_and_that_is_said(
    tiny_folder, tmp_path, reads, caplog, monkeypatch, says
):
    """None of its rows is taken over, as its films may have been read otherwise."""
    paths = films_of(tiny_folder)
    with monkeypatch.context() as earlier:
        earlier.setattr(cache, "_FORMAT", 1)
        films = np.array(open_cache(paths, SMALL, tmp_path))
    (index,) = tmp_path.glob("*.json")
    if not says:  # as version 1.0 wrote it
        content = json.loads(index.read_text())
        del content["format"]
        index.write_text(json.dumps(content))
    np.testing.assert_array_equal(open_cache(paths, SMALL, tmp_path), films)
    assert sorted(reads) == sorted([path.name for path in paths] * 2)
    array = index.with_suffix(".npy")
    assert caplog.messages == [
        f"the cache {array} was made by another version of X-Lite, which read some films differently: it is "
        "made anew"
    ]
    assert not array.exists() and len(list(tmp_path.glob("*.npy"))) == 1
