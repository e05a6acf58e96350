"""A public deployment of the app, whose visitors are strangers: what it offers them, and what it hides."""

import os
import re
from pathlib import Path

from xlite.errors import DataError, RunError
from xlite.places import bundled, home

_PATHS = re.compile(
    r"""(?<![\w/.:<~-])(?:[A-Za-z]:)?[/\\](?:[^\s/\\'"`<>|,;:()]+[/\\])+(?P<name>[^\s/\\'"`<>|,;:()]+)"""
)
"""Absolute paths of two names or more, also of Windows; not what follows the colon of an address."""


def is_public() -> bool:
    """Whether the owner says by XLITE_PUBLIC=1 that strangers reach the app; RunError for other values."""
    said = os.environ.get("XLITE_PUBLIC", "")
    if said not in ("", "0", "1"):
        raise RunError(f"XLITE_PUBLIC is {said!r}; expected 1 if strangers may reach the app, else 0")
    return said == "1"


def listed_folders() -> dict[str, Path]:
    """The data folders of $XLITE_DATA by name, in its order: several have the separator of PATH between them.

    Raises DataError if two have one name.
    """
    paths = [
        Path(os.path.expanduser(word)) for word in os.environ.get("XLITE_DATA", "").split(os.pathsep) if word
    ]
    folders = {path.name: path for path in paths}
    if len(folders) < len(set(paths)):
        raise DataError("two folders of XLITE_DATA have the same name: visitors could not tell them apart")
    return folders


def folder_of(said: str) -> Path:
    """The data folder that a visitor's words stand for: a path, but in public a name of `listed_folders`.

    Raises DataError for any other in public.
    """
    if not is_public():
        return Path(os.path.expanduser(said))  # of an unknown user it stays as it is
    folders = listed_folders()
    if said not in folders:
        names = ", ".join(folders) or "none"
        raise DataError(f"there is no data folder {said!r} here; the owner of this app offers {names}")
    return folders[said]


def refuse_in_public(deed: str) -> None:
    """Raises RunError in public; called by whatever a stranger must not do, such as "delete runs"."""
    if is_public():
        raise RunError(f"nobody can {deed} here: this is a public deployment, which only reads")


def without_paths(text: str) -> str:
    """The text as strangers may read it: in public, folders and files have their names alone."""
    if not is_public():
        return text
    named = [*listed_folders().items(), ("home", home()), ("X-Lite", bundled())]
    known = {str(form): name for name, path in named for form in (path.absolute(), path.resolve())}
    for path in sorted(known, key=len, reverse=True):  # the inner of two folders first
        if path != os.path.sep:
            text = text.replace(path, known[path])
    return _PATHS.sub(lambda path: path["name"], text)
