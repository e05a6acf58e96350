"""NIH's tables by their file names."""

from pathlib import Path

from xlite.data.layout import table_files


def test_tables_are_found_plain_and_compressed_and_nothing_else(tmp_path: Path) -> None:
    names = ["Data_Entry_2017.csv", "Data_Entry_2017_v2020.csv.gz"]
    for name in (*names, "Data_Entry_2016.csv", "Data_Entry_2017.csv.part", "BBox_List_2017.csv"):
        (tmp_path / name).touch()
    assert sorted(path.name for path in table_files(tmp_path)) == names
    assert table_files(tmp_path / "gone") == []
