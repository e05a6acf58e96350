"""One file over HTTP into one path: goes on after a break at the byte where it stopped."""

import http.client
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from xlite.errors import DataError

TRIES = 6
_CHUNK = 2**18
_TIMEOUT_S = 60
_TRANSIENT_STATUS = {408, 425, 429}
_BREAKS = (http.client.HTTPException, OSError)  # OSError: the network's, TLS's and urllib's own errors


class _Interrupted(Exception):
    """The transfer broke in a way that another try may get over."""


class _State(BaseModel):
    """What is kept beside a part of a file: the whole length and the version, if the server stated them."""

    model_config = ConfigDict(frozen=True)
    total: int | None
    version: str | None = None


def fetch(
    url: str,
    path: Path,
    report: Callable[[int, int | None], None],
    backoff_s: float = 1.0,
    called: str = "",
) -> None:
    """Download `url` to `path`, which appears only when it is whole; `report(bytes so far, bytes in all)`.

    What came so far lies in `<path>.part`, beside the server's length and version of the file; this process
    or a later one goes on from there. Gives up after TRIES tries in a row that brought nothing new, waiting
    twice as long each time. Raises DataError, which names the file as `called`, or else by its path's name.
    """
    part = path.with_name(path.name + ".part")
    tries, farthest = 0, -1
    while True:
        try:
            _fetch_once(url, part, report)
            os.replace(part, path)
            _state_path(part).unlink(missing_ok=True)
            return
        except _Interrupted as error:
            reached = _size(part)
            tries = tries + 1 if reached <= farthest else 1
            farthest = max(farthest, reached)
            if tries >= TRIES:
                raise DataError(
                    f"{called or path.name} could not be fetched from {url} ({error}); "
                    "run the same command again to go on from where it stopped"
                ) from error
        time.sleep(backoff_s * 2 ** (tries - 1))


def _fetch_once(url: str, part: Path, report: Callable[[int, int | None], None]) -> None:
    state = _read_state(part)
    done = _size(part) if state else 0
    if state and done == state.total:
        return
    with _open(url, part, done, state.version if state else None) as response:
        if response.status == 206:
            total = _check_range(response, part, done, state.total if state else None)
        else:  # a first try, a server without ranges, or a file that has changed: from the start
            done, total = 0, _content_length(response)
            _write_state(part, total, response.headers)
        with open(part, "ab" if done else "wb") as file:
            while chunk := _read(response):
                file.write(chunk)
                done += len(chunk)
                report(done, total)
    if total is not None and done != total:
        raise _Interrupted(f"it broke off after {done:,} of {total:,} bytes")


def _open(url: str, part: Path, done: int, version: str | None) -> http.client.HTTPResponse:
    if not url.startswith(("https://", "http://")):
        raise DataError(f"{url!r} is not a web address")
    headers = {"User-Agent": "xlite", "Accept-Encoding": "identity"}
    if done:
        headers["Range"] = f"bytes={done}-"
        if version:
            headers["If-Range"] = version
    request = urllib.request.Request(url, headers=headers)
    try:
        response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # the part here is not the beginning of the file there
            part.unlink(missing_ok=True)
        if error.code == 416 or error.code in _TRANSIENT_STATUS or error.code >= 500:
            raise _Interrupted(f"the server answered {error.code}") from error
        raise DataError(
            f"{url} cannot be fetched: the server answered {error.code} {error.reason}"
        ) from error
    except _BREAKS as error:
        raise _Interrupted(str(getattr(error, "reason", error))) from error
    except ValueError as error:
        raise DataError(f"{url!r} is not a web address") from error
    if response.headers.get_content_type() == "text/html":
        response.close()
        raise DataError(
            f"{url} answered with a web page instead of the file; open it in a browser to see why"
        )
    return response


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read1(_CHUNK)  # whatever has come, so that a kill loses next to nothing
    except _BREAKS as error:
        raise _Interrupted(str(error)) from error


def _check_range(response: http.client.HTTPResponse, part: Path, done: int, total: int | None) -> int | None:
    """The whole length that a 206 answer states; raises _Interrupted unless it goes on at the part's end."""
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
    stated = int(match[2]) if match and match[2] != "*" else None
    if not match or int(match[1]) != done or (total is not None and stated not in (None, total)):
        part.unlink(missing_ok=True)
        raise _Interrupted("the server went on at the wrong place")
    return total if stated is None else stated


def _content_length(response: http.client.HTTPResponse) -> int | None:
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() else None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _state_path(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _read_state(part: Path) -> _State | None:
    try:
        return _State.model_validate_json(_state_path(part).read_bytes())
    except (OSError, ValueError):
        return None


def _write_state(part: Path, total: int | None, headers: http.client.HTTPMessage) -> None:
    part.unlink(missing_ok=True)  # bytes of an older version must never meet the new state
    version = headers.get("ETag")
    if not version or version.startswith("W/"):  # If-Range takes no weak tag
        version = headers.get("Last-Modified")
    _state_path(part).write_text(_State(total=total, version=version).model_dump_json())
