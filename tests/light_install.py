"""Tests in the base install: those that need an extra which is not there are skipped, by what they raise.

With all extras installed nothing here ever skips a test; with XLITE_REQUIRE_EXTRAS what is missing fails it.
"""

import os
import re
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from xlite.extras import EXTRAS

OF_TESTS = (
    "httpx",
    "authlib",
    "joserfc",
    "gradio_client",
    "playwright",
    "schemathesis",
    "torchxrayvision",
    "starlette",
    "yaml",
)
"""What else the tests import, and the base install lacks."""


def skip_without_extra(report: pytest.TestReport | pytest.CollectReport, call: pytest.CallInfo) -> None:
    """Turns a failure into a skip if what was raised comes from a module of an extra that is missing."""
    if os.environ.get("XLITE_REQUIRE_EXTRAS") or not report.failed or call.excinfo is None:
        return
    for error in _chain(call.excinfo.value):
        module = (getattr(error, "name", None) or "").partition(".")[0]
        if isinstance(error, ModuleNotFoundError) and _is_absent(module):
            report.outcome = "skipped"
            report.longrepr = (str(report.nodeid), 0, f"Skipped: {module} is not installed")


def skip_if_refused(stderr: str) -> None:
    """Skips the test if a command said that it lacks an extra."""
    found = re.search(r"(?:needs (\w+)|with (torch) alone), which is not installed", stderr)
    if found and _is_absent(module := found[1] or found[2]):
        report = pytest.fail if os.environ.get("XLITE_REQUIRE_EXTRAS") else pytest.skip
        report(f"{module} is not installed")


def _is_absent(module: str) -> bool:
    known = {*OF_TESTS, *(name for names in EXTRAS.values() for name in names)}
    return module in known and find_spec(module) is None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
