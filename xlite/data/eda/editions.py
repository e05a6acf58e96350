"""How two editions of NIH's table differ: in label sets, findings, ages and the rest."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from xlite.data.eda.statistics import label_array
from xlite.data.layout import table_files
from xlite.data.tables import find_table, label_version, read_table
from xlite.errors import DataError
from xlite.findings import FINDINGS
from xlite.labels import known, positive

DETAILS = ("patient", "follow_up", "age", "sex", "view")


@dataclass(frozen=True)
class EditionDifference:
    """This folder's table beside another one.

    films: in both; here, there: in one only. label_sets: films of both whose findings differ. findings, with
    a row for each: here, there (films of both that have it), only_here, only_there, unknown (films of both
    whose label one table or both do not know, which differ in nothing). details: films that differ in each of
    DETAILS; an age over 100 counts as missing, and two missing ages agree.
    """

    other: str
    version: str
    films: int
    here: int
    there: int
    label_sets: int
    findings: pd.DataFrame
    details: dict[str, int]

    @property
    def details_words(self) -> str:
        """How many films differ in each of the details, with commas."""
        return ", ".join(f"{name.replace('_', '-')} {films:,}" for name, films in self.details.items())


def other_edition(root: Path) -> Path | None:
    """A second `Data_Entry_2017*` of the folder, beside the one that it is read from; usually None."""
    used = find_table(root)
    others = sorted(set(table_files(root)) - {used})
    return others[0] if others else None


def compare_editions(table: pd.DataFrame, other: Path) -> EditionDifference:
    """Compares a table, as `read_table` gives it, with the one at `other`.

    Raises DataError if that cannot be read or shares no film with the first.
    """
    theirs = read_table(other).set_index("stem")
    ours = table.set_index("stem")
    both = ours.index.intersection(theirs.index, sort=False)
    if both.empty:
        raise DataError(f"{other} has no film in common with the folder's table; give another edition of it")
    one, two = ours.loc[both], theirs.loc[both]
    first, second = label_array(one), label_array(two)
    mine, yours, both_known = positive(first), positive(second), known(first) & known(second)
    findings = pd.DataFrame(
        {
            "here": mine.sum(axis=0),
            "there": yours.sum(axis=0),
            "only_here": (mine & ~yours & both_known).sum(axis=0),
            "only_there": (yours & ~mine & both_known).sum(axis=0),
            "unknown": (~both_known).sum(axis=0),
        },
        index=list(FINDINGS),
    )
    details = {
        name: int((one[name].ne(two[name]) & ~(one[name].isna() & two[name].isna())).sum())
        for name in DETAILS
    }
    return EditionDifference(
        other=other.name,
        version=label_version(other),
        films=len(both),
        here=len(ours) - len(both),
        there=len(theirs) - len(both),
        label_sets=int(((mine != yours) & both_known).any(axis=1).sum()),
        findings=findings,
        details=details,
    )
