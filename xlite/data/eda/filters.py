"""What of a folder's films is looked at: a filter, what it lets through, its chips, clicks on charts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import reduce
from typing import Any

import numpy as np

from xlite.data.eda.coded import CodedFilms
from xlite.data.eda.partitions import partitions
from xlite.data.eda.statistics import CLASSES
from xlite.data.folder import NihFolder
from xlite.findings import spoken

OLDEST = 100
SERIES = {
    "1": (1, 1), "2": (2, 2), "3 to 5": (3, 5), "6 to 10": (6, 10), "11 to 20": (11, 20),
    "21 to 50": (21, 50), "over 50": (51, 2**31),
}  # fmt: skip
"""Numbers of films of a patient, from and to."""
FOLLOW_UPS = {"0": (0, 0), **SERIES}
"""Follow-up numbers, from and to; a patient's first film has 0."""


@dataclass(frozen=True)
class Filter:
    """The films to look at; an empty field lets all through. The fields are called as in an address.

    has: a film must be known to have each of these classes. unknown: findings whose label has to be unknown,
    each of them. Of each other field it must have one value: ages,
    years from and to, both included (None lets missing ages through too); amounts, how many findings it is
    known to have; series, how many films its patient has, and followups, by the names of SERIES and
    FOLLOW_UPS; folders, of several that are open as one; clusters and region of the embedding, as `Embedded`
    has them.
    """

    has: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    amounts: tuple[str, ...] = ()
    ages: tuple[int, int] | None = None
    sexes: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    followups: tuple[str, ...] = ()
    part: str = ""
    boxed: bool = False
    folders: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    region: str = ""

    def state(self) -> dict[str, Any]:
        """The values of the page's widgets, by their keys: lists of choices, the whole range of ages."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        lists = {name: list(value) for name, value in values.items() if name in _LISTS}
        return {**values, **lists, "ages": self.ages or (0, OLDEST)}


_LISTS = ("has", "unknown", "amounts", "sexes", "views", "series", "followups", "folders", "clusters")


def parts_of(folder: NihFolder) -> dict[str, Mapping[str, list[str]]]:
    """Every part of every list and split of the folder: {"official": {"test": its stems}}."""
    return {partition.name: partition.parts for partition in partitions(folder)}


def amount_names(films: CodedFilms) -> list[str]:
    """The numbers of known findings that films may have: "0" to the largest that occurs."""
    return [str(number) for number in range(int(films.amounts.max(initial=0)) + 1)]


class Selection:
    """The films of a folder that a filter lets through."""

    def __init__(self, films: CodedFilms, wanted: Filter):
        self.films, self.wanted = films, wanted
        self._masks = {
            one.name: _mask(films, one.name, value)
            for one in fields(wanted)
            if (value := getattr(wanted, one.name))
        }
        self.keep = self.without()

    def without(self, *left_out: str) -> np.ndarray:
        """Which films get through if these fields of the filter let all through, bool (N,)."""
        masks = [mask for name, mask in self._masks.items() if name not in left_out]
        return reduce(np.logical_and, masks, np.ones(len(self.films), dtype=bool))

    def rows(self) -> np.ndarray:
        """The rows of the films in the table, int64 (n,)."""
        return np.flatnonzero(self.keep)


def _mask(films: CodedFilms, name: str, value: Any) -> np.ndarray:
    """Which films one field of a filter lets through, bool (N,)."""
    mask: Any
    match name:
        case "has":
            mask = films.present[:, [CLASSES.index(one) for one in value]].all(axis=1)
        case "unknown":
            mask = ~films.known[:, [CLASSES.index(one) for one in value]].any(axis=1)
        case "amounts":
            mask = np.isin(films.amounts, [int(one) for one in value])
        case "ages":
            years = np.floor(films.ages)
            mask = (value[0] <= years) & (years <= value[1])  # a missing age is in no range
        case "sexes" | "views":
            mask = getattr(films, name).among(value)
        case "folders":
            mask = films.folders.among(value) if films.folders else np.ones(len(films), dtype=bool)
        case "series":
            mask = _in_ranges(films.series, [SERIES[one] for one in value])
        case "followups":
            mask = _in_ranges(films.follow_ups, [FOLLOW_UPS[one] for one in value])
        case "part":
            mask = films.parts[value]
        case "clusters" | "region":
            mask = np.zeros(len(films), dtype=bool)
            if (laid_out := films.embedded) is not None:
                mask = laid_out.among(value) if name == "clusters" else laid_out.inside(value)
        case _:
            mask = films.boxed
    found: np.ndarray = mask
    return found


def _in_ranges(numbers: np.ndarray, ranges: Sequence[tuple[int, int]]) -> np.ndarray:
    found: np.ndarray = np.any([(low <= numbers) & (numbers <= high) for low, high in ranges], axis=0)
    return found


@dataclass(frozen=True)
class Chip:
    """One thing that a filter asks for: the field, its words, how many films are left from here on.

    without: the state of the page's widgets that takes it away.
    """

    field: str
    words: str
    films: int
    without: Mapping[str, Any]


def chips(selection: Selection) -> list[Chip]:
    """What the filter asks for, in order: a chip for each class, one for each other field."""
    wanted, left, found = selection.wanted, np.ones(len(selection.films), dtype=bool), []
    for one in wanted.has:
        left = left & _mask(selection.films, "has", (one,))
        rest = [other for other in wanted.has if other != one]
        found.append(Chip("has", spoken(one), int(left.sum()), {"has": rest}))
    nothing = Filter().state()
    for name, mask in selection._masks.items():
        if name != "has":
            left = left & mask
            found.append(Chip(name, _words(wanted, name), int(left.sum()), {name: nothing[name]}))
    return found


def _words(wanted: Filter, name: str) -> str:
    """A field of a filter in words; values are as the table and the folder write them."""
    value = getattr(wanted, name)
    match name:
        case "ages":
            return f"Age {value[0]} to {value[1]}" if value[0] < value[1] else f"Age {value[0]}"
        case "unknown":
            return f"Label unknown: {', '.join(map(spoken, value))}"
        case "amounts":
            return f"{_any_of(value)} {'finding' if value == ('1',) else 'findings'}"
        case "series":
            return f"{_any_of(value)} {'film' if value == ('1',) else 'films'} of the patient"
        case "followups":
            return f"Follow-up {_any_of(value)}"
        case "sexes":
            return f"Sex {_any_of(value)}"
        case "views":
            return f"View {_any_of(value)}"
        case "folders":
            return f"Folder {_any_of(value)}"
        case "part":
            return str(value)
        case "clusters":
            return f"{'Cluster' if len(value) == 1 else 'Clusters'} {_any_of(value)}"
        case "region":
            return "Region of the embedding"
        case _:
            return "With boxes"


def _any_of(values: Sequence[str]) -> str:
    return " or ".join(values)


def clicked(wanted: Filter, field: str, value: Any) -> dict[str, Any]:
    """The state of the page's widgets after a click on a bar or cell: asked for if it was not, else no more.

    field and value are a mark's of `charts`. A cell asks for its two findings, a bar of the ages for its
    years and its sex, which may be empty, a bar of the prevalence for its finding and view.
    """
    before = wanted.state()
    if field == "has":
        return {"has": _together(before["has"], value)}
    if field == "ages":
        (low, high), sex = value
        asked = {"ages": (low, high), **({"sexes": [sex]} if sex else {})}
        return _unless_asked(before, asked)
    if field == "seen":
        finding, view = value
        return _unless_asked(before, {"has": [finding], "views": [view]})
    if field == "part":
        return {"part": "" if wanted.part == value else value}
    if field == "boxed":
        return {"boxed": not wanted.boxed}
    return {field: _together(before[field], [value])}


def _together(before: Sequence[str], values: Sequence[str]) -> list[str]:
    """The values before and these; without these if all of them were there."""
    if set(values) <= set(before):
        return [one for one in before if one not in values]
    return list(dict.fromkeys([*before, *values]))


def _unless_asked(before: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is asked for; nothing of these fields if all of it was."""
    nothing = Filter().state()
    same = all(before[name] == value for name, value in asked.items())
    return {name: nothing[name] for name in asked} if same else dict(asked)
