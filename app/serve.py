"""The reading of films as an HTTP API: `python app/serve.py MODEL… [--host --port --token-file FILE]`.

It serves this machine only, unless --host opens it, and then it demands a token. It answers by the names of
this machine and those in XLITE_HOSTS. Films are read in memory and are gone when their answer has left;
neither they nor their names are logged. It keeps nothing between requests: any number of servers may stand
behind a load balancer.
"""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from socket import socket

import uvicorn
from serve_api import build
from uvicorn.protocols.http.h11_impl import H11Protocol

from xlite.access.addresses import API_PORT, HOST, check_port
from xlite.access.hosts import owner_names
from xlite.access.tokens import MIN_TOKEN, check_token, read_token
from xlite.classify import Classifier
from xlite.errors import RunError, XliteError
from xlite.guarded import GuardedReader
from xlite.guards.gate import Gate
from xlite.models.duty import duty
from xlite.serving.films import FilmReader

CONNECTIONS = 512
"""So many connections are open at once; others get 503."""
SLOW_S = 10.0
"""A client that sends no whole head, or takes none of its answer, for so long is cut off."""
END_S = 30
"""So long a server that is told to end finishes what it reads."""


def main(argv: Sequence[str] | None = None) -> int:
    """Serves until ended; returns the exit status, 2 with one sentence on stderr for bad input."""
    options = parse(argv)
    try:
        token = read_token(options.token_file, options.token)
        check_token(options.host, token)
        check_port(options.host, options.port)
        serve(options, token)
    except XliteError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    return 0


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="xlite serve", description="An HTTP API that reads films.")
    parser.add_argument("models", nargs="*", help="runs' names or model files; the one on duty if none")
    parser.add_argument(
        "--host", default=HOST, help="address to answer on; other than loopback demands a token"
    )
    parser.add_argument("--port", type=int, default=API_PORT)
    parser.add_argument(
        "--token", nargs="?", const="", metavar="", help=f"ask for a token of {MIN_TOKEN} characters or more"
    )
    parser.add_argument("--token-file", metavar="FILE", help="read the token from a file's first line")
    return parser.parse_args(argv)


def serve(options: argparse.Namespace, token: str | None) -> None:
    """Loads the models and serves them until SIGTERM or Ctrl-C; then finishes what is being read."""
    names = owner_names(options.host)
    gate = Gate.load()
    specs = options.models or [on_duty()]
    readers = [FilmReader(GuardedReader(classifier, gate)) for classifier in load(specs)]
    # What a client sends is never logged, not even as a fault of its form.
    logging.getLogger("python_multipart").addHandler(logging.NullHandler())
    logging.getLogger("python_multipart").propagate = False
    config = uvicorn.Config(
        build(readers, names, token),
        host=options.host,
        port=options.port,
        http=Http,
        ws="none",
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=int(SLOW_S),
        timeout_graceful_shutdown=END_S,
    )
    # uvicorn raises the signal again when it has ended: then to end well.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    address = f"[{options.host}]" if ":" in options.host else options.host
    ready = f"{', '.join(reader.model.name for reader in readers)} at http://{address}:{options.port}/docs"
    try:
        Server(config, f"{ready} until Ctrl-C ends it").run()
    except KeyboardInterrupt:
        return


def on_duty() -> str:
    """What is served if no model is named; if it is not the one that was chosen, stderr says why."""
    now = duty()
    if now.fault:
        print(f"Warning: {now.fault}", file=sys.stderr)
    return now.spec


def load(specs: Sequence[str]) -> list[Classifier]:
    """The models of those names. Raises RunError if two have the same one: requests ask for them by it."""
    classifiers = [Classifier.load(spec) for spec in specs]
    names = [classifier.name for classifier in classifiers]
    for name in names:
        if names.count(name) > 1:
            raise RunError(f"two models are called {name!r}: give one of the files another name")
    return classifiers


class Server(uvicorn.Server):
    """Says on stdout where it answers, as soon as it does."""

    def __init__(self, config: uvicorn.Config, ready: str) -> None:
        super().__init__(config)
        self.ready = ready

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Begins to answer."""
        await super().startup(sockets)
        print(self.ready, flush=True)


class Http(H11Protocol):
    """Cuts off who is too slow: to send a whole head, to end a body already answered, to take an answer.

    uvicorn waits for these for ever, and whoever opens many connections would keep others out.
    """

    patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Waits for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Waits on, unless a request has come whole or its body is being read."""
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._wait()
        elif not self.flow.write_paused:
            self._stop_waiting()

    def pause_writing(self) -> None:
        """Waits for the client to take what it was sent."""
        super().pause_writing()
        self._wait()

    def resume_writing(self) -> None:
        """It did."""
        super().resume_writing()
        self._stop_waiting()

    def on_response_complete(self) -> None:
        """From here on uvicorn waits for the next request itself, if the client takes this answer."""
        if not self.flow.write_paused:
            self._stop_waiting()
        super().on_response_complete()

    def timeout_keep_alive_handler(self) -> None:
        """Closes the connection; what the client has not taken by then, it has to take soon."""
        super().timeout_keep_alive_handler()
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits no more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self.patience is None:
            self.patience = self.loop.call_later(SLOW_S, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self.patience is not None:
            self.patience.cancel()
            self.patience = None


if __name__ == "__main__":
    sys.exit(main())
