"""A DICOM node: films in, reports and maps out, with a queue on the disk between."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from xlite.access.addresses import check_port, is_loopback
from xlite.errors import ImageError, RunError
from xlite.pacs.peers import Peer, Senders
from xlite.pacs.queue import Item, Queue, folder_locked
from xlite.pacs.receive import Receiver
from xlite.pacs.results import ObjectMaker
from xlite.pacs.send import AwayError, RefusedError, send
from xlite.pacs.source import to_bytes
from xlite.text import counted

FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 300.0
"""So long after a failure it is tried again: twice as long each time."""
MOST_REFUSALS = 3
"""So often a PACS may refuse the results of a film, before they are laid aside."""

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Node:
    """Reads what is in the queue and sends it on, each in a thread of its own, until it is ended."""

    queue: Queue
    maker: ObjectMaker
    peer: Peer
    title: str
    _ended: threading.Event = field(default_factory=threading.Event)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "node"))
    _work: list[Future[None]] = field(default_factory=list)
    _refusals: dict[str, int] = field(default_factory=dict)

    def start(self) -> None:
        """Begins."""
        self._work = [self._pool.submit(self._read_all), self._pool.submit(self._send_all)]

    def end(self) -> None:
        """Ends both threads when they have done what they are at."""
        self._ended.set()
        with self.queue.changed:
            self.queue.changed.notify_all()
        self._pool.shutdown()

    def wait(self) -> None:
        """Waits until it is ended. Raises what ended a thread."""
        while not self._ended.is_set():
            self.check()
            self._ended.wait(0.5)

    def check(self) -> None:
        """Raises what ended a thread that was not told to end."""
        for one in self._work:
            if one.done():
                one.result()

    def _read_all(self) -> None:
        while item := self._next(self.queue.to_read):
            self._read(item)

    def _read(self, item: Item) -> None:
        """Puts the results of a film in its place; one about which nothing can be done is laid aside."""
        if not item.begin():
            log.error("Film %s ended the server more than once: it is laid aside", item.key[:8])
            self.queue.give_up(item)
            return
        began = time.monotonic()
        try:
            datasets = self.maker.read(item.film.read_bytes(), item.when)
        except ImageError as error:
            log.error("Film %s cannot be read and is laid aside: %s", item.key[:8], error)
            self.queue.give_up(item)
            return
        try:
            self.queue.put_results(item, [to_bytes(dataset) for dataset in datasets])
        except OSError:  # a full disk, say, which ends the node: no fault of the film
            item.take_back()
            raise
        made = counted(len(datasets), "object")
        log.info("Film %s read in %.1f s: %s", item.key[:8], time.monotonic() - began, made)

    def _send_all(self) -> None:
        wait_s = FIRST_WAIT_S
        while item := self._next(self.queue.to_send):
            try:
                send(self.peer, self.title, item.results)
            except AwayError as error:
                log.warning("%s: %s; trying again in %.0f s", self.peer, error, wait_s)
                self._ended.wait(wait_s)
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
            except RefusedError as error:
                self._refused(item, str(error))
            else:
                wait_s = FIRST_WAIT_S
                self.queue.done(item)
                log.info("Film %s answered", item.key[:8])

    def _refused(self, item: Item, why: str) -> None:
        times = self._refusals[item.key] = self._refusals.get(item.key, 0) + 1
        if times < MOST_REFUSALS:
            log.warning("%s: %s (film %s)", self.peer, why, item.key[:8])
            self._ended.wait(FIRST_WAIT_S)
            return
        log.error("%s: %s: the results of film %s are laid aside", self.peer, why, item.key[:8])
        del self._refusals[item.key]
        self.queue.give_up(item)

    def _next(self, waiting: Callable[[], list[Item]]) -> Item | None:
        """The next film to be done, when there is one; None at the end."""
        with self.queue.changed:
            while not self._ended.is_set():
                if items := waiting():
                    return items[0]
                self.queue.changed.wait(1.0)
        return None


def check_address(host: str, port: int, senders: Senders) -> None:
    """Raises RunError if the node could not answer there, or everybody could send to it."""
    check_port(host, port)
    if not is_loopback(host) and not senders.allowed:
        raise RunError(
            f"on {host} everybody who reaches it could send: name those who may, --from AE@HOST, once each"
        )


@contextmanager
def _unsaid() -> Iterator[None]:
    """Keeps off stderr what pydicom warns of: it says the value, which may be a person's."""
    logging.getLogger("py.warnings").addHandler(logging.NullHandler())
    logging.getLogger("py.warnings").propagate = False
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)


def serve(
    maker: ObjectMaker,
    title: str,
    address: tuple[str, int],
    peer: Peer,
    senders: Senders,
    folder: Path,
    ready: Callable[[str], None],
) -> None:
    """Serves until SIGTERM or Ctrl-C; then finishes what is being read or sent. Raises RunError."""
    check_address(*address, senders)
    with folder_locked(folder), _unsaid():
        queue = Queue(folder)
        node = Node(queue, maker, peer, title)
        receiver = Receiver(title, queue, maker.key, senders)
        server = receiver.start(*address)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            node.start()
            ready(f"{title} on {address[0]}:{address[1]}, results to {peer}, until Ctrl-C ends it")
            node.wait()
        except KeyboardInterrupt:
            log.info("Ending")
        finally:
            server.shutdown()
            node.end()
