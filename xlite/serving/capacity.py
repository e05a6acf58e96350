"""Capacity: what a server holds at once at most, and the honest "busy" beyond it."""

from collections.abc import Iterator
from contextlib import contextmanager

from xlite.errors import XliteError

MAX_FILMS_HELD = 256
"""So many films wait or are read at once."""
MAX_HELD_MB = 1024
"""So much (MiB) of their files lies in memory."""


class BusyError(XliteError):
    """The server has more to do than it can hold: ask again a little later."""

    def __init__(self) -> None:
        super().__init__("the server is busy: send this again in a few seconds")


class Capacity:
    """Counts the films and bytes of all requests under way. Belongs to one event loop."""

    def __init__(self) -> None:
        self.films = 0
        self.bytes = 0

    @contextmanager
    def request(self) -> Iterator["Share"]:
        """What one request takes of it, given back at its end. Raises BusyError if there is none left."""
        if self.films >= MAX_FILMS_HELD or self.bytes >= MAX_HELD_MB * 2**20:
            raise BusyError
        share = Share(self)
        try:
            yield share
        finally:
            self.films -= share.films
            self.bytes -= share.bytes


class Share:
    """What one request has taken."""

    def __init__(self, capacity: Capacity) -> None:
        self.capacity = capacity
        self.films = 0
        self.bytes = 0

    def take(self, films: int = 0, length: int = 0) -> None:
        """Takes more; raises BusyError, and takes nothing, if there is not as much capacity left."""
        capacity = self.capacity
        if capacity.films + films > MAX_FILMS_HELD or capacity.bytes + length > MAX_HELD_MB * 2**20:
            raise BusyError
        capacity.films += films
        capacity.bytes += length
        self.films += films
        self.bytes += length
