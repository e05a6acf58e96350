"""Tables that only ever gain whole rows: what is read of them, and which films are done."""

from pathlib import Path

import pytest

from xlite.findings import FINDINGS
from xlite.predict.tables import (
    GUARDS,
    PREDICTIONS,
    TABLES,
    WORTH,
    Table,
    fact_cell,
    read_table,
    settled,
    write_table,
)

PREDICTED = ",".join(["0.5"] * len(FINDINGS))


def worth(name: str, times: int = len(FINDINGS), cell: str = "") -> list[str]:
    blanks = WORTH.header.count(",")
    place = WORTH.header.split(",").index("disagreement")
    cells = [name, *([""] * blanks)]
    cells[place] = cell
    return [",".join(cells)] * times


def tables(folder: Path, guards: list[str], predictions: list[str], worths: list[str]) -> dict:
    for table, lines in ((GUARDS, guards), (PREDICTIONS, predictions), (WORTH, worths)):
        (folder / table.file).write_text("\n".join([table.header, *lines, ""]))
    return {table: read_table(folder, table) for table in TABLES}


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (0.1, "0.1"),
        (1 / 3, "0.333333333"),
        (7, "7"),
        ("a,b", '"a,b"'),
    ],
    ids=str,
)
def test_a_fact_as_a_cell(value: object, cell: str) -> None:
    assert fact_cell(value) == cell


def test_whole_rows_alone_are_read(tmp_path: Path) -> None:
    path = tmp_path / GUARDS.file
    assert read_table(tmp_path, GUARDS) == []
    path.write_text(f'{GUARDS.header}\na.png,pass,\nb.png,pass\n"c,1.png",offer,inverted\nd.png,pa')
    assert [(row.name, row.cells[1:]) for row in read_table(tmp_path, GUARDS)] == [
        ("a.png", ["pass", ""]),
        ("c,1.png", ["offer", "inverted"]),
    ]
    path.write_text("image,other\na.png,pass\n")
    assert read_table(tmp_path, GUARDS) == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.file)
def test_a_table_is_written_as_it_was_read(table: Table, tmp_path: Path) -> None:
    tables(tmp_path, ["a.png,pass,"], [f"a.png,{PREDICTED}"], worth("a.png"))
    before = (tmp_path / table.file).read_bytes()
    write_table(tmp_path, table, read_table(tmp_path, table))
    assert (tmp_path / table.file).read_bytes() == before


def test_a_film_is_settled_if_it_was_refused_or_stands_once_in_all_tables(tmp_path: Path) -> None:
    names = ("whole", "twice", "no_worth", "odd", "no_number")
    rows = tables(
        tmp_path,
        [*(f"{name},pass," for name in names), "refused,refuse,blank", "twice,pass,", "unsaid,maybe,"],
        [*(f"{name},{PREDICTED}" for name in (*names[:4], "unsaid")), f"no_number,x{PREDICTED}"],
        [
            *(worth("whole") + worth("twice") + worth("no_worth", 3)),
            *(worth("odd", cell="2") + worth("no_number") + worth("unsaid")),
        ],
    )
    assert settled(rows) == {"whole", "refused"}
