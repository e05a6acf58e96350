"""Where NIH's tables lie in a data folder. No pandas: pages ask before anything is read."""

from pathlib import Path


def table_files(root: Path) -> list[Path]:
    """The `Data_Entry_2017*.csv` and `.csv.gz` of a folder; none if there is no such folder."""
    return [*root.glob("Data_Entry_2017*.csv"), *root.glob("Data_Entry_2017*.csv.gz")]


def find_folders(home: Path) -> list[Path]:
    """The data folders in `home`/data, those with an NIH table, by name."""
    return sorted(
        folder for folder in (home / "data").glob("[!.]*") if folder.is_dir() and table_files(folder)
    )
