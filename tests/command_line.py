"""Command lines for tests: how one is run in a process of its own, and what it may take."""

import io
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from light_install import skip_if_refused

Command = Callable[..., tuple[int, str, str]]
"""Runs a command line in this process: its exit status, stdout and stderr."""
TINY = (
    "--backbone test_resnet.r160_in1k --weights none --image-size 64 --batch-size 8 --hidden 16 --device cpu"
)
"""Options of a run that trains in a second or two."""


class Terminal(io.StringIO):
    """A stdin that says it is a terminal and gives these lines."""

    def isatty(self) -> bool:
        return True


def child(*words: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs a command line in a process of its own."""
    line = [sys.executable, "-m", "xlite", *map(str, words)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, **options)
    if "env" not in options:  # in one of its own an extra may be hidden
        skip_if_refused(done.stderr)
    return done


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    """Waits until the condition holds; fails when the time is up."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
