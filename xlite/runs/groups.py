"""Runs that belong together, as those that differ by their seeds alone, and what they reach. No torch."""

import os
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from xlite.config import TrainConfig
from xlite.messages import field_title, literal
from xlite.models.available import teacher_parts
from xlite.runs.listing import RunFacts, names_of
from xlite.runs.table import teacher_of
from xlite.text import counted, spread

_PATHS = ("data", "weights", "teacher", "teacher_list")
SEEDS = "all but the seed"
GROUPS: dict[str, Callable[[RunFacts], Sequence[str]]] = {
    SEEDS: lambda one: [one.settings.without_seed],
    "backbone": lambda one: [one.config.backbone],
    "attention": lambda one: [one.config.attention],
    "teacher": lambda one: [teacher_of(one) or "none"],
    "split": lambda one: [one.config.split],
    "state": lambda one: [one.status.state],
    "tag": lambda one: one.annotation.tags or ["without a tag"],
}
"""By what runs may be grouped, as addresses say it; a run with several tags is in several groups."""


@dataclass(frozen=True)
class Spread:
    """The mean of some runs and their standard deviation, which is None of a single one."""

    mean: float
    deviation: float | None
    runs: int

    def __str__(self) -> str:
        """`0.812 ± 0.004`, or `0.812, one run`."""
        return spread(self.mean, self.deviation) + (", one run" if self.runs == 1 else "")


@dataclass(frozen=True)
class Group:
    """Runs that belong together, and the spread of those that have finished.

    val: of the best validation AUC; test: of the test AUC; None, with the reason in `untested`, if they were
    not judged on the same films. struck: whether what one of them learned from knows test films.
    """

    title: str
    runs: tuple[RunFacts, ...]
    val: Spread | None
    test: Spread | None
    untested: str = ""
    struck: bool = False

    @property
    def finished(self) -> int:
        """How many of its runs have finished."""
        return sum(one.status.state == "finished" for one in self.runs)


def grouped(runs: Sequence[RunFacts], by: str) -> list[Group]:
    """The runs in groups, the largest first, else by their first members; `by` is one of GROUPS."""
    found: dict[str, list[RunFacts]] = {}
    for one in runs:
        for key in GROUPS[by](one):
            found.setdefault(key, []).append(one)
    return [_group(key, found[key], by) for key in sorted(found, key=lambda key: -len(found[key]))]


def in_groups(runs: Sequence[RunFacts], by: str | None) -> tuple[list[str], list[RunFacts]]:
    """The runs in the order of their groups, and beside them the group of each: of several, the first.

    Without `by` the runs as they are, and no titles.
    """
    if by is None:
        return [], list(runs)
    titles: dict[str, str] = {}
    found: list[RunFacts] = []
    for group in grouped(runs, by):
        found += [one for one in group.runs if one.name not in titles]
        titles = {one.name: group.title for one in group.runs} | titles
    return [titles[one.name] for one in found], found


def _group(key: str, members: Sequence[RunFacts], by: str) -> Group:
    ended = [one for one in members if one.status.state == "finished"]
    judged = [one.judged for one in ended if one.judged and one.judged.auc.value is not None]
    films = {one.group for one in judged}
    test, why = None, ""
    if len(films) > 1:
        why = f"judged on {counted(len(films), 'split')}"
    elif judged:
        test = _spread([one.auc.value for one in judged if one.auc.value is not None])
    return Group(
        title=_title_of_seeds(members) if by == SEEDS else key,
        runs=tuple(members),
        val=_spread([one.status.best_auc for one in ended if one.status.best_auc is not None]),
        test=test,
        untested=why,
        struck=any(one.known for one in judged),
    )


def _title_of_seeds(members: Sequence[RunFacts]) -> str:
    """What all seeds are called: the beginning that their names share, else that of the first."""
    first, *others = names_of(members)
    if not others:
        return first
    shared = os.path.commonprefix([first, *others]).rstrip("-_.0123456789") or first
    return f"{shared} (seeds {', '.join(map(str, sorted(one.config.seed for one in members)))})"


def _spread(values: Sequence[float]) -> Spread | None:
    if not values:
        return None
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return Spread(statistics.fmean(values), deviation, len(values))


def group_rows(groups: Iterable[Group]) -> list[dict[str, str]]:
    """A row for each group in Markdown; a mean over test AUCs is struck through if one of them is."""
    return [
        {
            "Group": literal(group.title),
            "Runs": f"{len(group.runs)}, {group.finished} finished",
            "Validation AUC": str(group.val or "–"),
            "Test AUC": _test_cell(group),
            "Names": literal(_listed(names_of(group.runs))),
        }
        for group in groups
    ]


def _test_cell(group: Group) -> str:
    if group.test is None:
        return group.untested or "–"
    return f"~~{group.test}~~" if group.struck else str(group.test)


def _listed(names: Sequence[str], most: int = 6) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def differing(runs: Sequence[RunFacts]) -> dict[str, list[str]]:
    """The settings in which the runs differ, by field title, with the value of each run; the name is none."""
    found = {}
    for name in TrainConfig.model_fields:
        values = [_value(getattr(one.config, name)) for one in runs]
        if name != "name" and len(set(values)) > 1:
            found[field_title(name)] = _without_folders(values) if name in _PATHS else values
    return found


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) or "–"


def _without_folders(values: list[str]) -> list[str]:
    """Paths by their last names, unless these tell fewer of them apart."""
    short = [", ".join(Path(part).name for part in teacher_parts(value)) for value in values]
    return short if len(set(short)) == len(set(values)) else values


def difference_rows(names: Sequence[str], found: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """A row for each setting that differs, a column for each run, in Markdown.

    What is not the commonest value, or if several are as common not the first run's, is highlighted.
    """
    rows = []
    for title, values in found.items():
        usual = max(values, key=values.count)  # the first of those that are as common
        cells = {
            literal(name): _shown(value, value != usual) for name, value in zip(names, values, strict=True)
        }
        rows.append({"Setting": title} | cells)
    return rows


def _shown(value: str, unusual: bool) -> str:
    return f":orange-background[**{literal(value)}**]" if unusual else literal(value)
