"""Patient ids: text from end to end, as tables write it, and what of it is the same patient.

No id passes through a number: a float keeps 15 digits, an int64 18, and patients that lose others are merged.
"""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

from xlite.errors import DataError
from xlite.labels import negative, positive

_WHOLE = re.compile(r"(-?)([0-9]{1,99})(\.0*)?")
# 2.7, 1,5, 3.2E+37 and 1e+17; but not 1e5, which may be somebody's id.
_OTHER_NUMBER = re.compile(r"[+-]?(?:[0-9]*[.,][0-9]*(?:e[+-]?[0-9]+)?|[0-9]+e[+-][0-9]+)", re.IGNORECASE)
_NOBODY = {"na", "n/a", "n.a.", "#n/a", "<na>", "nan", "-nan", "none", "null", "unknown", "missing"}
_DASHES = {"Pd": "-", "Cf": "", "Cc": ""}
"""By category, what stands for a dash and for what does not print."""
_MARKS = "'\"\u2018\u2019+"
"""What programs put before an id."""
_EXACT = 2**53
"""Up to here a float64 holds every whole number."""


def patient_ids(written: Sequence[str], films: Sequence[str] = ()) -> list[str]:
    """The id of each film's patient, from a table's column; films: what errors call them instead of rows.

    Whole numbers lose what programs add to them, a fraction of zeros and leading zeros: `1`, `1.0` and
    `00000001` are `1`. All other ids stay as they are. Raises DataError if an id is missing or has been
    rounded, and if what may be one patient is written in two ways, as `P7` and `p007` or `1` and `0001`.
    """
    ids, spellings, of_floats = dict[str, str](), dict[str, str](), set[str]()
    for text in dict.fromkeys(written):
        whole = _WHOLE.fullmatch(text.strip())
        if whole is None and (fault := _fault(text.strip())):
            row = written.index(text)
            place = f"of the film {films[row]!r}" if films else f"in row {row + 1}"
            raise DataError(f"Patient ID {text!r} {place} {fault}")
        spelling = whole[1] + whole[2] if whole else text.strip()
        before = spellings.setdefault(_likeness(spelling), spelling)
        if before != spelling:
            raise DataError(
                f"Patient ID {before!r} and Patient ID {spelling!r} may be one patient or two; write each "
                "patient's id in one way"
            )
        ids[text] = whole[1] + (whole[2].lstrip("0") or "0") if whole else spelling
        if whole and whole[3]:
            of_floats.add(ids[text])
    _check_rounding(of_floats, {ids[text] for text in ids if "." not in text})
    return [ids[text] for text in written]


def patient_order(patient: str) -> tuple[bool, int, str]:
    """A key to sort ids by: whole numbers first, by value, as NIH's always were, then all other text."""
    number = _number(patient)
    return (True, 0, patient) if number is None else (False, number, "")


def patient_places(patients: np.ndarray) -> np.ndarray:
    """int64 (N,): for each film's patient (N,) its place among the different patients in `patient_order`."""
    different, found = np.unique(patients, return_inverse=True)
    ordered = sorted(range(len(different)), key=lambda row: patient_order(str(different[row])))
    placed: np.ndarray = np.argsort(ordered)[found]
    return placed


def patients_with(marked: np.ndarray, patients: np.ndarray) -> np.ndarray:
    """int64 (C,): how many of the patients (N,) have at least one film that is marked, (N, C) bool."""
    different, owner = np.unique(patients, return_inverse=True)
    counts = [np.count_nonzero(np.bincount(owner[column], minlength=len(different))) for column in marked.T]
    return np.array(counts, dtype=np.int64)


def fewer_patients(labels: np.ndarray, patients: np.ndarray) -> np.ndarray:
    """int64 (C,): the fewer of the patients (N,) with a finding and of those without it; labels (N, C)."""
    have, lack = (patients_with(films, patients) for films in (positive(labels), negative(labels)))
    fewer: np.ndarray = np.minimum(have, lack)
    return fewer


def patient_bytes(patients: Sequence[str]) -> bytes:
    """Ids for a digest: int64 if all are whole numbers that fit, as NIH's always were, else text."""
    numbers = [_number(patient) for patient in patients]
    small = [number for number in numbers if number is not None and abs(number) < 2**63]
    if len(small) == len(numbers):
        return np.array(small, "<i8").tobytes()
    return "\n".join(patients).encode()


def _number(patient: str) -> int | None:
    """The value of an id that is a whole number."""
    whole = _WHOLE.fullmatch(patient)
    return int(whole[1] + whole[2]) if whole else None


def _fault(text: str) -> str:
    """What is wrong with an id that is not a whole number; nothing if it is a name."""
    if text.casefold() in _NOBODY or not any(map(str.isalnum, text)):
        return "names no patient; give each film the id of its own"
    if _OTHER_NUMBER.fullmatch(text):
        return (
            "is neither a whole number nor a name: a program may have rounded it and merged patients; give "
            "ids as they were, as text"
        )
    return ""


def _check_rounding(of_floats: set[str], others: set[str]) -> None:
    """Raises DataError if ids are too long for a float and may have been rounded to one.

    Those with `.0` come from floats; those without may, if several are what floats hold, or if a spreadsheet
    put zeros behind 15 digits.
    """
    whole = {patient for patient in others if _number(patient) is not None and abs(int(patient)) > _EXACT}
    zeros = {patient for patient in whole if not patient.lstrip("-")[15:].strip("0")}
    if whole and (zeros == whole or (len(whole) > 1 and all(int(float(one)) == int(one) for one in whole))):
        raise DataError(
            f"Patient ID {min(whole)!r} and all other long ones look as if a program had rounded them, so "
            "patients may be merged; give ids as they were, as text"
        )
    long = {patient for patient in of_floats if abs(int(patient)) > _EXACT}
    if long - others and all(int(float(patient)) == int(patient) for patient in long):
        raise DataError(
            f"Patient ID '{min(long - others)}.0' has more digits than a floating-point number keeps, so "
            "patients may be merged; give ids as they were, as text"
        )


def _likeness(spelling: str) -> str:
    """What is equal for two ids that may be of one patient.

    It has no case, no blanks, no leading zeros, nothing that does not print, one kind of dash, and before it
    neither a plus nor the apostrophe by which spreadsheets mark text.
    """
    plain = "".join(unicodedata.normalize("NFKC", spelling).casefold().split())
    if not plain.isascii():
        plain = "".join(
            _DASHES.get(unicodedata.category(sign), sign) for sign in plain.replace("\u2212", "-")
        )
    plain = plain.lstrip(_MARKS)
    numbered = re.fullmatch(r"([^0-9]*)0*([0-9]+)([^0-9]*)", plain)
    return "".join(numbered.groups()) if numbered else plain
