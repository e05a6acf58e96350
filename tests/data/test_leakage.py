"""Leakage between two lists of films, by image and by patient."""

import pandas as pd
import pytest

from xlite.data.leakage import leakage_report
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
