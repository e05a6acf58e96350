"""What the test part of a split shares with its training, in one data folder or across several."""

import filecmp
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import pandas as pd

from xlite.data.folder import NihFolder
from xlite.data.joined import JoinedFolder
from xlite.data.leakage import LeakageReport, TeacherOverlap, leakage_report
from xlite.data.splits import Split


@dataclass(frozen=True)
class FolderLeakage:
    """What train and test share: of all folders together, and of each by its title, if there are several.

    same_films: pairs of films of two folders that are the same file under two names; crossing: how many of
    these have one film in train and the other in test. `whole` counts their patients as one.
    """

    split_id: str
    whole: LeakageReport
    folders: dict[str, LeakageReport]
    same_films: list[tuple[str, str]]
    crossing: int

    def as_dict(self) -> dict[str, object]:
        """For --json."""
        return {
            "split": self.split_id,
            **self.whole.as_dict(),
            "folders": {title: report.as_dict() for title, report in self.folders.items()},
            "same_films": self.same_films,
            "same_films_crossing": self.crossing,
        }


def folder_leakage(
    folder: NihFolder, split: Split, teacher_list: Sequence[str] | None = None
) -> FolderLeakage:
    """What the split's test part shares with its train part, and with a teacher's list of films.

    The list is called as in the films' own folders. Reads films of two folders that have one size.
    """
    train, test = (split.stems(part) for part in ("train", "test"))
    same, learned, judged = same_films(folder), {*train}, {*test}
    crossing = [
        (one, other)
        for pair in same
        for one, other in (pair, pair[::-1])
        if one in learned and other in judged
    ]
    shared = (learned & judged) | {other for _, other in crossing}
    whole = leakage_report(train, test, _with_one_patient(folder.table, same))
    whole = replace(whole, shared_images=len(shared))
    if teacher_list is not None:
        whole = replace(whole, teacher=_overlap(folder, test, teacher_list))
    return FolderLeakage(split.id, whole, _of_each(folder, split), same, len(crossing))


def same_films(folder: NihFolder) -> list[tuple[str, str]]:
    """Pairs of films of two folders, by their names here, that are the same byte for byte."""
    if not isinstance(folder, JoinedFolder):
        return []
    of_size: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for place, names in enumerate(folder.stems):
        for stem in names.values():
            path = folder.paths.get(stem)
            if path is not None and path.is_file():
                of_size[path.stat().st_size].append((place, stem))
    return [
        (one, other)
        for films in of_size.values()
        for (mine, one), (theirs, other) in combinations(films, 2)
        if mine != theirs and filecmp.cmp(folder.paths[one], folder.paths[other], shallow=False)
    ]


def _with_one_patient(table: pd.DataFrame, same: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """The table with one patient for both films of each pair."""
    patients = dict(zip(table["stem"], table["patient"], strict=True))
    merged: dict[str, str] = {}

    def final(patient: str) -> str:
        while patient in merged:
            patient = merged[patient]
        return patient

    for one, other in same:
        first, second = final(patients[one]), final(patients[other])
        if first != second:
            merged[second] = first
    return table.assign(patient=[final(patient) for patient in table["patient"]])


def _of_each(folder: NihFolder, split: Split) -> dict[str, LeakageReport]:
    if not isinstance(folder, JoinedFolder):
        return {}
    return {
        title: leakage_report(own.stems("train"), own.stems("test"), one.table)
        for one, title, own in zip(folder.folders, folder.titles, split.joined, strict=True)
        if own is not None
    }


def _overlap(folder: NihFolder, test: Sequence[str], teacher_list: Sequence[str]) -> TeacherOverlap:
    """What a teacher knows of the test films; its list may name films that no folder has."""
    listed = folder.here(teacher_list)
    judged = {*test}
    seen = len(judged & {*listed})
    return TeacherOverlap(
        teacher_images=len({*teacher_list}),
        teacher_seen_images=seen,
        teacher_seen_share=seen / max(1, len(judged)),
        clean_images=len(judged) - len(folder.sharing_patients(listed, test).films),
    )
