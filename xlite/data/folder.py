"""A data folder in the NIH layout: its table, and the file of each film."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from xlite.data.film_files import FilmFiles, find_film_files
from xlite.data.film_names import stem_of
from xlite.data.layout import data_roots
from xlite.data.leakage import Shared, films_sharing_patients
from xlite.data.tables import BOX_COLUMNS, find_table, label_version, read_boxes, read_table
from xlite.errors import DataError
from xlite.files import read_file
from xlite.findings import FINDINGS
from xlite.labels import films_known, known, positive
from xlite.patients import patient_bytes

_BOX_FILE = "BBox_List_2017.csv"


Changes = list[tuple[str, int, int]]
"""Name, modification time in ns and bytes of files and folders."""


def changes(data: Path) -> Changes:
    """The state of a data folder, or of several joined by commas, and of all in them; empty if none is there.

    Caches of it are renewed if this differs, also by an older file or after a clock was put back.
    """
    roots = [root for root in data_roots(data) if root.is_dir()]
    stats = [(path.name, path.stat()) for root in roots for path in (root, *root.iterdir()) if path.exists()]
    return sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)


def changes_for_training(data: Path) -> Changes:
    """The state of a data folder, or of several, with that of its splits and of where its films lie.

    Not of each film, of which there may be 112,120: a folder has another time once one comes or goes.
    """
    found: Changes = []
    for root in data_roots(data):
        folders = [path for path in (*root.glob("images*"), *root.glob("images*/images")) if path.is_dir()]
        found += [(path.name, path.stat().st_mtime_ns, 0) for path in folders]
        found += [one for place in (root, *root.glob("splits/*")) for one in changes(place)]
    return found


def film_files(root: Path) -> FilmFiles:
    """Every film of a data folder: in images/, images_NNN/, images_NNN/images/, and then their subfolders."""
    folders = [root / "images", *sorted(root.glob("images_*")), *sorted(root.glob("images_*/images"))]
    return find_film_files(filter(Path.is_dir, folders))


PHANTOM_NOTE, PHANTOM_TITLE = "README.txt", "Phantom chest films: synthetic."
"""The file by which a folder of drawn films is known, and how it begins."""


def is_phantom(root: Path) -> bool:
    """Whether the films of a folder were drawn, as `xlite data phantom` notes."""
    try:
        return read_file(root / PHANTOM_NOTE).startswith(PHANTOM_TITLE.encode())
    except OSError:
        return False


@dataclass(frozen=True, eq=False)
class NihFolder:
    """A data folder in the NIH layout: its table and the files of its films (`paths`: stem to file)."""

    root: Path
    table: pd.DataFrame
    label_version: str
    paths: dict[str, Path]

    @classmethod
    def open(cls, root: Path | str) -> "NihFolder":
        """The folder's table and films, of which there may be none. Raises DataError as read_table does."""
        root = Path(root)
        table_path = find_table(root)
        paths: dict[str, Path] = {}
        for path in film_files(root).films:
            paths.setdefault(stem_of(path.name), path)
        return cls(root, read_table(table_path), label_version(table_path), paths)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {stem: row for row, stem in enumerate(self.table["stem"].tolist())}

    @cached_property
    def is_phantom(self) -> bool:
        """Whether its films were drawn, as `xlite data phantom` notes: they are of no patient."""
        return is_phantom(self.root)

    def __contains__(self, stem: str) -> bool:
        return stem in self._rows

    def rows(self, stems: Iterable[str]) -> np.ndarray:
        """The films' rows in the table, int64 (N,). Raises DataError for a film that the table lacks."""
        try:
            return np.array([self._rows[stem] for stem in stems], dtype=np.int64)
        except KeyError as error:
            raise DataError(f"the table of {self.root} lists no film {error.args[0]}") from error

    def have_files(self, stems: Sequence[str]) -> np.ndarray:
        """Which of the films have a file, bool (N,)."""
        return np.array([stem in self.paths for stem in stems], dtype=bool)

    def missing(self) -> list[str]:
        """The stems that the table lists and that have no file."""
        return [stem for stem in self.table["stem"].tolist() if stem not in self.paths]

    @cached_property
    def labelled(self) -> tuple[str, ...]:
        """The findings whose label is known of at least one film; the others are not labelled here."""
        films = films_known(self._label_array)
        return tuple(finding for finding, count in zip(FINDINGS, films, strict=True) if count)

    def labels(self, stems: Sequence[str]) -> np.ndarray:
        """The films' labels, float32 (N, 14) of 0 and 1, NaN if unknown."""
        labels: np.ndarray = self._label_array[self.rows(stems)].astype(np.float32)
        return labels

    def patients(self, stems: Sequence[str]) -> np.ndarray:
        """The films' patients, (N,) ids as text."""
        patients: np.ndarray = self.table["patient"].to_numpy()[self.rows(stems)]
        return patients

    def finding_counts(self, stems: Sequence[str]) -> np.ndarray:
        """How many of the 14 findings each film is known to have, int64 (N,)."""
        counts: np.ndarray = positive(self._label_array[self.rows(stems)]).sum(1, dtype=np.int64)
        return counts

    def names(self, stems: Sequence[str]) -> list[str]:
        """The films' names as the table writes them."""
        names: list[str] = self.table["image"].iloc[self.rows(stems)].tolist()
        return names

    @property
    def parts(self) -> "tuple[NihFolder, ...]":
        """The folders on the disk that it is of: itself."""
        return (self,)

    def here(self, stems: Iterable[str]) -> list[str]:
        """What films of a list are called here: as they are there."""
        return [*stems]

    def sharing_patients(self, learned: Sequence[str], judged: Sequence[str]) -> Shared:
        """What the films `judged`, all of the table, share with those learned from."""
        return films_sharing_patients(learned, judged, self.table)

    def boxes(self) -> pd.DataFrame:
        """The radiologists' boxes as `read_boxes` gives them; empty if the folder has none."""
        path = self.root / _BOX_FILE
        return read_boxes(path) if path.exists() else pd.DataFrame(columns=BOX_COLUMNS)

    def fingerprint(self) -> str:
        """12 hex digits of the table's content, whatever the order of its rows and its compression."""
        ordered = self.table.sort_values("stem")
        digest = hashlib.sha256()
        for column in ("stem", "sex", "view"):
            digest.update("\n".join(ordered[column].tolist()).encode())
        digest.update(patient_bytes(ordered["patient"].tolist()))
        digest.update(ordered["follow_up"].to_numpy("<i8").tobytes())
        digest.update(ordered["age"].to_numpy("<f8").tobytes())
        labels = ordered[list(FINDINGS)].to_numpy()
        digest.update(positive(labels).astype("u1").tobytes())
        if not (here := known(labels)).all():  # else as it was before labels could be unknown
            digest.update(here.astype("u1").tobytes())
        return digest.hexdigest()[:12]

    @cached_property
    def _label_array(self) -> np.ndarray:
        labels: np.ndarray = self.table[list(FINDINGS)].to_numpy()
        return labels
