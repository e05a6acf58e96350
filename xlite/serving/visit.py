"""What a visitor reads, in the memory of the visit alone: a bounded number of films, and what was found.

visit.take(uploads)                      # films of files, zips unpacked; nothing is written to a disk
visit.views[key, model] = view_upload(…) # read once for each model
visit.note(key, model, title, view)      # a line of the history
visit.forget_for_good(visit.films)
"""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from xlite.classify import read_upload, too_large
from xlite.data.film_files import passed_over_words
from xlite.data.film_names import stem_of
from xlite.data.folder import NihFolder
from xlite.data.known_films import KnownFilms
from xlite.data.zipped import ZipInMemory, ZippedFilm, begins_as_zip, find_zipped_films
from xlite.errors import DataError, ImageError
from xlite.formats import FORMATS
from xlite.guarded import GuardedReader
from xlite.guards.verdict import fixed
from xlite.images import MAX_UPLOAD_MB
from xlite.messages import in_words
from xlite.report.film_sentences import film_cells
from xlite.serving.upload_limits import MAX_OWN_FILMS, room
from xlite.serving.viewer import FilmView, view_upload
from xlite.serving.viewer_data import ViewerFilm

KEPT_FILMS = MAX_OWN_FILMS
KEPT_MB = 256
"""So many films a visit keeps beside those on view, and so many megabytes of uploads; the oldest go first."""
KEPT_WORDS = (
    f"Beside those on view the latest {KEPT_FILMS} films stay in the memory of this visit, {KEPT_MB} MB of "
    "uploads at most, on no disk and for nobody else; they are gone when you close or reload the page."
)

Model = tuple[str, int]
"""A model file, and when it was changed (ns): a newer file at that path is another model."""


class Upload(Protocol):
    """A file that a browser sent."""

    file_id: str
    name: str

    def getvalue(self) -> bytes:
        """Its bytes."""


@dataclass(frozen=True)
class VisitFilm:
    """A film of a visit: what tells it from others, its name, and its bytes or where they lie; or an error.

    `address` is what the address of a page calls it: None for an upload, which no link can open again.
    """

    key: str
    name: str
    source: bytes | Path | None = field(default=None, repr=False)
    address: str | None = None
    error: str | None = None

    @property
    def data(self) -> bytes:
        """Its file. Raises OSError."""
        return self.source.read_bytes() if isinstance(self.source, Path) else self.source or b""

    @property
    def size(self) -> int:
        """The bytes that it takes in memory."""
        return len(self.source) if isinstance(self.source, bytes) else 0

    @property
    def is_left_out(self) -> bool:
        """Whether it stayed packed in its zip, as there was no room for it."""
        return self.source is None and self.error is None


@dataclass(frozen=True)
class HistoryLine:
    """A line of the history: a film as a model read it."""

    key: str
    film: str
    model: str
    guards: str
    likeliest: str


@dataclass(eq=False)
class Visit:
    """The films of one visitor, in the order in which they came; no two visitors share one.

    `batch` are the uploads shown together, `left_out` the names of those that were too many; `shown` is the
    one of them on view, and `is_new` whether that was chosen otherwise than by the page's select. `notes` say
    what else lay in zips. `round` counts how often the page's uploader was emptied.
    """

    films: dict[str, VisitFilm] = field(default_factory=dict)
    batch: list[str] = field(default_factory=list)
    shown: str | None = None
    is_new: bool = False
    left_out: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lines: dict[tuple[str, str], HistoryLine] = field(default_factory=dict)
    views: dict[tuple[str, Model], FilmView] = field(default_factory=dict)
    round: int = 0
    _picture: tuple[tuple[str, bool], ViewerFilm] | None = None
    _of_file: dict[str, list[VisitFilm]] = field(default_factory=dict)
    _there: frozenset[str] = frozenset()
    _index: KnownFilms | None = None
    _stems: dict[str, str | None] = field(default_factory=dict)

    def take(self, uploads: Sequence[Upload]) -> None:
        """The films of the files that the uploader holds; those that it held before are not read again.

        An uploader that is empty because the visitor comes from another page changes nothing.
        """
        there = frozenset(one.file_id for one in uploads)
        if uploads and there != self._there:
            new = [one for one in uploads if one.file_id not in self._of_file]
            for upload in new:
                self._of_file[upload.file_id], note = films_in(upload)
                self.notes += [note] if note else []
            found = [film for one in uploads for film in self._of_file[one.file_id]]
            fit = room(math.inf if film.is_left_out else film.size for film in found)
            self.films |= {film.key: film for film in found[:fit]}
            self.batch = [film.key for film in found[:fit]]
            self.left_out = [film.name for film in found[fit:]]
            came = [film.key for one in new for film in self._of_file[one.file_id] if film.key in self.batch]
            if came or self.shown not in self.batch:
                self.shown, self.is_new = (came or self.batch)[0], True
        self._there = there
        self._of_file = {file_id: films for file_id, films in self._of_file.items() if file_id in there}
        self._trim()

    def changed(self, file_ids: Iterable[str]) -> bool:
        """Forgets the films of the files that were taken out of the uploader; whether others came."""
        now = frozenset(file_ids)
        for file_id in self._there - now:
            self.forget(film.key for film in self._of_file.pop(file_id, []))
        self.left_out = []
        return bool(now - self._there)

    def open(self, film: VisitFilm) -> None:
        """A film that is in no uploader: bundled, of a data folder, or an earlier one of the visit."""
        self.films.setdefault(film.key, film)
        self._trim({film.key})

    def show(self, key: str) -> None:
        """Shows an upload of the visit again, alone unless it is one of those on view."""
        if key not in self.batch:
            self.batch, self.left_out = [key], []
        self.shown, self.is_new = key, True

    def note(self, key: str, model: str, view: FilmView) -> None:
        """Keeps what a model found in a film as the newest line of the history."""
        guards, likeliest = film_cells(view.answer or view.error or "")
        self.lines.pop((key, model), None)
        self.lines[key, model] = HistoryLine(key, view.name, model, guards, likeliest)

    def history(self) -> list[HistoryLine]:
        """The lines of the films that are kept, newest first."""
        return list(self.lines.values())[::-1]

    def stem(self, film: VisitFilm, index: KnownFilms) -> str | None:
        """What a data folder calls the film, an upload by its content and not by its name; looked up once."""
        if self._index is not index:
            self._index, self._stems = index, {}
        if film.key not in self._stems and film.key in self.films:
            self._stems[film.key] = _stem(film, index)
        return self._stems.get(film.key)

    def picture(self, film: VisitFilm, view: FilmView) -> ViewerFilm:
        """The film as it is on view, at its own resolution; the visit keeps that of one film at a time.

        Raises ImageError and OSError.
        """
        look = (film.key, view.is_turned)
        if self._picture is None or self._picture[0] != look:
            image = read_upload(film.data, film.name)
            if view.is_turned and view.came:
                image = fixed(image, view.came.answer.guards)
            self._picture = look, ViewerFilm.of(image)
        return self._picture[1]

    def keep_views(self, keys: Collection[str], models: Collection[Model]) -> None:
        """Drops what was read of films and models that are not on view: pictures take the most memory."""
        self.views = {one: view for one, view in self.views.items() if one[0] in keys and one[1] in models}
        self._keep_picture(keys)

    def forget(self, keys: Iterable[str]) -> None:
        """Nothing is left of these films."""
        gone = set(keys)
        self.films = {key: film for key, film in self.films.items() if key not in gone}
        self.batch = [key for key in self.batch if key not in gone]
        self.lines = {one: line for one, line in self.lines.items() if one[0] not in gone}
        self.views = {one: view for one, view in self.views.items() if one[0] not in gone}
        self._keep_picture(self.films)
        if self.shown in gone:
            self.shown, self.is_new = next(iter(self.batch), None), True

    def forget_for_good(self, keys: Iterable[str]) -> None:
        """Nothing is left of these films, nor in the uploader, which is emptied: the other films stay."""
        self.forget(keys)
        self.round, self.left_out = self.round + 1, []
        self.notes, self._there, self._of_file = [], frozenset(), {}

    def _keep_picture(self, keys: Collection[str]) -> None:
        """Drops the picture of a film that is none of these."""
        if self._picture is not None and self._picture[0][0] not in keys:
            self._picture = None

    def _trim(self, also: Collection[str] = ()) -> None:
        """Forgets the oldest films beyond what a visit keeps, but for those on view."""
        size = sum(film.size for film in self.films.values())
        count = len(self.films)
        gone = []
        for key, film in self.films.items():
            if count <= KEPT_FILMS and size <= KEPT_MB * 2**20:
                break
            if key not in self.batch and key not in also:
                gone.append(key)
                count, size = count - 1, size - film.size
        self.forget(gone)


def _stem(film: VisitFilm, index: KnownFilms) -> str | None:
    if film.error:
        return None
    stem = stem_of(film.source.name) if isinstance(film.source, Path) else ""
    return stem if stem and index.folder.paths.get(stem) == film.source else index.find(film.data)


def folder_film(folder: NihFolder, name: str) -> VisitFilm:
    """The film of a data folder that is called so, with or without its suffix. Raises DataError."""
    stem = stem_of(name)
    if stem in folder.paths:
        path = folder.paths[stem]
        return VisitFilm(f"folder {path}", path.name, path, address=name)
    if stem in folder:
        raise DataError(
            f"the table of {folder.root} lists the film {name}, and its file is not in the folder"
        )
    raise DataError(f"{folder.root} has no film {name}: give its name as the table has it")


def films_in(upload: Upload) -> tuple[list[VisitFilm], str]:
    """The film of a file, or those of a zip, and what else lay there; what cannot be read has its reason.

    Of a zip no more are unpacked than are read at once, and the others have neither bytes nor a reason.
    """
    data = upload.getvalue()
    if not begins_as_zip(upload.name, data[:4]):
        return [VisitFilm(upload.file_id, upload.name, data)], ""
    try:
        found, passed_over = find_zipped_films(ZipInMemory(upload.name, data))
    except DataError as error:
        return [VisitFilm(upload.file_id, upload.name, error=in_words(error))], ""
    others = passed_over_words(passed_over)
    if not found:
        besides = f"; {others}" if others else ""
        why = f"The zip holds no film: expected {FORMATS} files{besides}"
        return [VisitFilm(upload.file_id, upload.name, error=why)], ""
    fit = room(film.size if _is_small(film) else 0 for film in found)
    films = [_unpacked(f"{upload.file_id}:{place}", film, place < fit) for place, film in enumerate(found)]
    return films, f"{upload.name}: {others}" if others else ""


def _is_small(film: ZippedFilm) -> bool:
    return film.size <= MAX_UPLOAD_MB * 2**20


def _unpacked(key: str, film: ZippedFilm, has_room: bool) -> VisitFilm:
    if not has_room:
        return VisitFilm(key, film.name)
    if not _is_small(film):
        return VisitFilm(key, film.name, error=too_large(film.name, film.size))
    try:
        return VisitFilm(key, film.name, film.read_bytes())
    except ImageError as error:
        return VisitFilm(key, film.name, error=in_words(error))


def film_view(reader: GuardedReader, film: VisitFilm) -> FilmView:
    """A film of a visit as a model reads it, with an `error` if it cannot be read. Raises CheckpointError."""
    if film.error:
        return FilmView(film.name, error=film.error)
    try:
        return view_upload(reader, film.name, film.data)
    except OSError as error:
        return FilmView(film.name, error=in_words(error))
