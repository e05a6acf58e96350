"""What a server counts, for Prometheus: requests, films, seconds, what waits, what failed."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xlite.serving.capacity import Capacity

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The metrics of one server, in a registry of their own. No film, name or address is among them."""

    def __init__(self, capacity: Capacity) -> None:
        registry = self.registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        paths = ("path",)
        self.requests = Counter("xlite_requests", "Requests answered", (*paths, "status"), registry=registry)
        self.errors = Counter("xlite_errors", "Requests answered with 5xx", paths, registry=registry)
        self.seconds = Histogram(
            "xlite_request_seconds", "From request to answer", paths, buckets=_SECONDS, registry=registry
        )
        self.films = Counter("xlite_films", "Films, read or refused", ("outcome",), registry=registry)
        for outcome in ("read", "refused"):
            self.films.labels(outcome)
        queue = Gauge("xlite_queue_films", "Films that wait or are being read", registry=registry)
        queue.set_function(lambda: capacity.films)

    def text(self) -> bytes:
        """All of them in Prometheus' text format."""
        return generate_latest(self.registry)

    def count(self, path: str, status: int, seconds: float) -> None:
        """Counts one request."""
        self.requests.labels(path, str(status)).inc()
        self.seconds.labels(path).observe(seconds)
        if status >= 500:
            self.errors.labels(path).inc()


class CountRequests:
    """Counts each request by the path that answers it: what nobody answers is `other`, whatever it asked."""

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: tuple[str, ...]) -> None:
        self.app = app
        self.metrics = metrics
        self.paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, and counts it when its answer has gone."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.monotonic(), 500
        path = scope["path"] if scope["path"] in self.paths else "other"

        async def send_and_learn(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_and_learn)
        finally:
            self.metrics.count(path, status, time.monotonic() - began)
