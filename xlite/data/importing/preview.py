"""What a page shows of a data set before it is imported, and takes back once a person has corrected it."""

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from xlite.data.importing.columns import Columns, corrected, guess_columns, with_roles
from xlite.data.importing.found import LATERAL, Found
from xlite.data.importing.kinds import OWN_TABLE
from xlite.data.importing.mapping import Mapping, Rule, checked, for_labels
from xlite.data.importing.record import label_counts
from xlite.data.importing.sources import read_source
from xlite.data.importing.write import name_of
from xlite.errors import DataError
from xlite.findings import FINDINGS
from xlite.places import home
from xlite.text import counted

NONE = "none of the 14"
"""What stands for a label that is not a finding."""


@dataclass(frozen=True, eq=False)
class Preview:
    """What lies in a source, the mapping for it, and of somebody's own table what its columns mean.

    found is an error that says why while a table lacks a column that nobody has named.
    """

    kind: str
    source: Path
    columns: Columns | None
    found: Found | DataError
    mapping: Mapping


def preview_of(kind: str, source: str, roles: dict[str, str] | None = None, names: str = "") -> Preview:
    """Looks into a source. roles, names: columns of a table as a person corrects them; an empty one is none.

    Raises DataError if it is not of that kind, or cannot be read.
    """
    path = Path(source.strip()).expanduser()
    if not source.strip():
        raise DataError("name the folder of the data set, or its table")
    columns: Columns | None = None
    if kind in OWN_TABLE:
        columns = guess_columns(path)
        if roles is not None:
            given = {role: name for role, name in roles.items() if name}
            none = {role: "" for role, name in roles.items() if not name}
            columns = with_roles(corrected(columns, given, names=names), none)
        try:
            found, mapping = read_source(kind, path, columns)
        except DataError as error:
            return Preview(kind, path, columns, error, columns.mapping)
    else:
        found, mapping = read_source(kind, path)
    return Preview(kind, path, columns, found, for_labels(mapping, list(found.states.columns)))


def facts(found: Found) -> str:
    """How many films the tables name, and of which views."""
    views = found.films["view"].replace({LATERAL: "lateral", "": "of no known view"})
    told = ", ".join(f"{count:,} {view}" for view, count in views.value_counts().items())
    people = f" of {counted(found.films['patient'].nunique(), 'patient')}" if found.has_patients else ""
    return f"Its tables name {counted(len(found.films), 'film')}{people}: {told}."


def mapping_table(found: Found, mapping: Mapping) -> pd.DataFrame:
    """A row for each label that films have or that is a finding, with its counts and the note."""
    counts = {one.label: one for one in label_counts(found.states, mapping)}
    shown = [(rule, counts[rule.label]) for rule in mapping if rule.label in counts]
    return pd.DataFrame(
        {
            "label": [rule.label for rule, _ in shown],
            "finding": [rule.finding or NONE for rule, _ in shown],
            "present": [count.present for _, count in shown],
            "absent": [count.absent for _, count in shown],
            "uncertain": [count.uncertain for _, count in shown],
            "left blank": [count.blank for _, count in shown],
            "blank means": [rule.blank for rule, _ in shown],
            "note": [rule.note for rule, _ in shown],
        }
    )


def findings_in(table: pd.DataFrame) -> list[str]:
    """The findings that labels of such a table are, in NIH order."""
    named = {name for cell in table["finding"] for name in Rule("", cell or "").findings}
    return [finding for finding in FINDINGS if finding in named]


def mapping_from(table: pd.DataFrame, mapping: Mapping) -> Mapping:
    """The mapping as a person corrected its table. Raises DataError as `checked`."""
    said = {
        row["label"]: ("" if row["finding"] in (NONE, None) else row["finding"], row["blank means"])
        for row in table.to_dict("records")
    }
    rules = [
        replace(rule, finding=said[rule.label][0], blank=said[rule.label][1]) if rule.label in said else rule
        for rule in mapping
    ]
    return checked(rules)


def place_for(kind: str, name: str) -> Path:
    """The folder of this home that the import goes to. Raises DataError for a name that cannot be one."""
    data = home() / "data"
    return data / name_of(kind, data / (name.strip() or kind), name.strip())
