"""The HTTP API: what can be asked, and each answer as JSON; errors are one sentence each."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict, Field
from serve_body import ALONE, FORM, MAX_BODY_MB, MAX_FILMS, SentFilm, films_of
from serve_metrics import CONTENT_TYPE, CountRequests, Metrics
from serve_page import HEADERS, page
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

import xlite
from xlite.access.hosts import HostGuard
from xlite.access.token_guard import TokenGuard
from xlite.errors import ImageError
from xlite.findings import FINDINGS
from xlite.formats import FORMATS
from xlite.images import MAX_UPLOAD_MB
from xlite.serving.answers import NOTICE, Answer, FilmAnswer, HealthAnswer, ModelsAnswer, Problem
from xlite.serving.capacity import BusyError, Capacity
from xlite.serving.films import FilmReader

ANSWER_S = 60.0
"""So long the films of a request may take to be read, the wait for others included."""
RETRY_AFTER_S = 3
"""When to ask again what was refused because the server is busy."""
PATHS = ("/v1/predict", "/v1/models", "/health", "/metrics", "/docs", "/openapi.json")
_PREDICT = (
    f"Reads {FORMATS} films: one alone as the body, or several as files of a form.\n\n"
    "A film of several that cannot be read has its own `error`. A picture that is not a chest X-ray has no "
    "probabilities: its `guards` and its `error` say why."
)
_EXAMPLE = "curl -F films=@one.png -F films=@two.dcm 'http://localhost:8000/v1/predict?maps=3'"
_EXPECTED = {"maps": f"a whole number from 0 to {len(FINDINGS)}", "fix": "true or false", "model": "one name"}
_AS_JSON = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_FILM = {"type": "string", "format": "binary"}
_FORM = {
    "type": "object",
    "required": ["films"],
    "properties": {"films": {"type": "array", "minItems": 1, "maxItems": MAX_FILMS, "items": _FILM}},
}
_BODY = {
    "required": True,
    "content": {FORM: {"schema": _FORM}, **{kind: {"schema": _FILM} for kind in ALONE}},
}
_PROBLEMS = {
    400: "The form of films is damaged",
    404: "There is no such model",
    408: "The films took too long to arrive",
    413: f"Too large: a film may have {MAX_UPLOAD_MB} MB, a form {MAX_BODY_MB} MB",
    415: "The body is of another type",
    422: f"A film sent alone cannot be read, the query is wrong, or there are more than {MAX_FILMS} films",
    503: "The server is busy: ask again after the seconds in Retry-After",
    504: "The films took too long to read",
}
_GUARDED = {401: "The token is missing or wrong", 429: "Too many wrong tokens"}
_ALWAYS = {403: "Asked by a name that the server does not have", 500: "The server failed"}


class Asked(BaseModel):
    """The query of /v1/predict; another word in it is refused, so that no slip goes unnoticed."""

    model_config = ConfigDict(extra="forbid")

    maps: Annotated[int, Field(ge=0, le=len(FINDINGS), description="Overlays a film, likeliest first")] = 0
    model: Annotated[str | None, Field(description="A name of /v1/models; else the first of them")] = None
    fix: Annotated[
        Literal["false", "true"], Field(description="Put right what looks turned or inverted, before reading")
    ] = "false"


def build(readers: Sequence[FilmReader], names: set[str], token: str | None) -> FastAPI:
    """The API over these models, the first of which is asked unless another is named.

    It answers by `names` and those of this machine, and if there is a token, to those who have it; the health
    check needs none.
    """
    capacity = Capacity()
    metrics = Metrics(capacity)
    # Both for the schema alone: it is TokenGuard that refuses.
    guarded = [Depends(HTTPBearer(auto_error=False))] if token else []
    refusals = {**(_GUARDED if token else {}), **_ALWAYS}
    app = FastAPI(
        title="X-Lite",
        version=xlite.__version__,
        description=f"Reads chest films: 14 probabilities each, and maps. {NOTICE}",
        docs_url=None,
        redoc_url=None,
        lifespan=_working(readers),
        middleware=_guards(metrics, names, token),
        responses=_problems(refusals),
    )
    _add_refusals(app)
    _add_models(app, readers, capacity, metrics, guarded)
    _add_state(app, metrics, guarded, refusals)
    return app


def _working(readers: Sequence[FilmReader]) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """The lifespan of a server: its readers work as long as it does."""

    @asynccontextmanager
    async def working(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for reader in readers:
                await stack.enter_async_context(reader.working())
            yield

    return working


def _add_models(
    app: FastAPI, readers: Sequence[FilmReader], capacity: Capacity, metrics: Metrics, guarded: list[Any]
) -> None:
    """What the models answer, and which there are."""
    by_name = {reader.model.name: reader for reader in readers}

    @app.post(
        "/v1/predict",
        description=_PREDICT,
        dependencies=guarded,
        responses=_problems(_PROBLEMS),
        openapi_extra={"requestBody": _BODY, "x-example": _EXAMPLE},
    )
    async def predict(request: Request, asked: Annotated[Asked, Query()]) -> Answer:
        """The answers to the films that a request sends."""
        reader = _named(by_name, asked.model)
        with capacity.request() as share:
            answers = await _read_in_time(reader, await films_of(request, share), asked)
        refused = sum(answer.error is not None for answer in answers)
        metrics.films.labels("refused").inc(refused)
        metrics.films.labels("read").inc(len(answers) - refused)
        if len(answers) == 1 and answers[0].error and not answers[0].guards:
            raise HTTPException(422, answers[0].error)
        return Answer(model=reader.model, films=answers)

    @app.get("/v1/models", dependencies=guarded)
    async def models() -> ModelsAnswer:
        """The models that can be asked."""
        return ModelsAnswer(models=[reader.model for reader in readers])


def _add_state(app: FastAPI, metrics: Metrics, guarded: list[Any], refusals: dict[int, str]) -> None:
    """Whether the server answers, what it has done, and what can be asked of it."""

    @app.get("/health")
    async def health() -> HealthAnswer:
        """For a load balancer: the server answers. Needs no token."""
        return HealthAnswer()

    # Its refusals are JSON though it is text itself.
    @app.get(
        "/metrics",
        dependencies=guarded,
        response_class=_MetricsText,
        responses={status: {"description": said, "content": _AS_JSON} for status, said in refusals.items()},
    )
    async def count() -> Response:
        """Requests, films, seconds, queue and errors in Prometheus' text format."""
        return _MetricsText(metrics.text())

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(page(app.openapi()), headers=HEADERS)


class HeadAsGet:
    """Answers HEAD as GET, whose body the server leaves out: so do load balancers ask."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self.app(scope, receive, send)


class _MetricsText(Response):
    media_type = CONTENT_TYPE


def problem(detail: str, status: int) -> JSONResponse:
    """A refusal as all of them are: one sentence as `detail`."""
    return JSONResponse(Problem(detail=detail.strip()).model_dump(), status)


def _problems(means: dict[int, str]) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": Problem, "description": said} for status, said in means.items()}


def _guards(metrics: Metrics, names: set[str], token: str | None) -> list[Middleware]:
    """What each request passes, from the outside in."""
    guards = [Middleware(CountRequests, metrics, PATHS), Middleware(HostGuard, names, problem)]
    guards.append(Middleware(HeadAsGet))
    return guards + ([Middleware(TokenGuard, token, ("/health",), problem)] if token else [])


def _named(readers: dict[str, FilmReader], name: str | None) -> FilmReader:
    found = readers.get(name) if name is not None else next(iter(readers.values()))
    if found is None:
        raise HTTPException(404, f"there is no such model here; expected {' or '.join(readers)}")
    return found


async def _read_in_time(reader: FilmReader, films: Sequence[SentFilm], asked: Asked) -> list[FilmAnswer]:
    """As `_read`; a request that takes longer than ANSWER_S is given up."""
    try:
        async with asyncio.timeout(ANSWER_S):
            return await _read(reader, films, asked)
    except TimeoutError as error:
        raise HTTPException(504, f"the films were not read in {ANSWER_S:.0f} s: send fewer") from error


async def _read(reader: FilmReader, films: Sequence[SentFilm], asked: Asked) -> list[FilmAnswer]:
    """The answers in the order of the films; if one fails otherwise than by being no film, none go on."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_read_or_say(reader, film, asked)) for film in films]
    return [task.result() for task in tasks]


async def _read_or_say(reader: FilmReader, film: SentFilm, asked: Asked) -> FilmAnswer:
    try:
        return await reader.read(film.data, film.name, asked.maps, asked.fix == "true")
    except ImageError as error:
        return FilmAnswer(name=film.name, error=str(error))


def _add_refusals(app: FastAPI) -> None:
    """Each kind of error as one sentence."""

    @app.exception_handler(StarletteHTTPException)
    async def refuse(_: Request, error: StarletteHTTPException) -> Response:
        detail = error.detail
        if detail == HTTPStatus(error.status_code).phrase:  # the framework's own words
            detail = f"{detail.lower()}: /docs says what can be asked"
        refusal = problem(detail, error.status_code)
        refusal.headers.update(error.headers or {})
        return refusal

    @app.exception_handler(RequestValidationError)
    async def refuse_query(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        name = str(first["loc"][-1])
        expected = _EXPECTED.get(name, "nothing by that name")
        return problem(f"{name:.80} is {first['input']!r:.80}; expected {expected}", 422)

    @app.exception_handler(BusyError)
    async def refuse_busy(_: Request, error: BusyError) -> Response:
        refusal = problem(str(error), 503)
        refusal.headers["Retry-After"] = str(RETRY_AFTER_S)
        return refusal

    @app.exception_handler(ClientDisconnect)
    async def nobody(_: Request, __: ClientDisconnect) -> Response:
        return problem("the request was broken off", 400)  # whoever asked has gone

    @app.exception_handler(Exception)
    async def fail(_: Request, __: Exception) -> Response:
        return problem("the server failed to answer that: its log says why", 500)
