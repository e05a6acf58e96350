"""What X-Lite is not for, said once to whoever opens the app. No Streamlit."""

from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any

from xlite.errors import RunError
from xlite.files import write_atomic
from xlite.places import notice_json
from xlite.public import is_public

NOTICE = (
    "**Research software, never a diagnosis.** X-Lite is not a medical device and has been examined by no "
    "authority. What it says of a film may be wrong, even if it looks sure. Do not decide about a patient "
    "by it."
)
BUTTON = "I understand"
_KEY = "notice-read"


def is_read(session: MutableMapping[Any, Any]) -> bool:
    """Whether this visitor has said so: in this visit, or in any before if the app is not open to others."""
    return _KEY in session or (not _is_open() and notice_json().exists())


def note_read(session: MutableMapping[Any, Any]) -> None:
    """Notes that this visitor has read it: for this visit, and for good if the app is not open to others.

    A home that nobody may write to, or a full disk, costs no more than the question at the next visit.
    """
    session[_KEY] = True
    if not _is_open():
        with suppress(OSError):
            notice_json().parent.mkdir(parents=True, exist_ok=True)
            write_atomic(notice_json(), b'{"read": true}\n')


def _is_open() -> bool:
    """Whether others may reach the app, so that one visitor's word does not hold for the next."""
    try:
        return is_public()
    except RunError:  # XLITE_PUBLIC is neither 1 nor 0
        return True
