"""Whether a model reads the hospital instead of the disease, in words, tables and files. No torch."""

from collections.abc import Iterator
from pathlib import Path

from xlite.evaluation.shortcuts.shortcut_report import Hidden, Shortcuts, Told
from xlite.findings import spoken
from xlite.metrics.estimate import Estimate
from xlite.metrics.intervals import LEAST_FOR_MEAN, LEAST_IN_MEAN
from xlite.metrics.linear_probe import FOLDS
from xlite.report.caveat_sentences import sentence
from xlite.report.document import Alert, Block, Heading, Row, Table, Text
from xlite.report.sentences import as_sentence, contaminated_films, gap_sentences, looks_sentence
from xlite.report.typed_files import write_typed
from xlite.report.view import difference_cell, metric_cell
from xlite.text import counted, difference

REPORT_FILE, FACTS_FILE = "shortcuts.md", "shortcuts.json"
_ATTRIBUTES = {"view": "view", "sex": "sex", "age": "age band", "folder": "data folder"}


def shortcuts(found: Shortcuts) -> tuple[str, list[Block]]:
    """Title and blocks of the whole report."""
    blocks: list[Block] = [
        Text(_what(found)),
        *_alerts(found),
        *(Text(said) for said in sentences(found)),
        Heading("What the features tell besides the findings"),
        told_table(found),
        Heading("Within each group"),
        within_table(found),
        Heading("Without parts of the film"),
        hidden_table(found),
    ]
    return f"Does {found.model} read the disease or the hospital?", blocks


def _what(found: Shortcuts) -> str:
    return (
        f"{counted(found.films, 'film')} of {counted(found.patients, 'patient')}: {found.part} part of "
        f"{found.split}. Means over {counted(len(found.findings), 'finding')} with patients enough; "
        f"intervals by {counted(found.bootstrap.resamples, 'resample')} of patients."
    )


def _alerts(found: Shortcuts) -> list[Block]:
    """What the model learned from the films judged; nothing if they are new to it."""
    said = [as_sentence(sentence(caveat)) for caveat in found.caveats]
    if found.known:
        title = f"{contaminated_films(found.known, found.films)}. AUCs are struck through."
        return [Alert(title, said, grave=True)]
    return [Alert("To keep in mind", said)] if said else []


def warnings(found: Shortcuts) -> list[str]:
    """The same for a terminal, which strikes nothing through."""
    said = [as_sentence(sentence(caveat)) for caveat in found.caveats]
    if not found.known:
        return said
    return [f"{contaminated_films(found.known, found.films)}; no AUC is that of a clean test.", *said]


def sentences(found: Shortcuts) -> list[str]:
    """What was found and what it means, as whole sentences."""
    return [
        *_told_sentences(found.told),
        *_gaps(found),
        *(_hidden_sentence(part, one) for part, one in found.hidden.items()),
    ]


def _gaps(found: Shortcuts) -> Iterator[str]:
    """The gaps between groups that are larger than noise, and how many were looked at."""
    for _, said in gap_sentences(found.within):
        yield said
    if looked := looks_sentence(found.within):
        yield looked


def _told_sentences(told: dict[str, Told]) -> Iterator[str]:
    """Which attributes can be told, which cannot, and what it means if one can."""
    probed = {name: one.auc for name, one in told.items() if one.auc.value is not None}
    sure = {name: auc for name, auc in probed.items() if auc.low is not None}
    found = {name: auc for name, auc in sure.items() if auc.low is not None and auc.low > 0.5}
    if found:
        yield (
            f"From the model's features one can tell {_named(found)}. If one of these goes with a finding in "
            "the films that the model learned from, the model may take it for a sign of the finding."
        )
    if unseen := {name: auc for name, auc in sure.items() if name not in found}:
        yield f"Not told beyond chance: {_named(unseen)}."
    if few := {name: auc for name, auc in probed.items() if name not in sure}:
        yield f"Told with an AUC that has no interval, as there are too few patients: {_named(few)}."
    if rest := [_ATTRIBUTES[name] for name in told if name not in probed]:
        yield (
            f"Not probed, as that takes {LEAST_IN_MEAN} patients of two groups at least: {', '.join(rest)}."
        )


def _named(attributes: dict[str, Estimate]) -> str:
    return ", ".join(f"{_ATTRIBUTES[name]} (AUC {auc})" for name, auc in attributes.items())


def _hidden_sentence(part: str, one: Hidden) -> str:
    change = one.change
    assert change.value is not None
    by = difference(change.value, change.low, change.high)
    hiding = f"Hiding {part}, {one.share:.0%} of the film, changes the mean AUC by {by}"
    if change.low is None or change.high is None:
        return f"{hiding}: whether that is more than chance it cannot say below {LEAST_FOR_MEAN} patients."
    if change.high < 0:
        return f"{hiding}: some of what the model goes by lies there."
    if change.low > 0:
        return f"{hiding}: what lies there misled the model."
    return f"{hiding}, no more than chance: the model does not need what lies there."


def told_table(found: Shortcuts) -> Table:
    """A row an attribute."""
    rows: list[Row] = [
        [
            _ATTRIBUTES[attribute],
            ", ".join(f"{name} {films:,}" for name, films in one.films.items()),
            metric_cell(one.auc, bool(found.known)),
        ]
        for attribute, one in found.told.items()
    ]
    caption = (
        f"A logistic regression on the pooled features, cross-validated in {FOLDS} folds of whole patients; "
        "mean AUC of each group against the others. 0.5: nothing can be told."
    )
    return Table(["told", "films", "AUC"], rows, caption, (1,))


def within_table(found: Shortcuts) -> Table:
    """A row a group."""
    rows: list[Row] = [
        [
            f"{_ATTRIBUTES[attribute]}: {name}",
            f"{group.images:,}",
            f"{group.patients:,}",
            metric_cell(group.auc, bool(found.known)),
            str(group.findings),
        ]
        for attribute, one in found.within.items()
        for name, group in one.groups.items()
    ]
    whole = "All films (contaminated)" if found.known else "All films"
    caption = f"{whole}: {found.auc}, of {counted(len(found.findings), 'finding')}."
    return Table(["group", "films", "patients", "mean AUC", "findings"], rows, caption)


def hidden_table(found: Shortcuts) -> Table:
    """A row a finding, a column for each part that was hidden: the change of its AUC."""
    parts, known = list(found.hidden), bool(found.known)
    rows: list[Row] = [["mean", *(difference_cell(one.change, known) for one in found.hidden.values())]]
    rows += [
        [spoken(finding), *(difference_cell(one.per_class[finding], known) for one in found.hidden.values())]
        for finding in found.findings
    ]
    caption = (
        "The change of AUC, on the same resamples of patients, each finding by itself: of so many one or two "
        "lie beyond their interval by chance. What is hidden is painted over by a smooth continuation of the "
        "rest. The lungs, with the heart between them, are found by a small network that learned from drawn "
        "films."
    )
    return Table(["finding", *(f"without {part}" for part in parts)], rows, caption)


def write_shortcuts(out: Path, found: Shortcuts) -> None:
    """Writes shortcuts.md and shortcuts.json into `out`. Raises DataError if that cannot be done."""
    write_typed(out, found, (FACTS_FILE, REPORT_FILE), shortcuts(found))
