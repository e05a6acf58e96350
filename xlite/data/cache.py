"""Films decoded and resized once: a memory-mapped uint8 array beside an index of the source of each row.

A cache folder holds, for a side of 224 px, `films-224-<key>.npy` (N, 224, 224), `films-224-<key>.json` and
`films-224.lock`. The key is a digest of the sources' names, sizes and modification times, so a changed
source gives another key and the array is made anew, with the rows that did not change copied over. The
index holds a CRC-32 of each film, and which have no contrast. Opening compares the sources and the array's
size, then the CRC of every film if the array was touched since it was built, else of some films.
"""

import contextlib
import errno
import hashlib
import json
import logging
import os
import shutil
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from xlite.errors import DataError, ImageError, sentence
from xlite.file_lock import file_lock
from xlite.files import Progress
from xlite.images import Preprocess, has_contrast, read_image
from xlite.places import home
from xlite.text import counted

log = logging.getLogger(__name__)

Source = tuple[str, int, int]  # name, bytes, modification time in ns

# Raise it when read_image or the resizing give other pixels. 2: DICOM look-up tables and films of 8 bits.
_FORMAT = 2
# Films that a thread decodes at a time: handing over each one would cost as much as a small film.
_TOGETHER = 8
_SAMPLE = 64


class _Index(BaseModel):
    """The index beside an array: the source and CRC-32 of each row, and when the array was built (ns).

    flat: the rows of the films without contrast; None in an older index, which does not say.
    format: what `_FORMAT` was; an index that does not say is of 1.
    """

    model_config = ConfigDict(frozen=True)
    sources: list[Source]
    crc32: list[int]
    built_ns: int
    flat: list[int] | None = None
    format: int = 1


@dataclass(frozen=True, eq=False)
class FilmFacts:
    """Of each film of an array its CRC-32, uint32 (N,), and whether it has contrast, bool (N,)."""

    crc32: np.ndarray
    contrast: np.ndarray

    @property
    def flat(self) -> int:
        """How many films have no contrast."""
        return int((~self.contrast).sum())


def cache_folder(data_root: Path | str) -> Path:
    """Where a data folder's cache goes: into its `cache`, or under home() if it cannot be written to."""
    root = Path(data_root).resolve()
    inside = root / "cache"
    if os.access(inside if inside.exists() else root, os.W_OK):
        return inside
    return home() / "cache" / hashlib.sha256(os.fsencode(root)).hexdigest()[:12]


def open_cache(
    paths: Sequence[Path], preprocess: Preprocess, folder: Path, progress: Progress | None = None
) -> np.ndarray:
    """The films at `paths`, resized: a read-only memory map, uint8 (N, S, S). Built if it is not there yet.

    A folder keeps one array for each side, so give it all films of a data folder and pick rows. Two processes
    may call this at once: one builds, the other waits. `progress(done, total)` is called while it builds.
    Raises ImageError for a film that cannot be read, DataError if the disk is full or a film is missing; no
    half cache is left.
    """
    if not paths:
        raise DataError(f"there are no films to put into {folder}")
    size = preprocess.size
    sources = [_source(path) for path in paths]
    array = _array_of(sources, size, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with file_lock(folder / f"films-{size}.lock"):
            if not _is_sound(array, len(paths), size):
                _build(array, paths, sources, preprocess, progress)
            _complete_index(array)
            for stale in folder.glob(f"films-{size}-*"):
                if stale.stem != array.stem:
                    _try_remove(stale)
            films: np.ndarray = np.load(array, mmap_mode="r")
            return films
    except OSError as error:
        raise DataError(
            f"{sentence(error, folder)}; the cache of {counted(len(paths), 'film')} at {size} px takes "
            f"{len(paths) * size**2 / 1e9:.1f} GB"
        ) from error


def is_cached(paths: Sequence[Path], size: int, folder: Path) -> bool:
    """Whether a folder has the array of these films; it is not looked at."""
    return _array_of([_source(path) for path in paths], size, folder).is_file()


def _array_of(sources: list[Source], size: int, folder: Path) -> Path:
    key = hashlib.sha256(json.dumps([_FORMAT, size, sources]).encode()).hexdigest()[:12]
    return folder / f"films-{size}-{key}.npy"


def film_facts(films: np.ndarray, rows: np.ndarray) -> FilmFacts:
    """The facts of some rows of an array uint8 (M, S, S): from the cache's index, else from the films."""
    if isinstance(films, np.memmap):
        with contextlib.suppress(OSError, ValueError):
            index = _read_index(Path(str(films.filename)))
            if index.flat is not None and len(index.crc32) == len(films):
                crc32 = np.array(index.crc32, np.uint32)[rows]
                return FilmFacts(crc32, ~np.isin(rows, index.flat))
    crcs = [zlib.crc32(films[row]) for row in rows]
    return FilmFacts(np.array(crcs, np.uint32), np.array([has_contrast(films[row]) for row in rows], bool))


def cached_crcs(folder: Path) -> tuple[int, dict[str, int]]:
    """The side in px of the newest array of a cache folder, and the CRC-32 of each of its films by file name.

    0 and none if there is no array; nothing is built, and the films may have changed since.
    """
    for index in sorted(folder.glob("films-*-*.json"), key=_built, reverse=True):
        with contextlib.suppress(OSError, ValueError):
            found = _Index.model_validate_json(index.read_bytes())
            if found.format == _FORMAT and len(found.crc32) == len(found.sources):
                names = [name for name, _, _ in found.sources]
                return int(index.stem.split("-")[1]), dict(zip(names, found.crc32, strict=True))
    return 0, {}


def _built(index: Path) -> float:
    """When an index was written; 0 if it is gone."""
    try:
        return index.stat().st_mtime
    except OSError:
        return 0


def fingerprint(*parts: FilmFacts) -> str:
    """16 hex digits of the pixels of films in their order."""
    digest = hashlib.sha256()
    for facts in parts:
        digest.update(facts.crc32.astype("<u4").tobytes())
    return digest.hexdigest()[:16]


def _source(path: Path) -> Source:
    try:
        stat = path.stat()
    except OSError as error:
        raise DataError(f"the film {path} cannot be opened: {error.strerror}") from error
    return path.name, stat.st_size, stat.st_mtime_ns


def _is_sound(array: Path, films: int, size: int) -> bool:
    """Whether the array is there with its index, of the right shape, and unharmed."""
    try:
        index, rows = _read_array(array)
    except (OSError, ValueError, EOFError):
        return False
    if rows.shape != (films, size, size) or rows.dtype != np.uint8 or len(index.crc32) != films:
        return False
    untouched = array.stat().st_mtime_ns == index.built_ns
    looked_at = range(0, films, max(1, films // _SAMPLE)) if untouched else range(films)
    return all(zlib.crc32(rows[row]) == index.crc32[row] for row in looked_at)


def _read_array(array: Path) -> tuple[_Index, np.ndarray]:
    """An array's index and the array itself, mapped; raises OSError, ValueError or EOFError on damage."""
    return _read_index(array), np.load(array, mmap_mode="r")


def _read_index(array: Path) -> _Index:
    """An array's index; raises OSError or ValueError on damage."""
    return _Index.model_validate_json(array.with_suffix(".json").read_bytes())


def _complete_index(array: Path) -> None:
    """Looks for films without contrast if the index is an older one, which does not tell them."""
    index, films = _read_array(array)
    if index.flat is None:
        flat = [row for row, film in enumerate(films) if not has_contrast(film)]
        _write_index(array, index.model_copy(update={"flat": flat}))


def _write_index(array: Path, index: _Index) -> None:
    partial = array.with_suffix(".partial")
    partial.write_text(index.model_dump_json(), encoding="utf-8")
    os.replace(partial, array.with_suffix(".json"))


def _build(
    array: Path,
    paths: Sequence[Path],
    sources: list[Source],
    preprocess: Preprocess,
    progress: Progress | None,
) -> None:
    """Writes the array and its index; each appears whole, the index last."""
    size, partial = preprocess.size, array.with_suffix(".partial")
    crcs: list[int] = []
    flat: list[int] = []
    try:
        _check_disk(array.parent, len(paths) * size**2)
        # Written, not mapped: a full disk is then an error here, and not a SIGBUS.
        with open(partial, "wb") as file:
            header = {"descr": "|u1", "fortran_order": False, "shape": (len(paths), size, size)}
            np.lib.format.write_array_header_1_0(file, header)
            for films in _decoded(array, paths, sources, preprocess):
                file.write(films.data)
                for film in films:
                    flat += [] if has_contrast(film) else [len(crcs)]
                    crcs.append(zlib.crc32(film))
                    if progress:
                        progress(len(crcs), len(paths))
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, array)
        built_ns = array.stat().st_mtime_ns
        _write_index(array, _Index(sources=sources, crc32=crcs, built_ns=built_ns, flat=flat, format=_FORMAT))
    finally:
        partial.unlink(missing_ok=True)


def _decoded(
    array: Path, paths: Sequence[Path], sources: list[Source], preprocess: Preprocess
) -> Iterator[np.ndarray]:
    """The resized films in order, uint8 (n, S, S) at a time; unchanged ones come from an earlier array."""
    size, threads = preprocess.size, os.cpu_count() or 1
    earlier = _earlier_rows(array, size)

    def film(at: int) -> np.ndarray:
        if (kept := earlier.get(sources[at])) is not None:
            return kept
        try:
            return preprocess.resize(read_image(paths[at]))
        except ImageError as error:
            raise ImageError(f"{error}; `xlite data check` lists all films that cannot be read") from error

    def decode(start: int) -> np.ndarray:
        return np.stack([film(at) for at in range(start, min(start + _TOGETHER, len(paths)))])

    # Pillow and OpenCV let go of the interpreter, so threads do; not far ahead, so that memory stays flat.
    with ThreadPoolExecutor(threads) as pool:
        ahead: deque[Future[np.ndarray]] = deque()
        for start in range(0, len(paths), _TOGETHER):
            ahead.append(pool.submit(decode, start))
            if len(ahead) > 2 * threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _earlier_rows(array: Path, size: int) -> dict[Source, np.ndarray]:
    """The unharmed rows of this array's predecessors, by their source."""
    rows: dict[Source, np.ndarray] = {}
    for index_file in set(array.parent.glob(f"films-{size}-*.json")) - {array.with_suffix(".json")}:
        try:
            index, films = _read_array(index_file.with_suffix(".npy"))
            earlier = list(zip(index.sources, films, index.crc32, strict=True))
        except (OSError, ValueError, EOFError):
            continue
        if index.format != _FORMAT:
            log.warning(
                "the cache %s was made by another version of X-Lite, which read some films differently: "
                "it is made anew",
                index_file.with_suffix(".npy"),
            )
            continue
        rows |= {source: film for source, film, crc in earlier if zlib.crc32(film) == crc}
    return rows


def _check_disk(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(errno.ENOSPC, f"only {free / 1e9:.1f} GB are free")


def _try_remove(path: Path) -> None:
    # Windows keeps a file that another process has mapped; the next build removes it.
    with contextlib.suppress(PermissionError):
        path.unlink(missing_ok=True)
