"""The table of runs, the same for pages and terminals: columns, filters, search, CSV. No torch."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from xlite.config import TrainConfig
from xlite.messages import field_title
from xlite.models.available import teacher_parts
from xlite.public import is_public, without_paths
from xlite.runs.listing import RunFacts
from xlite.runs.status import LIVE, clock
from xlite.text import as_cell, in_one_line

Cell = str | float | bool | None
Row = dict[str, Cell]

_BASE: dict[str, Callable[[RunFacts], Cell]] = {
    "State": lambda one: one.status.state,
    "Epoch": lambda one: f"{one.status.epoch} of {one.status.epochs or one.config.epochs}",
    "Validation AUC": lambda one: one.status.best_auc,
    "Test AUC": lambda one: clean_auc(one),
    "Known test films": lambda one: known_films(one),
    "Time left": lambda one: clock(one.status.eta_s) if one.status.state in LIVE else None,
    "Backbone": lambda one: one.config.backbone,
    "Attention": lambda one: None if one.config.attention == "none" else one.config.attention,
    "Teacher": lambda one: teacher_of(one),
    "Split": lambda one: one.config.split,
    "Tags": lambda one: ", ".join(one.annotation.tags) or None,
    "Note": lambda one: in_one_line(one.annotation.note) or None,
    "Best epoch": lambda one: one.status.best_epoch,
    "Minutes": lambda one: one.status.elapsed_s / 60,
    "Size (MB)": lambda one: one.size_mb,
    "Latency (ms)": lambda one: one.latency_ms,
    "Judged on": lambda one: one.judged.split_id if one.judged else None,
}
_SETTINGS = {
    field_title(name): name
    for name in TrainConfig.model_fields
    if name != "name" and field_title(name) not in _BASE
}
COLUMNS = (*_BASE, *_SETTINGS)
"""What the table may show beside the name: what is known of a run, then its settings."""
SHOWN = (
    *("State", "Epoch", "Validation AUC", "Test AUC", "Known test films", "Time left"),
    *("Backbone", "Teacher", "Split", "Tags", "Note"),
)
"""What it shows unless somebody chooses otherwise."""
FORMATS = {
    **dict.fromkeys(("Validation AUC", "Test AUC"), "%.3f"),
    **dict.fromkeys(("Minutes", "Size (MB)", "Latency (ms)"), "%.1f"),
}
"""How a page shows the numbers of a column, in the way of printf."""
OLD_COLUMNS = {"Best val AUC": "Validation AUC"}
"""Columns by names that they had before: addresses that were kept still have them."""


def teacher_of(one: RunFacts) -> str | None:
    """The teacher's name without its folder; of several, each."""
    return ", ".join(Path(part).name for part in teacher_parts(one.config.teacher)) or None


def clean_auc(one: RunFacts) -> float | None:
    """The test AUC, unless what the model learned from knows test films: such a metric ranks nothing."""
    return one.judged.auc.value if one.judged and not one.judged.known else None


def known_films(one: RunFacts) -> str | None:
    """How many test films what the model learned from knows, `98 of 150`; `unknown` if nobody can tell."""
    if one.judged is None:
        return None
    if one.judged.known:
        return f"{one.judged.known:,} of {one.judged.films:,}"
    return "unknown" if one.judged.untold else None


def table_rows(runs: Iterable[RunFacts], columns: Sequence[str] = SHOWN) -> list[Row]:
    """A row for each run: its name and those columns; None if a column has nothing to say."""
    return [{"Run": one.name, **{column: _cell(one, column) for column in columns}} for one in runs]


def told_columns(runs: Sequence[RunFacts]) -> list[str]:
    """Those of SHOWN that have something to say of at least one of the runs."""
    return [column for column in SHOWN if any(_cell(one, column) is not None for one in runs)]


def _cell(one: RunFacts, column: str) -> Cell:
    if column in _BASE:
        told = _BASE[column](one)
        return without_paths(told) if isinstance(told, str) else told
    value = getattr(one.config, _SETTINGS[column])
    return without_paths(str(value)) if isinstance(value, Path | str) else value


def table_csv(rows: Sequence[Row]) -> bytes:
    """Rows of the table as a CSV that spreadsheets take for texts and numbers; empty cells for None."""
    text = io.StringIO()
    if rows:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(rows[0])
        writer.writerows([_written(value) for value in row.values()] for row in rows)
    return text.getvalue().encode()


def _written(value: Cell) -> str:
    if value is None:
        return ""
    return as_cell(value) if isinstance(value, str) else str(value)


def after_ticks(
    names: Sequence[str], rows: Iterable[int], before: Sequence[str]
) -> tuple[list[str], list[str]]:
    """The runs that are chosen once these rows of the table are ticked, and which of them are new.

    names: of the runs in the table; before: those that were chosen. Who is not in the table stays chosen.
    """
    ticked = [names[place] for place in rows if place < len(names)]
    kept = [name for name in before if name not in names or name in ticked]
    new = [name for name in ticked if name not in before]
    return [*kept, *new], new


FILTERS: dict[str, Callable[[RunFacts], Sequence[str]]] = {
    "states": lambda one: [one.status.state],
    "backbones": lambda one: [one.config.backbone],
    "teachers": lambda one: [teacher_of(one) or "none"],
    "splits": lambda one: [one.config.split],
    "tags": lambda one: one.annotation.tags,
}
"""What runs may be filtered by, under the names of addresses: the values that a run has."""


def choices(runs: Sequence[RunFacts], name: str) -> list[str]:
    """The values that a filter may ask for: those that runs have."""
    return sorted({value for one in runs for value in FILTERS[name](one)}, key=str.casefold)


@dataclass(frozen=True)
class Wanted:
    """Which runs are to be shown: those that have each of the words, and for each filter one of its values.

    chosen: values by the names in FILTERS; a filter without values lets all pass.
    """

    search: str = ""
    chosen: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def of(self, runs: Iterable[RunFacts]) -> list[RunFacts]:
        """The runs that are wanted, in their order."""
        words = self.search.casefold().split()
        return [one for one in runs if self._lets_pass(one) and _has(one, words)]

    def _lets_pass(self, one: RunFacts) -> bool:
        return all(set(FILTERS[name](one)) & set(values) for name, values in self.chosen if values)


def _has(one: RunFacts, words: Sequence[str]) -> bool:
    """Whether a run has all the words: `seed=3` is a whole setting, any other a part of what is said of it.

    That is name, state, tags, note, and the settings that are not at their defaults.
    """
    if not words:
        return True
    always = one.name, one.status.state, one.config.backbone, one.config.split
    told = "\n".join([*always, *one.annotation.tags, one.annotation.note]).casefold()
    text = without_paths(f"{told}\n{one.settings.changed}")
    settings = one.settings.words
    if is_public():  # who finds a run by the beginning of a path learns the path, sign by sign
        settings = frozenset(map(without_paths, settings))
    return all(word in settings if "=" in word else word in text for word in words)
