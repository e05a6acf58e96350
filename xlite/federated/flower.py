"""What Flower must not do in a process of X-Lite: tell anybody of it, or install packages while it runs."""

import os

QUIET = {
    "FLWR_TELEMETRY_ENABLED": "0",
    "FLWR_LOG_LEVEL": "CRITICAL",
    "FLWR_DISABLE_RUNTIME_DEPENDENCY_INSTALLATION": "1",
}
"""Set for this process and those that it starts, before Flower is imported."""


def hush() -> None:
    """Makes Flower quiet; for a command to call before anything that imports it."""
    os.environ.update(QUIET)
