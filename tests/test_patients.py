"""Patient ids: text, never merged, never split, in the order and with the digest that NIH's always had."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlite.errors import DataError
from xlite.patients import (
    fewer_patients,
    patient_bytes,
    patient_ids,
    patient_order,
    patient_places,
    patients_with,
)

E17 = 10**17
LONG = ["32190288767206698995128181920214237181", "32190288767206698995128181920214237182"]


@pytest.mark.parametrize(
    ("written", "ids"),
    [
        (["1", "2", "30805"], ["1", "2", "30805"]),
        (["1.0", "2.0", "1.0"], ["1", "2", "1"]),  # resaved by pandas
        (["1", "1.0", " 1 ", "1."], ["1", "1", "1", "1"]),
        (["00000001", "00000010.0", "0"], ["1", "10", "0"]),
        (LONG, LONG),
        # One of 18 digits as a float would have it, and again as it is.
        ([f"{E17}.0", str(E17), str(E17 + 1)], [str(E17), str(E17), str(E17 + 1)]),
        # No float holds the second, so the `.0` was put behind whole numbers.
        ([f"{E17}.0", f"{E17 + 1}.0"], [str(E17), str(E17 + 1)]),
        (["P-7", " p-8", "a3f0", "1e5", "1.2.840.1"], ["P-7", "p-8", "a3f0", "1e5", "1.2.840.1"]),
        (["9" * 120, "9" * 5000], ["9" * 120, "9" * 5000]),
        (["'1", "'2", "1-1", "11", "1/1", "-1", "\u0661"], ["'1", "'2", "1-1", "11", "1/1", "-1", "\u0661"]),
    ],
)
def test_ids_are_text_without_what_programs_add_to_numbers(written: list[str], ids: list[str]) -> None:
    assert patient_ids(written) == ids


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (["1", ""], "Patient ID '' in row 2 names no patient"),
        (["1", "2", " NaN"], "Patient ID ' NaN' in row 3 names no patient"),
        (["a", "unknown", "unknown"], "Patient ID 'unknown' in row 2 names no patient"),
        (["1", "2.7"], "Patient ID '2.7' in row 2 is neither a whole number nor a name"),
        (["3.21902887672067E+37"], "Patient ID '3.21902887672067E\\+37' in row 1 is neither"),
        (["1e+17"], "Patient ID '1e\\+17' in row 1 is neither"),
        (["1,000"], "Patient ID '1,000' in row 1 is neither"),
        (["9007199254740994.0", "9007199254740998.0"], "Patient ID '9007199254740994.0' has more digits"),
        (["-1", "-01.0"], "Patient ID '-1' and Patient ID '-01' may be one patient or two"),
        (["1", "0001"], "Patient ID '1' and Patient ID '0001' may be one patient or two"),
        (["01", "001.0"], "Patient ID '01' and Patient ID '001' may be one patient or two"),
        (["P7", "P8", "p7"], "Patient ID 'P7' and Patient ID 'p7' may be one patient or two"),
        (["P007", "P7"], "Patient ID 'P007' and Patient ID 'P7' may be one patient or two"),
        (["P 7", "P7"], "Patient ID 'P 7' and Patient ID 'P7' may be one patient or two"),
        (["\uff11", "1"], "Patient ID '\uff11' and Patient ID '1' may be one patient or two"),
        (["1", "+1"], "Patient ID '1' and Patient ID '\\+1' may be one patient or two"),
        (["P7", "'P7"], "Patient ID 'P7' and Patient ID \"'P7\" may be one patient or two"),
        (["1\u200b", "1"], r"Patient ID '1\\u200b' and Patient ID '1' may be one patient or two"),
        (["\ufeff7", "7"], r"Patient ID '\\ufeff7' and Patient ID '7' may be one patient or two"),
        (["P-7", "P\u20117"], "Patient ID 'P-7' and Patient ID 'P\u20117' may be one patient or two"),
        (["P\u22127", "P-7"], "Patient ID 'P\u22127' and Patient ID 'P-7' may be one patient or two"),
        (["1", "--"], "Patient ID '--' in row 2 names no patient"),
        (["1", "\u200b"], r"Patient ID '\\u200b' in row 2 names no patient"),
    ],
)
def test_what_may_be_merged_or_split_is_refused(written: list[str], sentence: str) -> None:
    with pytest.raises(DataError, match=sentence) as refused:
        patient_ids(written)
    assert "\n" not in str(refused.value)


def test_whole_numbers_are_sorted_by_value_before_all_other_ids() -> None:
    ids = ["b", "10", "a", "9", LONG[1], LONG[0], "-3", "1.2.3"]
    assert sorted(ids, key=patient_order) == ["-3", "9", "10", *LONG, "1.2.3", "a", "b"]
    np.testing.assert_array_equal(patient_places(np.array(ids, object)), [7, 2, 6, 1, 4, 3, 0, 5])


@pytest.mark.slow
@given(st.lists(st.integers(-(2**63) + 1, 2**63 - 1), min_size=1, max_size=50))
def test_places_and_bytes_are_those_of_the_numbers(numbers: list[int]) -> None:
    ids = [str(number) for number in numbers]
    expected = np.unique(numbers, return_inverse=True)[1]
    np.testing.assert_array_equal(patient_places(np.array(ids, object)), expected)
    np.testing.assert_array_equal(patient_places(np.array(numbers)), expected)
    assert patient_bytes(ids) == np.array(numbers, "<i8").tobytes()


def test_ids_that_no_int64_holds_are_digested_as_text() -> None:
    assert patient_bytes(["1", LONG[0]]) == f"1\n{LONG[0]}".encode()
    assert patient_bytes(["1", "a"]) == b"1\na"


def test_patients_are_counted_once_however_many_films_are_marked():
    marked = np.array([[1, 0, 1], [1, 0, 0], [0, 0, 1], [1, 0, 1]], bool)
    patients = np.array(["7", "7", "p", "10"])
    assert patients_with(marked, patients).tolist() == [2, 0, 3]
    assert patients_with(marked[:0], patients[:0]).tolist() == [0, 0, 0]
    assert fewer_patients(marked.astype(np.float32), patients).tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    "ids",
    [
        ["321902887672066000000", "321902887672066000000", "1"],  # of a spreadsheet
        [str(int(float(10**20 + 7 * 10**5 * n))) for n in range(3)],  # floats made whole
    ],
)
def test_ids_that_were_rounded_before_are_refused(ids: list[str]) -> None:
    with pytest.raises(DataError, match="look as if a program had rounded them"):
        patient_ids(ids)


def test_long_ids_that_floats_cannot_hold_are_as_they_are() -> None:
    ids = [str(10**20 + 7 * n + 1) for n in range(3)]
    assert patient_ids(ids) == ids
