"""The token of the API: where it is read from, and which will do. No starlette: each command loads this."""

import os

from xlite.access.addresses import is_loopback
from xlite.access.passwords import check_secret
from xlite.access.secrets import Secret
from xlite.errors import RunError

MIN_TOKEN = 16
TOKEN = Secret("token", "XLITE_TOKEN", "Token for programs: ")


def read_token(file: str | None, typed: str | None) -> str | None:
    """The token from a file's first line, the terminal, or XLITE_TOKEN; None if there is none.

    `typed` is what follows --token: "" asks for it. Raises RunError as `Secret.read` does.
    """
    return TOKEN.read(file, typed, os.environ.pop("XLITE_TOKEN", None))


def check_token(host: str, token: str | None) -> None:
    """Raises RunError if strangers could reach the API without a good token, or if no header can hold it."""
    check_secret(TOKEN, "an API", not is_loopback(host), token, MIN_TOKEN)
    if token is not None and not (token.isascii() and token.isprintable() and " " not in token):
        raise RunError("the token holds spaces or special characters: use letters, digits and signs of ASCII")
