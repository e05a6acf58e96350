"""What two lists of films have in common: films, patients, and what a teacher has already seen."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from xlite.data.tables import read_list
from xlite.errors import DataError
from xlite.patients import patient_ids

_IN_NAME = re.compile(r"[0-9]{1,8}")
_NIH_NAME = re.compile(r"([0-9]{8})_[0-9]{3}")


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
class Shared:
    """What films judged share with films learned from.

    films: those judged whose patient was learned from; outside: how many of the others the table lacks;
    untold: how many of these nobody can tell the patient of, so that he may be judged too.
    """

    films: list[str]
    outside: int
    untold: int


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


def read_training_list(path: Path | str) -> list[str]:
    """`read_list` of films that were trained on: one of no films would call every other film clean.

    Raises DataError.
    """
    stems = read_list(path)
    if not stems:
        raise DataError(f"{path} lists no film; give the list of the films that were trained on")
    return stems


def leakage_report(
    train: Sequence[str],
    test: Sequence[str],
    table: pd.DataFrame | None = None,
    teacher_list: Sequence[str] | None = None,
) -> LeakageReport:
    """What `test` shares with `train`, and with a teacher's `teacher_list` (all lists of stems).

    Patients come from the table (as `read_table` gives it), else from the 8 digits that NIH's names begin
    with, unless the table's patients have other ids or that number is another patient there. Raises
    DataError if a film's patient cannot be told.
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
    test_patients: dict[str, str], teacher_list: Sequence[str], table: pd.DataFrame | None
) -> TeacherOverlap:
    teacher_patients = set(_patients(teacher_list, table).values())
    seen = len(test_patients.keys() & set(teacher_list))
    return TeacherOverlap(
        teacher_images=len(set(teacher_list)),
        teacher_seen_images=seen,
        teacher_seen_share=seen / max(1, len(test_patients)),
        clean_images=sum(patient not in teacher_patients for patient in test_patients.values()),
    )


def films_sharing_patients(learned: Sequence[str], judged: Sequence[str], table: pd.DataFrame) -> Shared:
    """What the films `judged`, all of the table, share with those learned from; patients as for
    `leakage_report`.
    """
    listed = _listed(table)
    outside = {*learned} - listed.keys()
    named = _told_by_name(outside, listed)
    known = {listed[stem] for stem in {*learned} - outside} | {*named.values()}
    return Shared(
        [stem for stem in dict.fromkeys(judged) if listed[stem] in known],
        len(outside),
        len(outside - named.keys()),
    )


def is_nih_name(stem: str) -> bool:
    """Whether a film is called as NIH's are."""
    return _NIH_NAME.fullmatch(stem) is not None


def _patients(stems: Sequence[str], table: pd.DataFrame | None) -> dict[str, str]:
    """The patient of each film, in the order of the films."""
    listed = _listed(table)
    named = _told_by_name([stem for stem in stems if stem not in listed], listed)
    nobody = next((stem for stem in stems if stem not in listed and stem not in named), None)
    if nobody is None:
        return {stem: listed[stem] if stem in listed else named[stem] for stem in stems}
    others = listed.items() - _named(listed).items()
    if not others:
        raise DataError(
            f"the patient of {nobody!r} cannot be told: no table lists it and it does not begin with 8 "
            "digits, as NIH's names do"
        )
    stem, patient = min(others)
    raise DataError(
        f"the patient of {nobody!r} cannot be told: the table does not list it, and its patients, such as "
        f"{patient!r} of {stem!r}, are not those in NIH's names; give a table of all films"
    )


def _listed(table: pd.DataFrame | None) -> dict[str, str]:
    """The patient of each film of a table."""
    return {} if table is None else dict(zip(table["stem"], table["patient"], strict=True))


def _told_by_name(stems: Iterable[str], listed: dict[str, str]) -> dict[str, str]:
    """The patients of films that a table lacks, as far as their names tell them.

    They tell nothing beside patients with ids of another kind. Else they do but for a number that is another
    patient in the table, or whose patient has films of other names there.
    """
    if not all(map(_IN_NAME.fullmatch, {*listed.values()})):
        return {}
    in_names = _named(listed)
    others = [stem for stem in listed if in_names.get(stem) != listed[stem]]
    doubtful = {patients.get(stem) for stem in others for patients in (in_names, listed)}
    return {stem: patient for stem, patient in _named(stems).items() if patient not in doubtful}


def _named(stems: Iterable[str]) -> dict[str, str]:
    """The patients in the names of those of the films that are called as NIH's are."""
    numbers = {stem: named[1] for stem in stems if (named := _NIH_NAME.fullmatch(stem))}
    return dict(zip(numbers, patient_ids(list(numbers.values())), strict=True))
