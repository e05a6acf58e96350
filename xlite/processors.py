"""How many processors this process may use."""

import os


def processors() -> int:
    """The processors that this process may use; those of the machine, if the system does not tell."""
    if hasattr(os, "sched_getaffinity"):  # not on Windows and macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
