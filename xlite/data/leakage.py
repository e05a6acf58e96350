"""What two lists of films have in common: films, patients, and what a teacher has already seen."""

from collections.abc import Sequence

import pandas as pd

from xlite.errors import DataError


def leakage_report(
    train: Sequence[str],
    test: Sequence[str],
    table: pd.DataFrame | None = None,
    teacher_list: Sequence[str] | None = None,
) -> dict[str, int | float]:
    """How far `test` is known to `train`, and to a teacher that was trained on `teacher_list` (all lists of
    stems).

    Patients come from the table (as `read_table` gives it), else from the first 8 digits of the stem, as
    NIH names its films. `affected`: films of test whose patient is in train; `teacher_seen`: films of test
    in the teacher's list; `clean`: films of test whose patient the teacher never saw. Shares are 0-1.
    Raises DataError for a film whose patient cannot be told.
    """
    test_patients = _patients(test, table)
    train_patients = set(_patients(train, table).values())
    affected = sum(patient in train_patients for patient in test_patients.values())
    report: dict[str, int | float] = {
        "train_images": len(set(train)),
        "test_images": len(test_patients),
        "train_patients": len(train_patients),
        "test_patients": len(set(test_patients.values())),
        "shared_images": len(test_patients.keys() & set(train)),
        "shared_patients": len(train_patients & set(test_patients.values())),
        "affected_images": affected,
        "affected_share": affected / max(1, len(test_patients)),
    }
    if teacher_list is not None:
        teacher_patients = set(_patients(teacher_list, table).values())
        seen = len(test_patients.keys() & set(teacher_list))
        report |= {
            "teacher_images": len(set(teacher_list)),
            "teacher_seen_images": seen,
            "teacher_seen_share": seen / max(1, len(test_patients)),
            "clean_images": sum(patient not in teacher_patients for patient in test_patients.values()),
        }
    return report


def of_known_patients(
    train: Sequence[str], test: Sequence[str], table: pd.DataFrame | None = None
) -> list[str]:
    """The films of `test` whose patient is in `train`; all as for `leakage_report`, which counts them."""
    known = set(_patients(train, table).values())
    return [stem for stem, patient in _patients(test, table).items() if patient in known]


def _patients(stems: Sequence[str], table: pd.DataFrame | None) -> dict[str, int]:
    """The patient of each film, in the order of the films."""
    known = {} if table is None else dict(zip(table["stem"], table["patient"].tolist(), strict=True))
    return {stem: _patient(stem, known) for stem in dict.fromkeys(stems)}


def _patient(stem: str, known: dict[str, int]) -> int:
    if stem in known:
        return known[stem]
    if stem[:8].isdecimal() and len(stem) >= 8:
        return int(stem[:8])
    raise DataError(
        f"the patient of {stem!r} cannot be told: no table lists it and it does not begin with 8 digits"
    )
