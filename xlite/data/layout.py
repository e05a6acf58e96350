"""Where NIH's tables lie in data folders, and how several are named. No pandas: pages ask before all else."""

import os
from collections.abc import Sequence
from pathlib import Path

from xlite.errors import DataError


def table_files(root: Path) -> list[Path]:
    """The `Data_Entry_2017*.csv` and `.csv.gz` of a folder; none if there is no such folder."""
    return [*root.glob("Data_Entry_2017*.csv"), *root.glob("Data_Entry_2017*.csv.gz")]


def find_folders(home: Path) -> list[Path]:
    """The data folders in `home`/data, those with an NIH table, by name."""
    return sorted(
        folder for folder in (home / "data").glob("[!.]*") if folder.is_dir() and table_files(folder)
    )


def data_roots(data: Path | str) -> list[Path]:
    """The folders that `--data` names: one, or several joined by commas.

    A folder whose own name has a comma is one. The paths are not looked at any further.
    """
    parts = [part.strip() for part in str(data).split(",")]
    if len(parts) == 1 or os.path.isdir(data):  # a place that nobody may look into is none
        return [Path(data)]
    return [Path(part) for part in parts if part] or [Path(data)]


def absolute_data(data: Path | str) -> Path:
    """The same folder, or folders, named so that any process finds them. DataError as `joined_data`."""
    return joined_data([Path(os.path.expanduser(root)).absolute() for root in data_roots(data)])


def joined_data(folders: Sequence[Path]) -> Path:
    """What `data_roots` takes apart. DataError if a name of several has a comma."""
    for folder in folders if len(folders) > 1 else ():
        if "," in str(folder):
            raise DataError(
                f"{folder} has a comma in its path, and several data folders are parted by commas; give a "
                "link to it without one"
            )
    return Path(",".join(map(str, folders)))
