"""The data folder that pages begin with, and the folders that a visitor names."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from xlite.data.layout import data_roots, find_folders, joined_data, table_files
from xlite.errors import RunError
from xlite.places import home
from xlite.public import folder_of, is_public, listed_folders
from xlite.runs.run import Run


def named_data(said: str | Sequence[str]) -> Path | None:
    """What a visitor's words stand for: one data folder, or several as `joined_data` has them; None if empty.

    said: a path, or several with commas between; in public a name of `listed_folders`, or several.
    Raises DataError as `folder_of` and `joined_data`.
    """
    words: Sequence[str | Path] = [said] if isinstance(said, str) else said
    if not is_public():
        words = [root for word in words if word for root in data_roots(os.path.expanduser(word))]
    roots = [folder_of(str(word)) for word in words if word]
    return joined_data(roots) if roots else None


def default_data() -> str:
    """The data folder to begin with: the first of $XLITE_DATA, else that of the newest run that had one.

    Without such a run it is the first folder in the home's `data/`; empty if there is none. In public it is
    the name of a listed folder, or empty.
    """
    if folders := listed_folders():
        return next(iter(folders)) if is_public() else str(next(iter(folders.values())))
    if is_public():
        return ""
    if run := default_run():
        with suppress(RunError):  # renamed or deleted meanwhile
            return str(run.config().data)
    return str(next(iter(find_folders(home())), ""))


def default_run() -> Run | None:
    """The newest run, no client's, whose data folder is there; None without, or if the owner lists some."""
    if listed_folders() or is_public():
        return None
    for run in Run.list():
        with suppress(RunError):  # renamed or deleted since it was listed
            known = all(map(table_files, data_roots(run.config().data)))
            if known and not run.failed_untrained() and not run.is_client():
                return run
    return None
