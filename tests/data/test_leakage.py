"""Leakage between two lists of films, by image and by patient."""

import pandas as pd
import pytest

from xlite.data.leakage import Shared, films_sharing_patients, leakage_report, read_training_list
from xlite.errors import DataError


def test_leakage_is_counted_by_image_and_by_patient():
    train = ["00000001_000", "00000002_000", "00000003_000"]
    test = ["00000001_000", "00000001_001", "00000004_000", "00000005_000"]
    assert leakage_report(train, test, teacher_list=["00000004_000", "00000005_009"]).as_dict() == {
        "train_images": 3,
        "test_images": 4,
        "train_patients": 3,
        "test_patients": 3,
        "shared_images": 1,
        "shared_patients": 1,
        "affected_images": 2,
        "affected_share": 0.5,
        "teacher_images": 2,
        "teacher_seen_images": 1,
        "teacher_seen_share": 0.25,
        "clean_images": 2,
    }


def test_without_a_teacher_nothing_is_said_of_one():
    report = leakage_report(["00000001_000"], ["00000002_000"])
    assert report.teacher is None and [name for name in report.as_dict() if "teacher" in name] == []


def test_the_table_says_whose_film_it_is_before_the_name_does():
    table = pd.DataFrame({"stem": ["a", "00000001_000"], "patient": ["5", "5"]})
    assert leakage_report(["a"], ["00000001_000"], table).affected_images == 1
    with pytest.raises(DataError, match="patient of 'b' cannot be told"):
        leakage_report(["a"], ["b"], table)


@pytest.mark.parametrize("stem", ["20210304123456", "1.2.840.77.1", "00000001_000_left"])
def test_only_nihs_names_tell_the_patient(stem):
    assert leakage_report(["00000001_000"], ["00000001_999"]).affected_images == 1
    with pytest.raises(DataError, match=f"patient of '{stem}' cannot be told: no table lists it"):
        leakage_report(["00000001_000"], [stem])


def test_names_tell_no_patient_beside_a_table_with_ids_of_another_kind():
    table = pd.DataFrame({"stem": ["00000001_000", "00000002_000"], "patient": ["A7", "2"]})
    assert leakage_report(["00000002_000"], ["00000001_000"], table).affected_images == 0
    with pytest.raises(DataError, match="patient of '00000003_000' cannot be told: .*patients, such as 'A7'"):
        leakage_report(["00000003_000"], ["00000001_000"], table)


@pytest.mark.parametrize(
    ("rows", "shared"),
    [
        # Names that are NIH's tell whose the films outside are.
        ({"00000001_000": "1", "00000002_000": "2"}, Shared(["00000001_000"], outside=2, untold=1)),
        # The table has another patient under the number 1, and one of that id under another.
        ({"00000001_000": "9", "00000002_000": "2"}, Shared([], outside=2, untold=2)),
        ({"00000007_000": "1", "00000002_000": "2"}, Shared([], outside=2, untold=2)),
        ({"a": "1", "00000002_000": "2"}, Shared([], outside=2, untold=2)),
        ({"00000008_000": "7", "00000002_000": "2"}, Shared([], outside=2, untold=1)),
        ({"00000001_000": "A7", "00000002_000": "2"}, Shared([], outside=2, untold=2)),
    ],
)
def test_names_tell_no_patient_if_the_table_has_another_under_that_number(rows, shared):
    table = pd.DataFrame({"stem": [*rows], "patient": [*rows.values()]})
    assert films_sharing_patients(["00000001_005", "b"], [*rows], table) == shared
    if shared.untold == 2:
        with pytest.raises(DataError, match="patient of '00000001_005' cannot be told: the table does not"):
            leakage_report(["00000001_005"], [*rows], table)


def test_the_tables_patient_counts_whatever_the_names_say():
    stems = ["00000001_000", "00000001_001", "00000005_000"]
    table = pd.DataFrame({"stem": stems, "patient": ["5", "6", "5"]})
    found = films_sharing_patients(["00000001_000"], stems, table)
    assert found == Shared(["00000001_000", "00000005_000"], outside=0, untold=0)


def test_a_list_of_no_films_calls_nothing_clean(tmp_path):
    (tmp_path / "list.txt").write_text("a.png b.png\n")
    assert read_training_list(tmp_path / "list.txt") == ["a", "b"]
    (tmp_path / "list.txt").write_text("\n")
    with pytest.raises(DataError, match="list.txt lists no film; give the list"):
        read_training_list(tmp_path / "list.txt")
