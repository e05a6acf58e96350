"""Commands of X-Lite as processes of their own on this machine, which outlive the one that starts them."""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FEDERATED_PYTHON = "XLITE_FEDERATED_PYTHON"
"""Names the Python of an environment with Flower, whose pins do not go with those of all other extras."""


def federated_python() -> str:
    """The Python that runs federations: $XLITE_FEDERATED_PYTHON, else this one."""
    return os.environ.get(FEDERATED_PYTHON) or sys.executable


def xlite_command(*words: str) -> list[str]:
    """A command of X-Lite for this Python, wherever it is installed; a federation's for the one of those."""
    python = federated_python() if words[0] == "federate" else sys.executable
    return [python, "-m", "xlite", *words]


def spawn(command: Sequence[str], home: Path, log: Path) -> "subprocess.Popen[bytes]":
    """Starts a command of X-Lite, detached; its output goes to the end of the log."""
    detached: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        detached = {"creationflags": flags}
    with open(log, "ab") as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "XLITE_HOME": str(home), "PYTHONUNBUFFERED": "1"},
            **detached,
        )
    # A thread waits for it, so that it leaves no zombie if this process lives longer.
    threading.Thread(target=child.wait, daemon=True).start()
    return child
