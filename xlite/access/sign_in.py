"""What an owner must say before visitors of the app can sign in. No sentence of these holds a secret."""

import re
from collections.abc import Collection, Mapping, Sequence
from urllib.parse import urlsplit

from xlite.access.addresses import ip_address, is_loopback
from xlite.access.hosts import host_name
from xlite.access.passwords import is_trivial
from xlite.errors import RunError, sentence

CALLBACK = "/oauth2callback"
"""Where the provider sends a visitor back to; the path is Streamlit's."""
MIN_COOKIE_SECRET = 32
_NEEDED = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")
_GOOD_SECRET = "python3 -c 'import secrets; print(secrets.token_urlsafe(32))' draws a good one"


def check_sign_in(auth: object, names: Collection[str]) -> None:
    """Raises RunError if nobody could sign in with such an `[auth]`, or if it protects nothing.

    `names` are those that the server answers by besides this machine's: the way back must lead to one.
    """
    said = auth if isinstance(auth, Mapping) else {}
    if missing := [key for key in _NEEDED if not isinstance(said.get(key), str) or not said[key].strip()]:
        raise RunError(
            f"[auth] of the secrets lacks {', '.join(missing)}, as a text each: see docs/DEPLOY.md"
        )
    secret = said["cookie_secret"]
    if len(secret) < MIN_COOKIE_SECRET or is_trivial(secret):
        raise RunError(
            f"cookie_secret of [auth] is easily guessed, and whoever knows it can be anybody: use "
            f"{MIN_COOKIE_SECRET} random characters or more; {_GOOD_SECRET}"
        )
    if _host(said["server_metadata_url"]) is None:
        raise RunError(
            "server_metadata_url of [auth] is not an address with https:// (http:// on this machine alone)"
        )
    _check_way_back(said["redirect_uri"], names)


def unreadable(files: Sequence[str], error: Exception) -> str:
    """Why nobody knows whether visitors sign in: where the files have a fault, but nothing of their words."""
    place = re.search(r" \(at line \d+, column \d+\)", str(error))
    # Streamlit's own error is one of the system's by name alone, and quotes the parser.
    is_systems = isinstance(error, OSError) and error.errno is not None
    reason = sentence(error) if is_systems else f"they are not TOML{place[0] if place else ''}"
    return f"the secrets in {' and '.join(files)} cannot be read: {reason}"


def _check_way_back(uri: str, names: Collection[str]) -> None:
    host = _host(uri.replace("{port}", "8501"))  # Streamlit writes its own port there
    if host is None or not uri.endswith(CALLBACK) or "?" in uri or "#" in uri:
        raise RunError(
            f"redirect_uri of [auth] is {uri!r}; expected https://NAME{CALLBACK} "
            f"(http://localhost:PORT{CALLBACK} on this machine alone)"
        )
    if not (is_loopback(host) or ip_address(host) or host in names):
        raise RunError(
            f"redirect_uri of [auth] leads to {host}, by which the app does not answer: "
            f"set XLITE_HOSTS={host}"
        )


def _host(url: str) -> str | None:
    """The host of an https address, or of an http one of this machine; None for others."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    host = host_name(parts.netloc)
    if host is None:
        return None
    return host if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)) else None
