"""Checks every film of a data folder: is it there, can it be read, is it there twice, is it in the table.

With the gate also: is it a frontal chest X-ray, upright and not inverted.
"""

import hashlib
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from xlite.data.film_names import stem_of
from xlite.data.folder import NihFolder, film_files
from xlite.errors import ImageError
from xlite.files import Progress
from xlite.findings import FINDINGS
from xlite.guards.gate import Gate
from xlite.guards.verdict import Guards
from xlite.images import check_contrast, film_bytes, read_image
from xlite.labels import films_known

_THREADS = 2


@dataclass(frozen=True)
class CheckReport:
    """What is wrong with a data folder; files are given relative to it.

    missing: stems of the table without a file; unreadable: (file, why); duplicates: files of the same bytes
    or the same stem, in groups; off_table: files that the table does not list. passed_over counts what lies
    among the films and was not looked at, {reason: count}, which is not a fault. suspected: (file, guards) of
    films that the gate would refuse or offer to turn, no fault either; None if it was not asked.
    not_labelled: findings whose label no row of the table gives; unknown_labels: of other findings, how many
    rows leave it unknown. That is not a fault; None if there are none.
    """

    missing: list[str]
    unreadable: list[tuple[str, str]]
    duplicates: list[list[str]]
    off_table: list[str]
    passed_over: dict[str, int] = field(default_factory=dict)
    suspected: list[tuple[str, Guards]] | None = None
    not_labelled: list[str] | None = None
    unknown_labels: dict[str, int] | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.missing or self.unreadable or self.duplicates or self.off_table)


def check_folder(
    folder: NihFolder, progress: Progress | None = None, gate: Gate | None = None
) -> CheckReport:
    """Reads every film of the folder to its end; `progress(done, total)` is called after each."""
    found = film_files(folder.root)
    files = found.films
    names = [path.relative_to(folder.root).as_posix() for path in files]
    alike: dict[str, set[str]] = defaultdict(set)
    unreadable, suspected = [], []
    with ThreadPoolExecutor(_THREADS) as pool:
        for done, (path, name, (digest, why, guards)) in enumerate(
            zip(files, names, pool.map(partial(_examine, gate=gate), files), strict=True), 1
        ):
            alike[stem_of(path.name)].add(name)
            alike[digest].add(name)
            if why:
                unreadable.append((name, why))
            if guards and guards.verdict in {"refuse", "offer"}:
                suspected.append((name, guards))
            if progress:
                progress(done, len(files))
    films = len(folder.table)
    unknown = dict(zip(FINDINGS, films - films_known(folder.labels(folder.table["stem"])), strict=True))
    groups = {tuple(sorted(group)) for group in alike.values() if len(group) > 1}
    return CheckReport(
        missing=folder.missing(),
        unreadable=unreadable,
        duplicates=[list(group) for group in sorted(groups)],
        off_table=[name for path, name in zip(files, names, strict=True) if stem_of(path.name) not in folder],
        passed_over=dict(found.passed_over),
        suspected=suspected if gate else None,
        not_labelled=[finding for finding, count in unknown.items() if count == films] or None,
        unknown_labels={finding: int(count) for finding, count in unknown.items() if 0 < count < films}
        or None,
    )


def _examine(path: Path, gate: Gate | None) -> tuple[str, str, Guards | None]:
    """A film's digest, why it cannot be read ("" if it can), and what the gate says of it."""
    digest = path.as_posix()
    try:
        content = film_bytes(path)
        digest = hashlib.sha256(content).hexdigest()
        image = read_image(content)
        check_contrast(image)
    except ImageError as error:
        return digest, str(error), None
    return digest, "", gate.judge(image) if gate else None
