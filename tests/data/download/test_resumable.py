"""One file from a real server on loopback that breaks and lies."""

from pathlib import Path

import pytest
from broken_server import (
    FILMS,
    Handler,
    Server,
    answers,
    archive,
    breaks_at,
    films_in,
    get,
    png,
    refusal,
    web_page,
)

from xlite.data.download.resumable import TRIES, fetch
from xlite.errors import DataError


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
