"""Several processes train one run: the first leads and writes, the others follow. Imports no torch."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from xlite.errors import RunError, Setting
from xlite.places import check_run_name, checkpoints_dir
from xlite.runs.run import Run
from xlite.runs.run_files import SETTINGS_FILE

_RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID")
"""In these torchrun, Fabric and SLURM say which of the processes this one is; 0 or nothing for the first."""

_RUN = "XLITE_RUN"
_WAIT_S = 120.0
_PARTING_S = 30.0


def follows() -> bool:
    """Whether this process follows another, which leads."""
    return any(int(os.environ.get(name) or 0) > 0 for name in _RANKS)


@contextmanager
def leading(run: Run) -> Iterator[None]:
    """While it lasts, the processes that this one starts are told which run to follow."""
    before = os.environ.get(_RUN)
    os.environ[_RUN] = run.name
    try:
        yield
    finally:
        del os.environ[_RUN]
        if before is not None:
            os.environ[_RUN] = before


def led_run(name: str) -> Run:
    """The run to follow, which the leader names, else `name`; waits until the leader holds it.

    RunError if there is no name, or no leader.
    """
    name = os.environ.get(_RUN) or name
    if not name:
        one = (Setting("name"), " or --resume, so that they train one run")
        raise RunError("processes that start together need ", *one)
    deadline = time.monotonic() + _WAIT_S
    while time.monotonic() < deadline:
        run = Run(checkpoints_dir() / check_run_name(name))
        if run.path(SETTINGS_FILE).is_file() and run.is_held():
            return run
        time.sleep(0.1)
    raise RunError(f"no process leads run {name!r}: the first of those that are started together must")


def let_leader_end(run: Run) -> None:
    """Waits, for a while, until the leader has let go of the run.

    A launcher ends all processes with the first that fails, and the leader alone writes why they fail.
    """
    deadline = time.monotonic() + _PARTING_S
    while run.is_held() and time.monotonic() < deadline:
        time.sleep(0.1)
