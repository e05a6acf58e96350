"""Radiologists' labels beside NIH's."""

from xlite.evaluation.radiologists_report import RadiologistsFinding
from xlite.findings import spoken
from xlite.report.document import Block, Row, Table, Text
from xlite.report.view import View
from xlite.text import counted, number


def radiologists(view: View) -> list[Block]:
    """What radiologists marked on the films that both know, and the AUC against each."""
    found = view.report.radiologists
    if found is None:
        return [Text("Radiologists' labels were not given to this evaluation.")]
    rows: list[Row] = [
        [
            name,
            ", ".join(map(spoken, one.nih)),
            f"{one.positives:,} / {_nih(one)}",
            number(one.nih_ppv),
            number(one.prevalence, ""),
            number(one.nih_sensitivity),
            view.cell(one.auc),
            view.cell(one.nih_auc),
        ]
        for name, one in found.findings.items()
    ]
    text = f"Radiologists read {found.images:,} of these films, of {counted(found.patients, 'patient')}."
    if found.missed_by_no_finding is not None:
        text += (
            f" They marked something in {found.missed_by_no_finding:.0%} of those that NIH calls No Finding."
        )
    header = [
        "They marked",
        "NIH's findings",
        "Positives, theirs / NIH's",
        "NIH's PPV",
        "Prevalence, theirs",
        "NIH's sensitivity",
        "AUC, theirs",
        "AUC, NIH's",
    ]
    if any(one.films not in (None, found.images) for one in found.findings.values()):
        known = "; ".join(f"{name} {one.films:,}" for name, one in found.findings.items())
        text += f" Films of which it is known whether NIH has a finding that says the same: {known}."
    caption = (
        "NIH's PPV holds at the prevalence beside it only: these films are not a random sample of NIH's. "
        "Airspace opacity has no counterpart in NIH's labels: the findings named are a grouping of X-Lite's."
    )
    return [Text(text), Table(header, rows, caption, words=(1,))]


def _nih(one: RadiologistsFinding) -> str:
    """NIH's positives, which the PPV is of, and their patients; an old report does not count these."""
    patients = "" if one.nih_patients is None else f" of {counted(one.nih_patients, 'patient')}"
    return f"{one.nih_positives:,}{patients}"
