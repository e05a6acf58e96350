"""Identifiers that follow from what they name: the same film and the same model give the same ones again.

So whatever is built or sent a second time is the same object to whoever gets it.
"""

import uuid

_NAMESPACE = uuid.UUID("6f1f0f6a-3f0c-4d6e-9c53-0b6f2a8f2d11")  # drawn once


def derived_uid(*words: str) -> str:
    """The UID of whatever these words name: 2.25 and the number of their UUID (PS3.5 B.2)."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, chr(0).join(words)).int}"
