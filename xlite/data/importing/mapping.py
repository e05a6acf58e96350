"""Which label of a data set is which of the 14 findings: tables that a person can read and correct.

The shipped ones lie in `mappings/`, one for each kind. A row: the label as the data set writes it; the
finding, `No Finding`, or nothing; what it means if the label is left blank (`unknown` or `0`); a note; its
source. Several findings stand between `|`. One with a `?` behind it is left open by the label: unknown on a
film that has it, unless another label tells.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from xlite.data.rows import columns_of, read_rows
from xlite.errors import DataError
from xlite.findings import FINDINGS, NO_FINDING, canonical, spoken

COLUMNS = ("label", "finding", "blank", "note", "source")
UNKNOWN, ABSENT = "unknown", "0"
BETWEEN, OPEN = "|", "?"


@dataclass(frozen=True)
class Rule:
    """What one label means; finding is empty if it is none of the 14, `Effusion|Mass` or `Mass?` as above."""

    label: str
    finding: str = ""
    blank: str = UNKNOWN
    note: str = ""
    source: str = ""

    @property
    def findings(self) -> list[str]:
        """What a film with the label has."""
        return [name for name in self.finding.split(BETWEEN) if name and not name.endswith(OPEN)]

    @property
    def left_open(self) -> list[str]:
        """What a film with the label may have."""
        return [name[: -len(OPEN)] for name in self.finding.split(BETWEEN) if name.endswith(OPEN)]


Mapping = list[Rule]


def shipped(kind: str) -> Mapping:
    """The mapping that comes with X-Lite; empty for a table of somebody's own."""
    with resources.as_file(resources.files(__package__) / "mappings" / f"{kind}.csv") as path:
        return read_mapping(path) if path.exists() else []


def shipped_labels(kind: str) -> list[str]:
    """The labels of that mapping, as the data set writes them."""
    return [rule.label for rule in shipped(kind)]


def read_mapping(path: Path) -> Mapping:
    """A mapping from a table with COLUMNS, of which note and source may be missing.

    Raises DataError if it cannot be read, names a label twice, or maps to what is not a finding.
    """
    header, rows = read_rows(path)
    if missing := [name for name in COLUMNS[:3] if name not in header]:
        raise DataError(f"{path} lacks the column {missing[0]!r}; a mapping has {', '.join(COLUMNS)}")
    there = [name for name in COLUMNS if name in header]
    columns = columns_of(path, header, rows, there)
    rules = [Rule(**dict(zip(there, row, strict=True))) for row in zip(*columns.values(), strict=True)]
    return checked(rules, f"{path}: ")


def checked(rules: Iterable[Rule], where: str = "") -> Mapping:
    """The rules with findings by their NIH names; raises DataError for one that cannot be, or comes twice."""
    mapping: dict[str, Rule] = {}
    for rule in rules:
        if rule.label in mapping:
            raise DataError(f"{where}the label {rule.label!r} is mapped twice; keep one row for it")
        if rule.blank not in (UNKNOWN, ABSENT):
            raise DataError(
                f"{where}blank is {rule.blank!r} for {rule.label!r}; expected {UNKNOWN} or {ABSENT}"
            )
        mapping[rule.label] = replace(
            rule, finding=finding_named(rule.finding, f"{where}{rule.label!r} is mapped to ")
        )
    return list(mapping.values())


def finding_named(name: str, *what: str) -> str:
    """The findings so named, `No Finding`, or nothing; DataError, which begins with `what`, for others."""
    if name in ("", NO_FINDING):
        return name
    try:
        each = [(one.removesuffix(OPEN), OPEN if one.endswith(OPEN) else "") for one in name.split(BETWEEN)]
        return BETWEEN.join(canonical(one) + mark for one, mark in each)
    except ValueError as error:
        raise DataError(
            *what,
            f"{name!r}, which is not one of the 14 findings; expected one of {', '.join(FINDINGS)}, "
            f"{NO_FINDING}, or nothing",
        ) from error


def spoken_findings(finding: str) -> str:
    """What a rule's finding says, as people write it: `Effusion and Mass`, `perhaps Mass`."""
    rule = Rule("", finding)
    return " and ".join([*map(spoken, rule.findings), *(f"perhaps {spoken(one)}" for one in rule.left_open)])


def for_labels(mapping: Mapping, labels: Sequence[str]) -> Mapping:
    """A rule for each label of a data set, in its order; those that the mapping lacks are for no finding."""
    known = {rule.label: rule for rule in mapping}
    return [known.get(label, Rule(label, note="not in the mapping")) for label in labels]


def as_csv(mapping: Mapping) -> str:
    """The mapping as the text of a table that `read_mapping` reads."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([rule.label, rule.finding, rule.blank, rule.note, rule.source] for rule in mapping)
    return text.getvalue()
