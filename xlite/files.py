"""Files that one process writes while others read them. Imports no torch."""

import errno
import hashlib
import os
import re
import shutil
import stat
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

Progress = Callable[[int, int], None]
"""What long work calls now and then: `progress(done, total)`."""


class Steps:
    """Work of several parts as one progress: `total` units, which grow if a part turns out to be needed."""

    def __init__(self, progress: Progress | None = None, total: int = 0) -> None:
        self.progress, self.done, self.total = progress, 0, total
        self._tell()

    def step(self) -> None:
        """One unit is done."""
        self.done += 1
        self._tell()

    def _tell(self) -> None:
        if self.progress:
            self.progress(self.done, max(self.done, self.total))


T = TypeVar("T")
PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
"""A name that can be a folder's on every system."""
_TAIL_BLOCK = 64 * 1024


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder to fill: once whole it takes the place of `out`, missing or empty; else nothing is left.

    Raises OSError.
    """
    out.absolute().parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".new-", dir=out.absolute().parent))
    try:
        yield scratch
        scratch.chmod(0o755)
        if out.exists():
            out.rmdir()
        os.replace(scratch, out)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def write_atomic(path: Path, data: bytes) -> None:
    """Replaces a whole file at once: readers see the old bytes or the new ones, also after a power cut.

    Raises OSError with the file's own path.
    """
    path = Path(path)
    # A part of the name: with all of it the draft of a long one could not be made.
    draft = path.with_name(f".{path.name[:50]}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        with open(draft, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _patiently(lambda: os.replace(draft, path))
    except OSError as error:  # which names the draft, or no file at all if the disk is full
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        draft.unlink(missing_ok=True)


def read_whole(path: Path) -> bytes:
    """The bytes of a file that write_atomic replaces, as `read_file`; FileNotFoundError if there is none."""
    return _patiently(lambda: read_file(path))


def read_file(path: Path | str) -> bytes:
    """The bytes of a file that somebody named.

    Raises OSError, also at once for a pipe, a socket or a device, which might never end.
    """
    with _opened(path) as file:
        return file.read()


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal digits. Raises OSError."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tail_lines(path: Path, lines: int) -> str:
    """The last lines of a log, empty if there is none; of a bar that redraws itself, its last state.

    Raises OSError as `read_file`.
    """
    try:
        with _opened(path) as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BLOCK))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    whole = (line.rstrip("\r").rsplit("\r", 1)[-1] for line in text.rstrip().split("\n"))
    return "\n".join(deque(whole, maxlen=lines))


@contextmanager
def _opened(path: Path | str) -> Iterator[BinaryIO]:
    with open(path, "rb", opener=_open_at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is a pipe, a socket or a device, not a file", str(path))
        yield file


def _open_at_once(path: str, flags: int) -> int:
    """Opens a pipe too without waiting for somebody at its other end."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _patiently(act: Callable[[], T]) -> T:
    """Acts, and tries again: Windows refuses to replace a file being read, and to read one being replaced."""
    for pause in (0.01, 0.05, 0.2) if sys.platform == "win32" else ():
        try:
            return act()
        except PermissionError:
            time.sleep(pause)
    return act()
