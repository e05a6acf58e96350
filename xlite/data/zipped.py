"""Films in a zipped folder, read where they lie: nothing is unpacked to a disk, also of a zip held in memory.

Only what a zip's own directory lists is looked up, by the exact name, so that no name leads anywhere else.
Sizes are checked before anything is unpacked, and what comes of a film by its checksum.
"""

import io
import os
import stat
import struct
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from xlite.data.film_kinds import HEAD, HIDDEN, NO_FILE, NO_FILM, holds_film, is_hidden
from xlite.errors import DataError, ImageError, sentence
from xlite.images import MAX_BYTES, is_image_name

MAX_MEMBERS = 100_000
_MAX_DIRECTORY = 96 * MAX_MEMBERS  # bytes; an entry has 46 and its name
_FREE_BYTES, _MOST_TIMES = 2**30, 100  # what a zip may unpack to: so much, or so many times its size
_ENCRYPTED = 0x1
_LOCAL = struct.Struct("<4s22sHH")  # the header before a member: signature, lengths of its name and extra
_BROKEN = (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError, struct.error, LookupError)


@dataclass(frozen=True)
class ZipInMemory:
    """The bytes of a zip that lies in no folder, and what it is called in messages."""

    name: str
    data: bytes = field(repr=False)

    def __fspath__(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.name


Archive = Path | ZipInMemory


@dataclass(frozen=True)
class ZippedFilm:
    """A film in a zip: where the zip lies, its name there, and where its packed bytes begin."""

    archive: Archive
    member: str
    start: int
    packed: int
    size: int
    crc: int
    is_deflated: bool

    def __fspath__(self) -> str:
        """What it is called in messages, as if the zip were a folder."""
        return os.path.join(self.archive, self.member)

    def __str__(self) -> str:
        return self.__fspath__()

    @property
    def name(self) -> str:
        """Its file name, without folder."""
        return PurePosixPath(self.member).name

    def read_bytes(self) -> bytes:
        """The bytes of the film's file. Raises ImageError."""
        if self.size > MAX_BYTES:
            raise ImageError(f"the file is larger than {MAX_BYTES // 2**20} MB; export it smaller")
        data = self._unpacked(self.size + 1)
        if len(data) != self.size or zlib.crc32(data) != self.crc:
            raise _damaged()
        return data

    def head(self) -> bytes:
        """Its first bytes, by which films are told. Raises ImageError."""
        return self._unpacked(HEAD)

    def _unpacked(self, most: int) -> bytes:
        try:
            with _stream(self.archive) as file:
                file.seek(self.start)
                signature, _, name, extra = _LOCAL.unpack(file.read(_LOCAL.size))
                if signature != b"PK\3\4":
                    raise _damaged()
                file.seek(name + extra, os.SEEK_CUR)
                if not self.is_deflated:
                    return file.read(min(most, self.packed))
                # What does not shrink takes a little more room packed than as it is.
                packed = file.read(min(self.packed, most + most // 1000 + 2**10))
                return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, most)
        except (OSError, struct.error, zlib.error) as error:
            raise _damaged() from error


def is_zip(path: Path) -> bool:
    """Whether a file is a zipped folder, by its name and how it begins."""
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return begins_as_zip(path.name, file.read(4))


def begins_as_zip(name: str, head: bytes) -> bool:
    """Whether a file of that name that begins so is a zipped folder."""
    return name.lower().endswith(".zip") and head[:4] in (b"PK\3\4", b"PK\5\6")


def find_zipped_films(archive: Archive) -> tuple[list[ZippedFilm], Counter[str]]:
    """The films in a zip by name, found as in a folder, and how many other things it has: {reason: count}.

    Raises DataError if the zip is damaged, encrypted, made to unpack to too much, or holds another zip.
    """
    # Not is_dir, which fails for a name without a letter.
    members = [member for member in _members(archive) if not member.filename.endswith("/")]
    _check(archive, members)
    films, passed_over = [], Counter[str]()
    for member in sorted(members, key=lambda member: member.filename):
        film = _film(archive, member)
        if why := _passed_over(member, film):
            passed_over[why] += 1
        else:
            films.append(film)
    return films, passed_over


def _film(archive: Archive, member: zipfile.ZipInfo) -> ZippedFilm:
    return ZippedFilm(
        archive,
        str(_path(member)),
        member.header_offset,
        member.compress_size,
        member.file_size,
        member.CRC,
        member.compress_type == zipfile.ZIP_DEFLATED,
    )


def _path(member: zipfile.ZipInfo) -> PurePosixPath:
    return PurePosixPath(member.filename.replace("\\", "/"))


def _passed_over(member: zipfile.ZipInfo, film: ZippedFilm) -> str:
    """Why a member is not a film to read; empty if it is one."""
    if any(map(is_hidden, _path(member).parts)):
        return HIDDEN
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        return NO_FILE
    try:
        return "" if is_image_name(film.name) or holds_film(film.head()) else NO_FILM
    except ImageError:
        return NO_FILM


class _Bounded(io.FileIO):
    """A file of which little is read at once: a directory may state gigabytes."""

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes. Raises ValueError if they are more than the directory of a zip of films."""
        return super().read(_few(size)) or b""


class _BoundedMemory(io.BytesIO):
    """The same of a zip in memory."""

    def read(self, size: int | None = -1) -> bytes:
        """As `_Bounded.read`."""
        return super().read(_few(size))


def _few(size: int | None) -> int | None:
    if size is not None and size > _MAX_DIRECTORY:
        raise ValueError(f"more than {MAX_MEMBERS:,} files")
    return size


def _bounded(archive: Archive) -> _Bounded | _BoundedMemory:
    return _BoundedMemory(archive.data) if isinstance(archive, ZipInMemory) else _Bounded(archive)


def _stream(archive: Archive) -> BinaryIO:
    return io.BytesIO(archive.data) if isinstance(archive, ZipInMemory) else open(archive, "rb")


def _members(archive: Archive) -> list[zipfile.ZipInfo]:
    try:
        with _bounded(archive) as file, zipfile.ZipFile(file) as opened:
            members = opened.infolist()
    except _BROKEN as error:
        why = sentence(error) if isinstance(error, OSError) else str(error)
        raise DataError(f"the zip {archive} cannot be read ({why}); zip the folder again") from error
    if len(members) > MAX_MEMBERS:
        raise DataError(
            f"the zip {archive} has {len(members):,} files; the limit is {MAX_MEMBERS:,}, so unpack it first"
        )
    return members


def _check(archive: Archive, members: list[zipfile.ZipInfo]) -> None:
    """Raises DataError for a zip that should not be read."""
    for member in members:
        path = _path(member)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise DataError(f"the zip {archive} names a file outside of it ({path}); zip the folder again")
        if path.suffix.lower() == ".zip":
            raise DataError(f"the zip {archive} holds another zip ({path}); unpack it first")
        if member.flag_bits & _ENCRYPTED:
            raise DataError(f"the zip {archive} is encrypted; unpack it first")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DataError(f"the zip {archive} is packed in an unusual way ({path}); unpack it first")
    names = set(map(_path, members))
    size = len(archive.data) if isinstance(archive, ZipInMemory) else archive.stat().st_size
    total = sum(member.file_size for member in members)
    places = sorted((member.header_offset, member.compress_size) for member in members)
    overlap = any(at + packed > following for (at, packed), (following, _) in pairwise(places))
    if overlap or len(names) != len(members) or any(at + packed > size for at, packed in places):
        raise DataError(f"the zip {archive} is damaged: its files overlap or are cut; zip the folder again")
    if total > max(_FREE_BYTES, _MOST_TIMES * size):
        raise DataError(
            f"the zip {archive} unpacks to {total / 1e9:,.0f} GB, over {_MOST_TIMES} times its size, "
            "as no folder of films does; unpack it yourself"
        )


def _damaged() -> ImageError:
    return ImageError("the zip is damaged here; zip the folder again")
