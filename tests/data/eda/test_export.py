"""What can be taken along of a selection."""

import csv
import io
from pathlib import Path

import numpy as np

from xlite.data.eda import export
from xlite.data.eda.coded import CodedFilms
from xlite.data.tables import read_list


def test_a_csv_of_films(coded: CodedFilms, tmp_path: Path):
    text = export.as_csv(coded, np.array([0, 5]))
    assert text.splitlines() == [
        "image,patient,follow_up,age,sex,view,findings",
        "1_0.png,1,0,17,M,PA,Mass|Nodule",
        "3_1.png,3,1,,F,AP,Mass|Nodule|Edema",
    ]
    (tmp_path / "films.csv").write_text(text)
    assert read_list(tmp_path / "films.csv") == ["1_0", "3_1"]


def test_a_list_is_read_as_lists_are(coded: CodedFilms, tmp_path: Path):
    (tmp_path / "films.txt").write_text(export.as_list(coded, np.array([7, 2])))
    assert read_list(tmp_path / "films.txt") == ["5_0", "1_2"]


def test_a_name_that_would_be_a_formula_is_text(coded: CodedFilms):
    coded.table.loc[0, "image"] = '=HYPERLINK("x").png'
    (row,) = csv.DictReader(io.StringIO(export.as_csv(coded, np.array([0]))))
    assert row["image"] == '\'=HYPERLINK("x").png'


def test_rows_of_films_and_of_patients(coded: CodedFilms):
    films = export.rows_table(coded, np.array([5, 2]))
    assert films.drop(columns="Age").to_numpy().tolist() == [
        ["3_1", "Mass, Nodule, Edema", "3", 1, "F", "AP", 2, False],
        ["1_2", "No finding", "1", 2, "M", "AP", 3, False],
    ]
    assert films["Age"].isna().tolist() == [True, False] and films["Age"][1] == 19
    patients = export.patients_table(coded, np.array([4, 0, 1, 2]))
    assert patients.to_numpy().tolist() == [
        ["1", 3, 3, "M", "Mass, Nodule"],
        ["3", 1, 2, "F", "No finding"],
    ]
