"""The download against a real server on loopback that breaks, lies and serves hostile archives."""

import gzip
import hashlib
import io
import logging
import os
import re
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import filelock
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from xlite.data.download import archive as unpacking
from xlite.data.download import download
from xlite.data.download.archive import unpack_films
from xlite.data.download.nih import ARCHIVES, NIH_PAGE
from xlite.data.download.resumable import TRIES, fetch
from xlite.errors import DataError

TABLES = {
    "Data_Entry_2017_v2020.csv": b"Image Index,Finding Labels\n00000001_000.png,Hernia\n",
    "BBox_List_2017.csv": b"Image Index,Finding Label,Bbox [x,y,w,h],,,\n",
    "train_val_list.txt": b"00000001_000.png\n",
    "test_list.txt": b"00000002_000.png\n",
}


def png(seed: int) -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 256, (64, 64), np.uint8)
    Image.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()


FILMS = {f"{patient:08d}_000.png": png(patient) for patient in range(1, 41)}


def archive(*extra: tuple[tarfile.TarInfo, bytes], films: dict[str, bytes] = FILMS) -> bytes:
    """A .tar.gz in NIH's layout, and then the members given."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.addfile(member("images", tarfile.DIRTYPE))
        for name, content in films.items():
            tar.addfile(member(f"images/{name}", size=len(content)), io.BytesIO(content))
        for info, content in extra:
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, target
    return info


class Server(ThreadingHTTPServer):
    """Serves `files`; `faults` are used up one a request, and each may answer in place of the server."""

    daemon_threads = True

    def __init__(self) -> None:
        self.files = {f"/tables/{name}": content for name, content in TABLES.items()}
        self.faults: list[Callable[[Handler, bytes], bool]] = []
        self.requests: list[tuple[str, str | None]] = []
        self.ranges, self.etags = True, True
        super().__init__(("127.0.0.1", 0), Handler)

    def url(self, path: str = "") -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def asked(self, path: str) -> list[str | None]:
        """The Range header of each request for a path."""
        return [asked_range for asked, asked_range in self.requests if asked == path]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.close_connection = True
        self.server.requests.append((self.path, self.headers["Range"]))
        content = self.server.files.get(self.path)
        if content is None:
            self.answer(404, b"", {"Content-Length": "0"})
            return
        faulty = self.path.endswith(".gz") and self.server.faults
        if not (faulty and self.server.faults.pop(0)(self, content)):
            self.serve(content)

    def serve(self, content: bytes, stop: int | None = None, length: int | None = None) -> None:
        """As a good server does; `stop` breaks off at that byte, `length` lies in Content-Length."""
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        start = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or "")
        first = int(start[1]) if start and self.server.ranges else 0
        if self.headers["If-Range"] not in (None, etag):
            first = 0
        if first and first >= len(content):
            self.answer(416, b"", {"Content-Range": f"bytes */{len(content)}", "Content-Length": "0"})
            return
        headers = {"Content-Length": str(length or len(content) - first)}
        if self.server.etags:
            headers["ETag"] = etag
        if first:
            headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
        self.answer(206 if first else 200, content[first:stop], headers)

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


def breaks_at(byte: int) -> Callable[[Handler, bytes], bool]:
    return lambda handler, content: handler.serve(content, stop=byte) or True


def answers(status: int) -> Callable[[Handler, bytes], bool]:
    return lambda handler, _: handler.answer(status, b"", {"Content-Length": "0"}) or True


def web_page(handler: Handler, _: bytes) -> bool:
    page = b"<html>Too many downloads of this file</html>"
    handler.answer(200, page, {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(page))})
    return True


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        server.files["/1.gz"] = archive()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def get(server: Server, out: Path, links: tuple[str, ...] = ("/1.gz",), **options: object) -> None:
    download(
        out,
        links=[server.url(link) for link in links],
        tables_url=server.url("/tables"),
        **{"needed_bytes": 0, "backoff_s": 0.001, **options},
    )


def refusal(server: Server, out: Path, **options: object) -> str:
    with pytest.raises(DataError) as caught:
        get(server, out, **options)
    return str(caught.value)


def films_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*")}


def test_the_links_are_twelve_different_ones_at_nih() -> None:
    assert len(set(ARCHIVES)) == 12
    assert all(
        re.fullmatch(r"https://nihcc\.box\.com/shared/static/[a-z0-9]{32}\.gz", url) for url in ARCHIVES
    )


def test_the_links_are_those_nih_publishes(shared_data: Path) -> None:
    assert list(ARCHIVES) == (shared_data / "nih_tables" / "archive_links.txt").read_text().split()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "xlite")
    return caplog


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


def test_a_break_is_gone_on_from_at_the_byte(server: Server, out: Path) -> None:
    server.faults = [breaks_at(1000), breaks_at(70_000)]
    get(server, out)
    assert server.asked("/1.gz") == [None, "bytes=1000-", "bytes=70000-"]
    assert films_in(out / "images_001" / "images") == FILMS


def test_a_break_is_gone_on_from_without_etags_too(server: Server, out: Path) -> None:
    server.etags, server.faults = False, [breaks_at(1000)]
    get(server, out)
    assert server.asked("/1.gz") == [None, "bytes=1000-"]
    assert films_in(out / "images_001" / "images") == FILMS


def test_a_server_that_ignores_ranges_is_read_from_the_start(server: Server, out: Path) -> None:
    server.ranges, server.faults = False, [breaks_at(1000)]
    get(server, out)
    assert server.asked("/1.gz") == [None, "bytes=1000-"]
    assert films_in(out / "images_001" / "images") == FILMS


def test_a_file_that_changed_meanwhile_is_never_mixed(server: Server, out: Path) -> None:
    def changes(handler: Handler, content: bytes) -> bool:
        server.files["/1.gz"] = archive(films={"00000002_000.png": png(2)})
        handler.serve(content, stop=1000)
        return True

    server.faults = [changes]
    get(server, out)
    assert server.asked("/1.gz") == [None, "bytes=1000-"]
    assert films_in(out / "images_001" / "images") == {"00000002_000.png": png(2)}


def test_a_range_answered_from_another_byte_is_thrown_away(server: Server, out: Path) -> None:
    def from_elsewhere(handler: Handler, content: bytes) -> bool:
        headers = {"Content-Range": f"bytes 7-{len(content) - 1}/{len(content)}", "Content-Length": "100"}
        handler.answer(206, content[7:107], headers)
        return True

    server.faults = [breaks_at(1000), from_elsewhere]
    get(server, out)
    assert server.asked("/1.gz") == [None, "bytes=1000-", None]
    assert films_in(out / "images_001" / "images") == FILMS


def test_a_length_stated_too_long_once_is_got_over(server: Server, out: Path) -> None:
    size = len(server.files["/1.gz"])
    server.faults = [lambda handler, content: handler.serve(content, length=size + 500) or True]
    get(server, out)
    assert server.asked("/1.gz") == [None, f"bytes={size}-", None]
    assert films_in(out / "images_001" / "images") == FILMS


def test_a_length_always_stated_too_long_ends_in_a_sentence(server: Server, out: Path) -> None:
    size = len(server.files["/1.gz"])
    server.faults = [lambda handler, content: handler.serve(content, length=size + 500) or True] * 50
    message = refusal(server, out)
    assert f"images_001.tar.gz could not be fetched from {server.url('/1.gz')}" in message
    assert "run the same command again" in message
    assert TRIES <= len(server.asked("/1.gz")) < 50


def test_a_length_stated_too_short_is_found_out(server: Server, out: Path) -> None:
    server.faults = [lambda handler, content: handler.serve(content, length=len(content) // 2) or True]
    message = refusal(server, out)
    assert message.startswith("images_001.tar.gz is damaged or no .tar.gz archive")
    assert not list(out.glob("images_001*/**/*.png"))
    get(server, out)
    assert films_in(out / "images_001" / "images") == FILMS


def test_a_chunked_answer_that_breaks_off_is_not_taken_for_whole(server: Server, out: Path) -> None:
    def chunked(handler: Handler, content: bytes) -> bool:
        handler.answer(200, b"400\r\n" + content[:1024] + b"\r\n", {"Transfer-Encoding": "chunked"})
        return True

    server.faults = [chunked]
    get(server, out)
    assert len(server.asked("/1.gz")) == 2
    assert films_in(out / "images_001" / "images") == FILMS


def test_errors_that_pass_are_waited_out(server: Server, out: Path) -> None:
    server.faults = [answers(500), answers(503), answers(429)]
    get(server, out)
    assert server.asked("/1.gz") == [None] * 4
    assert films_in(out / "images_001" / "images") == FILMS


def test_a_404_is_final_and_says_the_link(server: Server, out: Path) -> None:
    del server.files["/1.gz"]
    message = refusal(server, out)
    assert server.url("/1.gz") in message and "404 Not Found" in message
    assert server.asked("/1.gz") == [None]


def test_a_web_page_is_not_taken_for_the_archive(server: Server, out: Path) -> None:
    server.faults = [web_page]
    message = refusal(server, out)
    assert server.url("/1.gz") in message and "web page" in message
    assert not (out / "images_001.tar.gz").exists()


def test_a_server_that_is_not_there_ends_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="could not be fetched from http://127.0.0.1:9/1.gz"):
        fetch("http://127.0.0.1:9/1.gz", tmp_path / "1.gz", lambda done, total: None, backoff_s=0.001)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "", "ftp://127.0.0.1/x", "nonsense"])
def test_only_web_addresses_are_opened(url: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a web address"):
        fetch(url, tmp_path / "x", lambda done, total: None)


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


HOSTILE = {
    "parent path": (member("../evil.png", size=len(png(1))), png(1)),
    "parent path inside": (member("images/../../evil.png", size=len(png(1))), png(1)),
    "absolute path": (member("/tmp/xlite-evil.png", size=len(png(1))), png(1)),
    "windows path": (member("images/..\\evil.png", size=len(png(1))), png(1)),
    "deeper path": (member("images/images/00000001_000.png", size=len(png(1))), png(1)),
    "symlink": (member("images/00000050_000.png", tarfile.SYMTYPE, target="/etc/passwd"), b""),
    "symlink as folder": (member("images", tarfile.SYMTYPE, target="/tmp"), b""),
    "hard link": (member("images/00000050_000.png", tarfile.LNKTYPE, target="/etc/passwd"), b""),
    "device": (member("images/00000050_000.png", tarfile.CHRTYPE), b""),
    "pipe": (member("images/00000050_000.png", tarfile.FIFOTYPE), b""),
    "other suffix": (member("images/run.sh", size=5), b"hello"),
    "no png inside": (member("images/00000050_000.png", size=5), b"hello"),
    "new line in the name": (member("images/00000050_000.png\n", size=len(png(1))), png(1)),
}


@pytest.mark.parametrize("evil", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_archive_writes_nothing_and_is_deleted(
    evil: tuple[tarfile.TarInfo, bytes], server: Server, tmp_path: Path
) -> None:
    out = tmp_path / "a" / "b"
    server.files["/1.gz"] = archive(evil)
    message = refusal(server, out)
    assert message.startswith("images_001.tar.gz was refused: ")
    assert message.endswith("has been deleted, run this again to fetch it anew")
    present = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")} - {
        "home",
        "a/b/.download.lock",
    }
    assert present == {"a", "a/b", "a/b/images_001", *(f"a/b/{name}" for name in TABLES)}
    assert not Path("/tmp/xlite-evil.png").exists()


def zeros(size: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + bytes(size - 8)


def test_a_film_too_large_is_refused_before_it_is_read(server: Server, out: Path) -> None:
    size = unpacking.MAX_FILM_BYTES + 1
    server.files["/1.gz"] = archive((member("images/00000050_000.png", size=size), zeros(size)))
    message = refusal(server, out)
    assert all(word in message for word in ("images/00000050_000.png", "33,554,433", "33,554,432"))


def test_many_films_that_are_too_much_together_are_refused(
    server: Server, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "MAX_TOTAL_BYTES", sum(map(len, FILMS.values())) - 1)
    assert "more than 20,000 films or" in refusal(server, out)
    monkeypatch.undo()
    monkeypatch.setattr(unpacking, "MAX_FILMS", len(FILMS) - 1)
    assert "more than 39 films or 10 GB" in refusal(server, out)
    monkeypatch.undo()
    get(server, out)


def test_a_header_that_is_a_bomb_is_refused(tmp_path: Path) -> None:
    header = member("images/long", tarfile.XHDTYPE, size=2**31).tobuf(tarfile.PAX_FORMAT)
    bomb = tmp_path / "bomb.tar.gz"
    with gzip.open(bomb, "wb") as file:
        file.write(header)
        for _ in range(64):
            file.write(bytes(2**20))
    with pytest.raises(DataError, match="far more than films"):
        unpack_films(bomb, tmp_path / "images")


def test_data_behind_the_archive_is_refused(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.tar.gz"
    bomb.write_bytes(archive() + gzip.compress(bytes(32 * 2**20)))
    with pytest.raises(DataError, match="far more than films"):
        unpack_films(bomb, tmp_path / "images")


def test_a_flipped_checksum_is_found(tmp_path: Path) -> None:
    content = bytearray(archive())
    content[-6] ^= 1  # the CRC-32 in gzip's last eight bytes
    (tmp_path / "a.tar.gz").write_bytes(content)
    with pytest.raises(DataError, match="is damaged"):
        unpack_films(tmp_path / "a.tar.gz", tmp_path / "images")
    assert sorted(os.listdir(tmp_path)) == ["a.tar.gz", "home"]


@given(cut=st.integers(0, len(archive()) - 1), flips=st.lists(st.integers(0, len(archive()) - 1), max_size=3))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_cut_or_altered_archive_gives_its_films_or_none(tmp_path: Path, cut: int, flips: list[int]) -> None:
    content = bytearray(archive())
    for position in flips:
        content[position] ^= 0x55
    (tmp_path / "a.tar.gz").write_bytes(content[:cut])
    with pytest.raises(DataError):
        unpack_films(tmp_path / "a.tar.gz", tmp_path / "images")
    assert not (tmp_path / "images").exists()
