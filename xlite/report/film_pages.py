"""The PDF of each film as a file: what `xlite predict --pdf` writes."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from xlite.classify import Classifier
from xlite.data.film_names import stem_of
from xlite.files import write_atomic
from xlite.guarded import GuardedReading
from xlite.predict.films import Film
from xlite.predict.output import Work
from xlite.predict.overlays import file_name
from xlite.report.film_pdf import FilmPage, films_pdf


@dataclass(frozen=True, eq=False)
class FilmPages:
    """Writes `<stem>.pdf` of each film into a folder, dated when it is made."""

    classifier: Classifier
    folder: Path

    @property
    def work(self) -> Work:
        """What the results depend on beyond what the tables do."""
        return {"pdf": True}

    def write(self, film: Film, answer: GuardedReading) -> None:
        """Writes the page of a film, also of one that is refused. Raises OSError."""
        page = films_pdf(self.classifier, [FilmPage(film.name, answer)], datetime.now(UTC))
        write_atomic(self.folder / file_name(stem_of(film.name), ".pdf"), page)
