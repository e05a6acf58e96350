"""Filters of a folder's films."""

import csv
from pathlib import Path

from xlite.data.eda import filters
from xlite.data.folder import NihFolder
from xlite.findings import NO_FINDING


def test_matching_is_what_a_row_by_row_reading_gives(tiny_folder: Path):
    folder = NihFolder.open(tiny_folder)
    wanted = filters.Filter(views=("PA",), sexes=("F",), ages=(33, 39), part="official train+val")
    with (tiny_folder / "Data_Entry_2017_v2020.csv").open() as file:
        rows = list(csv.reader(file))[1:]
    listed = (tiny_folder / "train_val_list.txt").read_text().split()
    expected = [
        row[0]
        for row in rows
        if row[6] == "PA" and row[5] == "F" and 33 <= int(row[4]) <= 39 and row[0] in listed
    ]
    found = filters.matching(folder.table, wanted, filters.parts_of(folder))
    assert found["image"].tolist() == expected and len(expected) == 4
    assert len(filters.having(folder.table, [NO_FINDING])) == 12


def test_a_table_in_pages(tiny_folder: Path):
    table = NihFolder.open(tiny_folder).table
    assert [filters.page_count(table[:films], 5) for films in (0, 1, 5, 6, 24)] == [1, 1, 1, 2, 5]
    pages = [filters.page(table, number, 5)["stem"].tolist() for number in range(1, 6)]
    assert sum(pages, []) == table["stem"].tolist() and [len(page) for page in pages] == [5, 5, 5, 5, 4]
    assert filters.page(table[:0], 1, 5).empty
    assert filters.among(table, set(pages[4]) | {"no such film"})["stem"].tolist() == pages[4]
