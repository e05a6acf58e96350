"""Results as files: what `xlite predict --dicom-out` writes of each DICOM film."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from xlite.data.film_names import stem_of
from xlite.errors import ImageError
from xlite.formats.dicom import looks_like_dicom
from xlite.guarded import GuardedReading
from xlite.images import film_bytes
from xlite.pacs.results import ObjectMaker
from xlite.pacs.source import read_source, to_bytes
from xlite.predict.films import Film
from xlite.predict.output import Work
from xlite.predict.overlays import file_name
from xlite.text import counted

if TYPE_CHECKING:
    from xlite.pacs.web import DicomWeb


@dataclass(eq=False)
class DicomFiles:
    """Writes results into a folder, if there is one, and stores them in a DICOMweb service, if there is one.

    `films` counts those that have results, `others` those that are not DICOM files and have none.
    """

    maker: ObjectMaker
    folder: Path | None
    web: "DicomWeb | None"
    when: datetime
    films: int = 0
    objects: int = 0
    others: int = 0
    _lock: Lock = field(default_factory=Lock)

    @property
    def work(self) -> Work:
        """What the results depend on beyond what the tables do."""
        where = str(self.folder.absolute()) if self.folder else None
        return {
            "dicom": where,
            "dicom stored": self.web.url if self.web else None,
            "dicom maps": self.maker.wanted.maps,
            "dicom 3d": self.maker.wanted.three_d,
        }

    def write(self, film: Film, answer: GuardedReading) -> None:
        """Writes `<stem>_report.dcm` and a `<stem>_map_<number>.dcm` a map, and stores them.

        The film's file is read again, for what its header says. Raises OSError, ImageError, DataError.
        """
        data = film_bytes(film.path) if isinstance(film.path, Path) else film.path.read_bytes()
        if not looks_like_dicom(data):
            with self._lock:
                self.others += 1
            return
        source = read_source(data)
        if source.is_own:
            raise ImageError("it is a picture that X-Lite made: nothing is made of it")
        datasets = self.maker.of(source, answer, self.when)
        if self.folder:
            self.folder.mkdir(parents=True, exist_ok=True)
            for number, dataset in enumerate(datasets):
                ending = f"_map_{number}.dcm" if number else "_report.dcm"
                (self.folder / file_name(stem_of(film.name), ending)).write_bytes(to_bytes(dataset))
        if self.web:
            self.web.store(datasets)
        with self._lock:
            self.films += 1
            self.objects += len(datasets)

    def said(self) -> str:
        """What was written, in a sentence; research, not for care."""
        where = " and ".join(filter(None, [str(self.folder or ""), self.web.url if self.web else ""]))
        made = f"{counted(self.objects, 'DICOM object')} of {counted(self.films, 'film')}: {where}"
        others = f" {counted(self.others, 'film')} of another format got none." if self.others else ""
        return f"{made}. For research, not for care.{others}"
