"""The films in the body of a request: one alone, or those of a form. Nothing is written to disk."""

import asyncio
from dataclasses import dataclass, field

from fastapi import HTTPException, Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, FormParser, parse_options_header

from xlite.images import MAX_UPLOAD_MB
from xlite.serving.capacity import Share
from xlite.text import printable

MAX_FILMS = 64
"""So many films a request may hold."""
MAX_BODY_MB = 256
"""So many MiB a form may have."""
BODY_S = 60.0
"""So long a body may take to arrive."""
MAX_NAME = 255
FORM = "multipart/form-data"
ALONE = (
    *("image/png", "image/jpeg", "image/tiff", "image/webp", "image/bmp"),
    *("application/dicom", "application/octet-stream"),
)
"""How a film is sent alone; what it is is told by its content."""
# The last one is what curl sends unasked.
_TAKEN = (*ALONE, "", "image/jpg", "image/dicom", "application/x-www-form-urlencoded")


@dataclass(frozen=True)
class SentFilm:
    """The bytes of a film, and what the sender calls it."""

    name: str
    data: bytes


@dataclass
class _Form:
    """What has arrived of a form."""

    films: list[SentFilm] = field(default_factory=list)
    fields: int = 0
    is_whole: bool = False

    def add_film(self, file: File) -> None:
        self._count()
        name = (file.file_name or b"").decode("utf-8", "replace")
        file.file_object.seek(0)
        self.films.append(SentFilm(printable(name)[:MAX_NAME], file.file_object.read()))
        file.close()

    def add_field(self, _: Field) -> None:
        self._count()
        self.fields += 1

    def end(self) -> None:
        self.is_whole = True

    def _count(self) -> None:
        if len(self.films) + self.fields >= MAX_FILMS:
            raise HTTPException(422, f"a request may hold {MAX_FILMS} films at most: send them in parts")


async def films_of(request: Request, share: Share) -> list[SentFilm]:
    """The films that a request sends, which count towards the capacity.

    Raises HTTPException with a sentence for what is neither a film nor a form of films, or is too large or
    too slow, and BusyError.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    said = kind.decode("latin-1").strip().lower()
    if said not in (FORM, *_TAKEN):
        raise HTTPException(
            415, f"films come as {FORM} or alone as {', '.join(ALONE)}; not as {printable(said)[:80]}"
        )
    try:
        async with asyncio.timeout(BODY_S):
            if said == FORM:
                films = await _form(request, share, options.get(b"boundary"))
            else:
                films = [await _alone(request, share)]
    except TimeoutError as error:
        raise HTTPException(408, f"the films took longer than {BODY_S:.0f} s to arrive") from error
    if len(films) == 1:
        _check_size(len(films[0].data), MAX_UPLOAD_MB)
    share.take(films=len(films))
    return films


async def _alone(request: Request, share: Share) -> SentFilm:
    limit = MAX_UPLOAD_MB
    _check_length(request, limit)
    parts, length = [], 0
    async for part in request.stream():
        length += len(part)
        _check_size(length, limit)
        share.take(length=len(part))
        parts.append(part)
    return SentFilm("film", b"".join(parts))


async def _form(request: Request, share: Share, boundary: bytes | None) -> list[SentFilm]:
    _check_length(request, MAX_BODY_MB)
    form, length = _Form(), 0
    # In memory whatever its size: a film is never written to disk.
    settings = {"MAX_MEMORY_FILE_SIZE": float("inf"), "UPLOAD_ERROR_ON_BAD_CTE": True}
    try:
        parser = FormParser(FORM, form.add_field, form.add_film, form.end, boundary or None, config=settings)
        async for part in request.stream():
            length += len(part)
            _check_size(length, MAX_BODY_MB)
            share.take(length=len(part))
            parser.write(part)
    except FormParserError as error:
        raise HTTPException(400, "the form is damaged: send each film as a file of a form") from error
    if not form.is_whole:
        raise HTTPException(400, "the form is cut short: send it again")
    if not form.films:
        raise HTTPException(
            422, "the form holds no film: send each as a file, as curl -F films=@film.png does"
        )
    return form.films


def _check_length(request: Request, limit_mb: int) -> None:
    """Refuses at once what says that it is too large."""
    said = request.headers.get("content-length", "")
    _check_size(int(said) if said.isdecimal() else 0, limit_mb)


def _check_size(length: int, limit_mb: int) -> None:
    if length > limit_mb * 2**20:
        raise HTTPException(413, f"a film may have {MAX_UPLOAD_MB} MB, and a form of films {MAX_BODY_MB} MB")
