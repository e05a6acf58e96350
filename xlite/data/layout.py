"""Where NIH's tables lie in a data folder. No pandas: pages ask before anything is read."""

from pathlib import Path


def table_files(root: Path) -> list[Path]:
    """The `Data_Entry_2017*.csv` and `.csv.gz` of a folder; none if there is no such folder."""
    return [*root.glob("Data_Entry_2017*.csv"), *root.glob("Data_Entry_2017*.csv.gz")]
