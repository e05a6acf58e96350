"""Worklists: what is written is read again, and what is not a worklist is refused."""

from pathlib import Path

import pandas as pd
import pytest

from xlite.data.worklist import read_worklist, write_worklist
from xlite.errors import DataError


def test_films_come_in_the_order_in_which_they_were_written(tmp_path: Path) -> None:
    films = pd.DataFrame({"Image Index": ["b.png", "a.png"], "Patient ID": ["2", "1"], "Score": [0.5, 1 / 3]})
    write_worklist(tmp_path / "list.csv", films)
    assert (tmp_path / "list.csv").read_text() == (
        "Image Index,Patient ID,Rank,Score\nb.png,2,1,0.5\na.png,1,2,0.333333\n"
    )
    assert read_worklist(tmp_path / "list.csv") == ["b", "a"]


def test_a_film_of_several_rows_stands_at_its_first_rank(tmp_path: Path) -> None:
    films = pd.DataFrame({"Image Index": ["a", "b", "a"], "Patient ID": [1, 2, 1], "Rank": [10, 2, 1]})
    write_worklist(tmp_path / "list.csv", films)
    assert read_worklist(tmp_path / "list.csv") == ["a", "b"]


def test_a_name_that_would_be_a_formula_comes_back(tmp_path: Path) -> None:
    write_worklist(tmp_path / "list.csv", pd.DataFrame({"Image Index": ["=1+1.png"], "Patient ID": ["@x"]}))
    assert read_worklist(tmp_path / "list.csv") == ["=1+1"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Image Index,Patient ID\na,1\n", "lacks the column 'Rank'"),
        ("Image Index,Patient ID,Rank\na,1,first\n", "the rank 'first'"),
    ],
    ids=["no rank", "a word for a rank"],
)
def test_what_is_no_worklist_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(DataError, match=said):
        read_worklist(tmp_path / "list.csv")
