"""A whole download from a real server on loopback: layout, order, refusals, and going on after a kill."""

import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import filelock
import pytest
from broken_server import FILMS, TABLES, Handler, Server, archive, breaks_at, films_in, get, png, refusal

from xlite.data.download.nih import ARCHIVES, NIH_PAGE


def test_the_links_are_twelve_different_ones_at_nih() -> None:
    assert len(set(ARCHIVES)) == 12
    assert all(
        re.fullmatch(r"https://nihcc\.box\.com/shared/static/[a-z0-9]{32}\.gz", url) for url in ARCHIVES
    )


def test_the_links_are_those_nih_publishes(shared_data: Path) -> None:
    assert list(ARCHIVES) == (shared_data / "nih_tables" / "archive_links.txt").read_text().split()


def test_a_whole_download_has_nihs_layout_and_leaves_nothing_else(
    server: Server, out: Path, logged: pytest.LogCaptureFixture
) -> None:
    more = {"00000099_000.png": png(99)}
    server.files["/2.gz"] = archive(films=more)
    get(server, out, ("/1.gz", "/2.gz"))
    assert logged.messages == [
        *(f"{name}: fetched" for name in TABLES),
        "images_001: 40 films",
        "images_002: 1 film",
        f"41 films in {out}",
    ]
    assert films_in(out / "images_001" / "images") == FILMS
    assert films_in(out / "images_002" / "images") == more
    assert {name: (out / name).read_bytes() for name in TABLES} == TABLES
    files = {str(path.relative_to(out)) for path in out.rglob("*") if path.suffix != ".png"}
    folders = {f"images_00{i}{tail}" for i in (1, 2) for tail in ("", "/images", "/unpacked.json")}
    assert files - {".download.lock"} == {*TABLES, *folders}


def test_labels_only_fetches_the_tables_alone(server: Server, out: Path) -> None:
    get(server, out, labels_only=True)
    assert [path for path, _ in server.requests] == [f"/tables/{name}" for name in TABLES]


def test_what_is_here_is_not_fetched_again(
    server: Server, out: Path, logged: pytest.LogCaptureFixture
) -> None:
    get(server, out)
    server.requests.clear()
    logged.clear()
    get(server, out)
    assert logged.messages == ["1 of 1 archives are here already", f"40 films in {out}"]
    assert server.requests == []


def test_an_archive_that_has_lost_a_film_is_fetched_again(server: Server, out: Path) -> None:
    get(server, out)
    (out / "images_001" / "images" / "00000007_000.png").unlink()
    server.requests.clear()
    get(server, out)
    assert server.asked("/1.gz") == [None]
    assert films_in(out / "images_001" / "images") == FILMS


def test_progress_counts_from_where_the_download_goes_on(server: Server, out: Path) -> None:
    size, seen = len(server.files["/1.gz"]), []
    server.faults = [breaks_at(1000)]
    get(server, out, progress=lambda done, total: seen.append((done, total)))
    counts = [done for done, total in seen if total == size]
    assert (counts[0], counts[-1]) == (1000, size)
    assert counts == sorted(set(counts))


def test_a_table_that_cannot_be_had_is_asked_for_by_hand(server: Server, out: Path) -> None:
    del server.files["/tables/BBox_List_2017.csv"]
    message = refusal(server, out)
    for word in ("BBox_List_2017.csv", NIH_PAGE, str(out), "404"):
        assert word in message
    (out / "BBox_List_2017.csv").write_bytes(TABLES["BBox_List_2017.csv"])
    get(server, out)
    assert server.asked("/tables/BBox_List_2017.csv") == [None]


def test_a_table_that_is_something_else_is_not_kept(server: Server, out: Path) -> None:
    server.files["/tables/test_list.txt"] = b"version https://git-lfs.github.com/spec/v1\n"
    assert "test_list.txt is not NIH's table" in refusal(server, out)
    assert not list(out.glob("test_list*"))


def test_free_disk_is_asked_for_before_any_archive(server: Server, out: Path) -> None:
    message = refusal(server, out, needed_bytes=10**18)
    assert re.search(rf"{re.escape(str(out))} has [\d.]+ GB .* 1000000000\.0 GB", message)
    assert server.asked("/1.gz") == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a real full disk of Linux")
def test_a_full_disk_ends_in_a_sentence_and_loses_nothing(server: Server, out: Path) -> None:
    marker = out / "images_001" / "unpacked.json"
    marker.parent.mkdir(parents=True)
    marker.symlink_to("/dev/full")
    message = refusal(server, out)
    assert "disk is full" in message and str(out) in message and "unpacked.json" not in message
    marker.unlink()
    get(server, out)
    assert server.asked("/1.gz") == [None]
    assert films_in(out / "images_001" / "images") == FILMS


def test_two_downloads_into_one_folder_are_refused(server: Server, out: Path) -> None:
    out.mkdir()
    with filelock.FileLock(out / ".download.lock"):
        assert f"another download into {out}" in refusal(server, out)


def test_a_file_in_place_of_the_folder_is_refused(server: Server, out: Path) -> None:
    out.write_text("")
    assert refusal(server, out) == f"File exists: {out}"


KILLED = """
import sys
from xlite.data.download import download
download(sys.argv[1], links=[sys.argv[2] + "/1.gz"], tables_url=sys.argv[2] + "/tables", needed_bytes=0)
"""


@pytest.mark.slow
def test_a_killed_download_goes_on_from_its_byte(server: Server, out: Path) -> None:
    hang = threading.Event()

    def stalls(handler: Handler, content: bytes) -> bool:
        handler.serve(content, stop=50_000)
        handler.wfile.flush()
        hang.wait(30)
        return True

    server.faults = [stalls]
    part = out / "images_001.tar.gz.part"
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(out), server.url()])
    try:
        deadline = time.monotonic() + 30
        while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
        assert child.wait(10) == -signal.SIGKILL
    finally:
        hang.set()
        child.kill()
    kept = part.stat().st_size
    assert 0 < kept <= 50_000
    get(server, out)
    assert server.asked("/1.gz") == [None, f"bytes={kept}-"]
    assert films_in(out / "images_001" / "images") == FILMS
    assert not list(out.glob("*.part*"))
