"""Unpacking an archive of films that nobody has vouched for.

Nothing of the archive decides where or how a file is written: a member must be a regular file named
`images/<name>.png` that begins as a PNG, is written by us under that bare name, and counts against limits
that hold while reading, so that neither a path, a link, a device nor a bomb gets out.
"""

import gzip
import io
import os
import re
import shutil
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

from xlite.errors import DataError
from xlite.formats.png_stream import SIGNATURE as PNG_SIGNATURE

MAX_FILMS = 20_000  # an archive; NIH's largest has 10,000
MAX_FILM_BYTES = 32 * 2**20  # NIH's largest films have 3 MB
MAX_TOTAL_BYTES = 10 * 2**30  # NIH's largest archive holds 4.2 GB

_FILM_PATH = re.compile(r"(?:\./)?images/([A-Za-z0-9_-]{1,64}\.png)")
_FOLDER_PATH = re.compile(r"(?:\./?)?(?:images/?)?")
_HEADER_BYTES = 2**20  # headers and padding between two members; an ordinary archive needs 1 kB


class _Metered(io.BufferedIOBase):
    """A readable stream that refuses to give more than `left` bytes: a header can be a bomb too."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream
        self.left = _HEADER_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes; raises DataError if fewer are left."""
        data = self._stream.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise DataError("it holds far more than films")
        return data


def unpack_films(archive: Path, folder: Path, progress: Callable[[int], None] = lambda films: None) -> int:
    """Unpack the PNG films of a .tar.gz into `folder`, all or none; returns how many there were.

    The whole archive is read and its checksum compared before the first film appears in `folder`.
    Raises DataError if the archive is damaged or holds anything but films, OSError if the disk is full.
    """
    staging = folder.with_name(f".{folder.name}.unpacking")  # hidden: its films are not the folder's yet
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        _unpack_all(archive, staging, progress)
        folder.mkdir(exist_ok=True)
        films = list(staging.iterdir())
        for film in films:
            os.replace(film, folder / film.name)
        return len(films)
    except DataError as error:
        raise DataError(f"{archive.name} was refused: {error}") from error
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{archive.name} is damaged or no .tar.gz archive ({error})") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _unpack_all(archive: Path, staging: Path, progress: Callable[[int], None]) -> None:
    films = total = 0
    # tarfile's own gzip stream never compares the checksum; gzip does, once it is read to its end.
    with gzip.open(archive) as plain:
        stream = _Metered(plain)
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            for member in tar:
                if member.isdir() and _FOLDER_PATH.fullmatch(member.name):
                    continue
                name = _film_name(member)
                films, total = films + 1, total + member.size
                if films > MAX_FILMS or total > MAX_TOTAL_BYTES:
                    raise DataError(
                        f"it holds more than {MAX_FILMS:,} films or {MAX_TOTAL_BYTES // 2**30} GB"
                    )
                stream.left = member.size + _HEADER_BYTES
                _write_film(tar, member, staging / name)
                progress(films)
        while stream.read(2**16):
            pass


def _film_name(member: tarfile.TarInfo) -> str:
    """The bare file name of a member that is a film; raises DataError for everything else."""
    match = _FILM_PATH.fullmatch(member.name)
    if not match or not member.isreg() or member.issparse():
        raise DataError(f"it holds {member.name[:80]!r}, which is not a film under images/")
    if member.size > MAX_FILM_BYTES:
        raise DataError(f"{member.name} has {member.size:,} bytes; a film has at most {MAX_FILM_BYTES:,}")
    return match[1]


def _write_film(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    file = tar.extractfile(member)
    content = file.read() if file else b""
    if not content.startswith(PNG_SIGNATURE):
        raise DataError(f"{member.name} is not a PNG image")
    path.write_bytes(content)
