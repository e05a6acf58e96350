"""Where it differs: subgroups, confusion between findings, radiologists' labels."""

from collections.abc import Sequence
from functools import partial

from xlite.findings import FEW_POSITIVES, FINDINGS, spoken
from xlite.report.charts import intervals as compared
from xlite.report.document import Alert, Block, Chart, Table, Text
from xlite.report.sections.marks import struck
from xlite.report.sentences import interval, source
from xlite.text import counted, number

NO_BREAK = "\N{NO-BREAK SPACE}"
_ATTRIBUTES = {"view": "View", "sex": "Sex", "age": "Age"}


def subgroups(report: dict, palette: Sequence[str]) -> list[Block]:
    """Gaps larger than noise in sentences, then n and mean AUC of each group."""
    found = report["subgroups"]
    said = [gap["sentence"] for one in found.values() for gap in one["gaps"] if gap["sentence"]]
    blocks: list[Block] = [
        Alert("Gaps larger than noise", said)
        if said
        else Text("No gap between two groups is larger than the noise of resampling patients.")
    ]
    rows = [
        [
            f"{_ATTRIBUTES[attribute]}: {name}",
            f"{group['images']:,}",
            f"{group['patients']:,}",
            struck(report, interval(group["auc"])),
            str(group["findings"]),
        ]
        for attribute, one in found.items()
        for name, group in one["groups"].items()
    ]
    caption = (
        f"Mean over the findings with at least {FEW_POSITIVES} positives in the group. A gap is taken over "
        "the findings both groups know, on the same resamples of patients; single findings have to be "
        "further apart, as so many are looked at (Bonferroni)."
    )
    table = Table(["Group", "Films", "Patients", "Mean AUC", "Findings"], rows, caption)
    return [*blocks, Chart(partial(compared.groups_figure, found, source(report), palette)), table]


def confusion(report: dict, palette: Sequence[str]) -> list[Block]:
    """For films with a finding: which others are called beside it or in its place, against the truth."""
    found = report["confusion"]
    rows = [
        [
            spoken(name),
            f"{found['films'][row]:,}",
            f"{found['missed'][row]:,}",
            f"{found['silent'][row]:,}",
            _most(found["in_place"][row], found["missed"][row]),
            _most(found["beside"][row], found["films"][row] - found["missed"][row]),
            _most(
                [*found["together"][row][:row], 0, *found["together"][row][row + 1 :]], found["films"][row]
            ),
        ]
        for row, name in enumerate(FINDINGS)
    ]
    header = [
        "Films with",
        "Films",
        "Missed",
        "Nothing called",
        "Most called in its place",
        "Most wrongly beside",
        "Truly beside",
    ]
    return [
        Chart(
            partial(compared.confusion_figure, found, source(report), palette),
            "Of the films that have the row's finding, in % where the column's is called. Colour: called "
            "more or less often than it is true of them. On the diagonal the sensitivity.",
        ),
        Table(
            header,
            rows,
            "Shares: of the missed films, of the found ones, of all with the finding.",
            (4, 5, 6),
        ),
    ]


def radiologists(report: dict) -> list[Block]:
    """Radiologists' labels beside NIH's for the films that both know."""
    found = report["radiologists"]
    if found is None:
        return [Text("Radiologists' labels were not given (--radiologists FILE, Google's table).")]
    rows = [
        [
            name,
            ", ".join(map(spoken, one["nih"])),
            f"{one['positives']:,} / {one['nih_positives']:,}",
            number(one["nih_ppv"]),
            number(one["nih_sensitivity"]),
            struck(report, interval(one["auc"])),
            struck(report, interval(one["nih_auc"])),
        ]
        for name, one in found["findings"].items()
    ]
    missed = found["missed_by_no_finding"]
    text = (
        f"Radiologists read {found['images']:,} of these films, of {counted(found['patients'], 'patient')}."
        + (
            ""
            if missed is None
            else f" They marked something in {missed:.0%} of those that NIH calls No Finding."
        )
    )
    header = [
        "They marked",
        "NIH's findings",
        "Positives, theirs / NIH's",
        "NIH's PPV",
        "NIH's sensitivity",
        "AUC, theirs",
        "AUC, NIH's",
    ]
    caption = (
        "Airspace opacity has no counterpart in NIH's labels: the findings named are a grouping of X-Lite's."
    )
    return [Text(text), Table(header, rows, caption, words=(1,))]


def _most(counts: Sequence[int], films: int, shown: int = 2) -> str:
    order = sorted(range(len(counts)), key=lambda place: -counts[place])[:shown]
    named = [(spoken(FINDINGS[place]).replace(" ", NO_BREAK), counts[place]) for place in order]
    return ", ".join(f"{name}{NO_BREAK}{count / films:.0%}" for name, count in named if count)
