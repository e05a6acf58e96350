"""The queue of runs that wait for devices: one run a device, first come, first served. Imports no torch.

Whoever is in the queue holds the lock of a ticket, with a note beside it: who it is, which devices would do,
and which it has. The operating system drops the lock when the process dies: nobody waits for the dead.
"""

import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from xlite.errors import RunError
from xlite.file_lock import file_lock
from xlite.files import read_whole, write_atomic
from xlite.runs.lock import is_taken
from xlite.runs.run import Run
from xlite.text import device_title

log = logging.getLogger(__name__)

POLL_S = 0.5
"""How often those who wait look whether it is their turn."""


@dataclass(frozen=True)
class Device:
    """A device as torch calls it in this process (`cuda:1`), and the key all processes know it by."""

    name: str
    key: str


@dataclass(frozen=True)
class Ticket:
    """A place in the queue: its number, the run, keys of devices that would do, how many it needs and has."""

    number: int
    run: str
    wants: tuple[str, ...]
    needs: int = 1
    has: tuple[str, ...] = ()


@contextmanager
def device_turn(
    run: Run, devices: Sequence[Device], needs: int = 1, before_waiting: Callable[[], object] = lambda: None
) -> Iterator[list[Device]]:
    """Waits until enough of the devices (best first) are free and holds them; none if the run is to stop.

    While it waits, the run's status says behind whom. The run must be held. before_waiting: called once if it
    has to wait, to raise what would end the run after all that time.
    """
    queue = DeviceQueue(queue_folder())
    with queue.ticket(run.name, [device.key for device in devices], needs) as mine:
        said = ""
        keys: tuple[str, ...] = ()
        while not run.stop_requested():
            keys, others = queue.take(mine)
            if keys:
                break
            if not said:
                before_waiting()
            sentence = waiting_for(others, mine, devices)
            if sentence != said:
                said = sentence
                run.update_progress(state="queued", message=sentence)
                log.info("Run %s %s", run.name, sentence)
            time.sleep(POLL_S)
        yield [device for device in devices if device.key in keys]


def queue_folder() -> Path:
    """The folder of this machine's queue: $XLITE_LINE, else one of the user's own."""
    # A device belongs to the machine and not to a home: two homes must not train on one GPU at once. So the
    # queue is in the machine's folder for temporary files, and no network is asked whose turn it is. It is
    # one user's, because a lock that others may open is theirs to keep. Containers that share a GPU have
    # temporary folders of their own: XLITE_LINE names one that they share.
    user = f"-{os.getuid()}" if hasattr(os, "getuid") else ""
    named = os.environ.get("XLITE_LINE")
    folder = Path(named or Path(tempfile.gettempdir()) / f"xlite{user}").absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
        raise RunError(f"{folder} belongs to somebody else: set XLITE_LINE to a folder of your own")
    if job := os.environ.get("SLURM_JOB_ID"):
        # What SLURM gave to a job is the job's alone, and other jobs on the node have cores of their own.
        folder /= f"slurm-{job}"
        folder.mkdir(exist_ok=True)
    return folder


def pick(queue: Sequence[Ticket], mine: Ticket) -> tuple[str, ...]:
    """The first devices that `mine` wants, that are free, and that nobody who came earlier waits for.

    As many as it needs, or none.
    """
    taken = {key for ticket in queue for key in ticket.has}
    promised = {key for ticket in _before(queue, mine) for key in ticket.wants}
    free = tuple(key for key in mine.wants if key not in taken | promised)
    return free[: mine.needs] if len(free) >= mine.needs else ()


def waiting_for(queue: Sequence[Ticket], mine: Ticket, devices: Sequence[Device]) -> str:
    """What a run that waits says: for which devices, behind whom, and its place in the queue."""
    holders = [ticket.run for ticket in queue if set(ticket.has) & set(mine.wants)]
    before = [ticket.run for ticket in _before(queue, mine) if set(ticket.wants) & set(mine.wants)]
    names = (" or " if mine.needs < len(devices) else " and ").join(
        device_title(device.name) for device in devices
    )
    behind = before[-1] if before else " and ".join(holders)
    return f"waits for {names} behind {behind} ({_ordinal(len(before) + 1)} in the queue)"


def _before(queue: Sequence[Ticket], mine: Ticket) -> list[Ticket]:
    """Those who came earlier and still wait."""
    return [ticket for ticket in queue if not ticket.has and ticket.number < mine.number]


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


class DeviceQueue:
    """The tickets in one folder. Whoever looks or changes anything holds the mutex, so that no two meet."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.mutex = file_lock(folder / ".gate.lock")

    @contextmanager
    def ticket(self, run: str, wants: Sequence[str], needs: int = 1) -> Iterator[Ticket]:
        """A place at the end of the queue, held until the block ends or the process dies."""
        with self.mutex:
            number = max((ticket.number for ticket in self._living()), default=0) + 1
            mine = Ticket(number, run, tuple(wants), needs)
            self._write(mine)
            lock = file_lock(self._path(number, "lock"))
            lock.acquire(timeout=0)
        try:
            yield mine
        finally:
            with self.mutex:
                lock.release()
                self._forget(number)

    def take(self, mine: Ticket) -> tuple[tuple[str, ...], list[Ticket]]:
        """The devices that `mine` has from now on, none if it must wait, and the queue as it was found."""
        with self.mutex:
            queue = self._living()
            keys = pick(queue, mine)
            if keys:
                self._write(replace(mine, has=keys))
            return keys, queue

    def _living(self) -> list[Ticket]:
        """The tickets whose holders are alive, in order; those of the dead are cleared away."""
        queue = []
        for number in sorted(int(path.stem) for path in self.folder.glob("[0-9]*.lock")):
            if is_taken(self._path(number, "lock")):
                queue.append(self._read(number))
            else:
                self._forget(number)
        return queue

    def _read(self, number: int) -> Ticket:
        """The ticket of somebody who lives; RunError if it does not say what they have."""
        path = self._path(number, "json")
        try:
            return TypeAdapter(Ticket).validate_json(read_whole(path))
        except (OSError, ValidationError) as error:
            raise RunError(
                f"the place in the device queue that {path} keeps cannot be read, and so what is free: "
                "wait until the other runs have ended, or stop them"
            ) from error

    def _write(self, ticket: Ticket) -> None:
        write_atomic(self._path(ticket.number, "json"), json.dumps(asdict(ticket)).encode())

    def _forget(self, number: int) -> None:
        for kind in ("json", "lock"):
            self._path(number, kind).unlink(missing_ok=True)

    def _path(self, number: int, kind: str) -> Path:
        return self.folder / f"{number}.{kind}"
