"""The data folder that pages begin with."""

import os
from contextlib import suppress

from xlite.data.layout import find_folders, table_files
from xlite.errors import RunError
from xlite.places import home
from xlite.runs.run import Run


def default_data() -> str:
    """The data folder to begin with: $XLITE_DATA, else that of the newest run that had one.

    Without such a run it is the first folder in the home's `data/`; empty if there is none.
    """
    if named := os.environ.get("XLITE_DATA"):
        return named
    for run in Run.list():
        with suppress(RunError):  # renamed or deleted since it was listed
            folder = run.config().data
            if table_files(folder) and not run.failed_untrained():
                return str(folder)
    return str(next(iter(find_folders(home())), ""))
