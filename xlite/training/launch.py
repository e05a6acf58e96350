"""A trainer as a process of its own on this machine, which outlives the one that starts it."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any


def resume_command(name: str) -> list[str]:
    """The words that train a run from wherever its folder stands."""
    return [sys.executable, "-m", "xlite", "train", "--resume", name]


def spawn(name: str, home: Path, log: Path) -> "subprocess.Popen[bytes]":
    """Starts the trainer of a run, detached; its output goes to the end of the log."""
    detached: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        detached = {"creationflags": flags}
    with open(log, "ab") as output:
        child = subprocess.Popen(
            resume_command(name),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "XLITE_HOME": str(home), "PYTHONUNBUFFERED": "1"},
            **detached,
        )
    # Waited for in a thread, so that it leaves no zombie where this process lives longer.
    threading.Thread(target=child.wait, daemon=True).start()
    return child
