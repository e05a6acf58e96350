"""A server on loopback that breaks and lies, an archive in NIH's layout, and a download from there."""

import hashlib
import io
import re
import tarfile
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from xlite.data.download import download
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
    """Serves `files`; each of `faults` may answer one request in place of the server."""

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


def get(server: Server, out: Path, links: tuple[str, ...] = ("/1.gz",), **options: Any) -> None:
    download(
        out,
        links=[server.url(link) for link in links],
        tables_url=server.url("/tables"),
        **{"needed_bytes": 0, "backoff_s": 0.001, **options},
    )


def refusal(server: Server, out: Path, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        get(server, out, **options)
    return str(caught.value)


def films_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*")}
