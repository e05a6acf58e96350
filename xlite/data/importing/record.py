"""What was made of a data set: kept in import.json, and said as a table."""

import json
from collections.abc import Mapping as Dict
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from xlite.data.importing.found import UNCERTAIN
from xlite.data.importing.kinds import RECORD
from xlite.data.importing.labels import Labels
from xlite.data.importing.mapping import Mapping, spoken_findings
from xlite.findings import FINDINGS, spoken
from xlite.text import counted


@dataclass(frozen=True)
class LabelCount:
    """A label of the data set, the finding that it is, and how it stands on the films that were taken."""

    label: str
    finding: str
    present: int
    absent: int
    uncertain: int
    blank: int
    note: str


@dataclass(frozen=True)
class Record:
    """What was made of what; all but left_out, conflicts and notes is of the films taken."""

    kind: str
    name: str
    source: str
    date: str
    version: str
    films: int
    patients: int
    views: dict[str, int]
    labels: list[LabelCount]
    findings: dict[str, dict[str, int]]
    not_labelled: list[str]
    uncertain: dict[str, str]
    blank: str
    left_out: dict[str, int]
    conflicts: dict[str, int]
    boxes: int
    boxes_left_out: dict[str, int]
    lists: list[str]
    nih_names: int
    notes: list[str]
    tables: list[dict[str, str]] = field(default_factory=list)

    def as_json(self) -> str:
        """The text of import.json."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"


def label_counts(states: pd.DataFrame, mapping: Mapping) -> list[LabelCount]:
    """How each label stands; those that no film has and that are not a finding are left out."""
    counts = []
    for rule in mapping:
        values = states[rule.label].to_numpy()
        present, absent, uncertain = (int((values == mark).sum()) for mark in (1, 0, UNCERTAIN))
        if rule.finding or present or absent or uncertain:
            blank = int(np.isnan(values).sum())
            one = LabelCount(rule.label, rule.finding, present, absent, uncertain, blank, rule.note)
            counts.append(one)
    return counts


def finding_counts(labels: Labels) -> dict[str, dict[str, int]]:
    """For each finding that the set labels: on how many films it is present, absent, unknown."""
    columns = dict(zip(FINDINGS, labels.values.T, strict=True))
    return {
        finding: {
            "present": int((columns[finding] == 1).sum()),
            "absent": int((columns[finding] == 0).sum()),
            "unknown": int(np.isnan(columns[finding]).sum()),
        }
        for finding in labels.labelled
    }


def record_lines(record: Record) -> list[str]:
    """The record for a terminal: its table of labels, and a sentence for everything else."""
    lines = [*_table(record.labels), ""]
    for finding, count in record.findings.items():
        numbers = (
            f"{count['present']:>9,} present {count['absent']:>9,} absent {count['unknown']:>9,} unknown"
        )
        lines.append(f"{spoken(finding):20}{numbers}")
    lines.append("")
    lines += sentences(record)
    return lines


def sentences(record: Record) -> list[str]:
    """Everything of the record but its tables, a sentence each."""
    told = [
        f"{counted(record.films, 'film')} of {counted(record.patients, 'patient')}: {_counts(record.views)}"
    ]
    told.append(
        f"Not labelled here: {', '.join(map(spoken, record.not_labelled))}"
        if record.not_labelled
        else "All 14 are labelled"
    )
    if any(record.left_out.values()):
        told.append(f"Left out: {_reasons(record.left_out)}")
    told += [f"Conflict: {what} ({counted(count, 'film')})" for what, count in record.conflicts.items()]
    if record.boxes or record.boxes_left_out:
        rest = f"; left out: {_reasons(record.boxes_left_out)}" if record.boxes_left_out else ""
        told.append(f"{counted(record.boxes, 'box', 'boxes')}{rest}")
    if record.lists:
        told.append(f"Lists of the data set: {', '.join(record.lists)}")
    return [*told, *record.notes]


def _counts(counts: Dict[str, int]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in counts.items())


def _reasons(counts: Dict[str, int]) -> str:
    return ", ".join(f"{what} ({count:,})" for what, count in counts.items() if count)


def _table(labels: list[LabelCount]) -> list[str]:
    width = max([len(one.label) for one in labels] + [5]) + 2
    findings = [spoken_findings(one.finding) or "unmapped" for one in labels]
    room = max([len(one) for one in findings] + [18]) + 2
    head = f"{'label':{width}}{'finding':{room}}{'present':>9}{'absent':>9}{'uncertain':>10}{'blank':>9}"
    rows = []
    for one, finding in zip(labels, findings, strict=True):
        numbers = f"{one.present:>9,}{one.absent:>9,}{one.uncertain:>10,}{one.blank:>9,}"
        rows.append(f"{one.label:{width}}{finding:{room}}{numbers}")
    return [head, *rows]


def read_record(folder: Path) -> dict[str, object] | None:
    """What import.json of a folder says; None if it was not imported, or the file is damaged."""
    try:
        kept = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return kept if isinstance(kept, dict) else None
