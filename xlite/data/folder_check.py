"""Checks every film of a data folder: is it there, can it be read, is it there twice, is it in the table."""

import hashlib
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from xlite.data.folder import NihFolder, film_files
from xlite.data.tables import stem_of
from xlite.errors import ImageError
from xlite.files import Progress
from xlite.images import check_contrast, read_image

_THREADS = 2


@dataclass(frozen=True)
class CheckReport:
    """What is wrong with a data folder; files are given relative to it.

    missing: stems of the table without a file; unreadable: (file, why); duplicates: files of the same bytes
    or the same stem, in groups; off_table: files that the table does not list.
    """

    missing: list[str]
    unreadable: list[tuple[str, str]]
    duplicates: list[list[str]]
    off_table: list[str]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.missing or self.unreadable or self.duplicates or self.off_table)


def check_folder(folder: NihFolder, progress: Progress | None = None) -> CheckReport:
    """Reads every film of the folder to its end; `progress(done, total)` is called after each."""
    files = film_files(folder.root)
    names = [path.relative_to(folder.root).as_posix() for path in files]
    alike: dict[str, set[str]] = defaultdict(set)
    unreadable = []
    with ThreadPoolExecutor(_THREADS) as pool:
        for done, (path, name, (digest, why)) in enumerate(
            zip(files, names, pool.map(_examine, files), strict=True), 1
        ):
            alike[stem_of(path.name)].add(name)
            alike[digest].add(name)
            if why:
                unreadable.append((name, why))
            if progress:
                progress(done, len(files))
    groups = {tuple(sorted(group)) for group in alike.values() if len(group) > 1}
    return CheckReport(
        missing=folder.missing(),
        unreadable=unreadable,
        duplicates=[list(group) for group in sorted(groups)],
        off_table=[name for path, name in zip(files, names, strict=True) if stem_of(path.name) not in folder],
    )


def _examine(path: Path) -> tuple[str, str]:
    """A film's digest and why it cannot be read ("" if it can)."""
    try:
        content = path.read_bytes()
    except OSError as error:
        return path.as_posix(), f"{path.name} cannot be opened: {error.strerror}"
    digest = hashlib.sha256(content).hexdigest()
    try:
        check_contrast(read_image(content))
    except ImageError as error:
        return digest, str(error)
    return digest, ""
