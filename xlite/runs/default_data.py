"""The data folder that pages begin with."""

from contextlib import suppress

from xlite.data.layout import find_folders, table_files
from xlite.errors import RunError
from xlite.places import home
from xlite.public import is_public, listed_folders
from xlite.runs.run import Run


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
    """The newest run whose data folder is there; None if there is none, or the owner lists folders."""
    if listed_folders() or is_public():
        return None
    for run in Run.list():
        with suppress(RunError):  # renamed or deleted since it was listed
            if table_files(run.config().data) and not run.failed_untrained():
                return run
    return None
