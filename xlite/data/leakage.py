"""What two lists of films have in common: films, patients, and what a teacher has already seen."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pandas as pd

from xlite.errors import DataError


@dataclass(frozen=True)
class TeacherOverlap:
    """How many of the test films a teacher was trained on; the share is 0-1.

    clean_images: films of test whose patient the teacher never saw.
    """

    teacher_images: int
    teacher_seen_images: int
    teacher_seen_share: float
    clean_images: int


@dataclass(frozen=True)
class LeakageReport:
    """What the test films share with training; the share is 0-1.

    affected_images: films of test whose patient is in train.
    """

    train_images: int
    test_images: int
    train_patients: int
    test_patients: int
    shared_images: int
    shared_patients: int
    affected_images: int
    affected_share: float
    teacher: TeacherOverlap | None = None

    def as_dict(self) -> dict[str, int | float]:
        """All numbers side by side, those of a teacher only if there is one."""
        numbers = asdict(self)
        return numbers | (numbers.pop("teacher") or {})


def leakage_report(
    train: Sequence[str],
    test: Sequence[str],
    table: pd.DataFrame | None = None,
    teacher_list: Sequence[str] | None = None,
) -> LeakageReport:
    """What `test` shares with `train`, and with a teacher's `teacher_list` (all lists of stems).

    Patients come from the table (as `read_table` gives it), else from the first 8 digits of the stem, as
    NIH names its films. Raises DataError if the patient of a film cannot be told.
    """
    test_patients = _patients(test, table)
    train_patients = set(_patients(train, table).values())
    affected = sum(patient in train_patients for patient in test_patients.values())
    return LeakageReport(
        train_images=len(set(train)),
        test_images=len(test_patients),
        train_patients=len(train_patients),
        test_patients=len(set(test_patients.values())),
        shared_images=len(test_patients.keys() & set(train)),
        shared_patients=len(train_patients & set(test_patients.values())),
        affected_images=affected,
        affected_share=affected / max(1, len(test_patients)),
        teacher=None if teacher_list is None else _teacher_overlap(test_patients, teacher_list, table),
    )


def _teacher_overlap(
    test_patients: dict[str, int], teacher_list: Sequence[str], table: pd.DataFrame | None
) -> TeacherOverlap:
    teacher_patients = set(_patients(teacher_list, table).values())
    seen = len(test_patients.keys() & set(teacher_list))
    return TeacherOverlap(
        teacher_images=len(set(teacher_list)),
        teacher_seen_images=seen,
        teacher_seen_share=seen / max(1, len(test_patients)),
        clean_images=sum(patient not in teacher_patients for patient in test_patients.values()),
    )


def films_sharing_patients(
    train: Sequence[str], test: Sequence[str], table: pd.DataFrame | None = None
) -> list[str]:
    """The films of `test` whose patient is in `train`; patients and errors as for `leakage_report`."""
    train_patients = set(_patients(train, table).values())
    return [stem for stem, patient in _patients(test, table).items() if patient in train_patients]


def _patients(stems: Sequence[str], table: pd.DataFrame | None) -> dict[str, int]:
    """The patient of each film, in the order of the films."""
    listed = {} if table is None else dict(zip(table["stem"], table["patient"].tolist(), strict=True))
    return {stem: _patient(stem, listed) for stem in dict.fromkeys(stems)}


def _patient(stem: str, listed: dict[str, int]) -> int:
    if stem in listed:
        return listed[stem]
    if stem[:8].isdecimal() and len(stem) >= 8:
        return int(stem[:8])
    raise DataError(
        f"the patient of {stem!r} cannot be told: no table lists it and it does not begin with 8 digits"
    )
