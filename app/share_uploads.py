"""How an upload to the demo is stored: in a folder of its own."""

import secrets
from typing import Any

from gradio import route_utils


class OwnUpload(route_utils.GradioUploadFile):
    """An upload whose folder no other has.

    Gradio names the folder by a digest of the content, so the same file of two visitors would be one, and
    gone for the second as soon as the first one's was read.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.sha.update(secrets.token_bytes(16))


def keep_uploads_apart() -> None:
    """From now on each upload to this process is stored apart; Gradio has no setting for that."""
    route_utils.GradioUploadFile = OwnUpload  # type: ignore[misc]
