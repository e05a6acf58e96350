"""The charts of the Explore page as plain values: what each mark shows, and what a click on it asks for.

A chart counts the films that the rest of the filter lets through, so that what was not chosen can be chosen
too; only in the bars of findings, of which a film may have several, are those films counted that have the
chosen ones.
`app/page_explore_charts.js` draws them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from xlite.data.eda import statistics
from xlite.data.eda.filters import FOLLOW_UPS, SERIES, Selection, amount_names
from xlite.data.eda.statistics import CLASSES, LEAST_EXPECTED
from xlite.findings import FINDINGS, NO_FINDING, spoken
from xlite.text import NOT_LABELLED, counted

AGE_STEP = 10
AGE_STARTS = range(0, 100, AGE_STEP)


@dataclass(frozen=True)
class Mark:
    """A bar or cell: what it asks for (`filters.clicked`), its words for a screen reader, and its looks.

    text: what stands beside or in it; size: 0-1, of a bar its length, of a cell its strength; chosen: whether
    the filter asks for it; tone: "main", "rest", "first" or "second" of two groups, "less" than by chance.
    """

    field: str
    value: Any
    say: str
    text: str
    size: float
    chosen: bool = False
    tone: str = "main"


@dataclass(frozen=True)
class Row:
    """Marks side by side under one label; a label that is a mark asks for something too."""

    label: str
    marks: list[Mark]
    label_mark: Mark | None = None


@dataclass(frozen=True)
class Chart:
    """Rows under a title. kind: "bars", "sides" (left, right of the label), "pairs" or "matrix"."""

    title: str
    kind: str
    rows: list[Row]
    note: str = ""
    groups: list[str] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """The chart as dicts, lists, texts and numbers, as the browser gets it."""
        return asdict(self)


def findings(selection: Selection) -> Chart:
    """Films per class, No Finding first, then from common to rare among all of the folder's films.

    Findings that the folder does not label have no bar.
    """
    films, keep = selection.films, selection.keep
    everywhere, counts, told = films.present.sum(axis=0), films.classes(keep), films.known_counts(keep)
    order = [0, *(1 + np.argsort(-everywhere[1:], kind="stable"))]
    order = [at for at in order if not at or FINDINGS[at - 1] in films.labelled]
    bars = [(CLASSES[at], spoken(CLASSES[at]), int(counts[at])) for at in order]
    tones = {NO_FINDING: "rest"}
    return _bars(
        "Films per finding",
        [("has", [name], label, number, name in selection.wanted.has, tones.get(name, "main"))
         for name, label, number in bars],
        int(keep.sum()),
        told=[int(told[at]) for at in order],
    )  # fmt: skip


def amounts(selection: Selection) -> Chart:
    """Films by their number of findings."""
    keep = selection.without("amounts")
    names = amount_names(selection.films)
    numbers = np.bincount(selection.films.amounts[keep], minlength=len(names)).tolist()
    chart = _choices("Findings per film", selection, "amounts", names, numbers, "with {} findings")
    return (
        chart if selection.films.all_known else replace(chart, note="Of a film those count that are known.")
    )


def series(selection: Selection) -> Chart:
    """Films by how many films their patient has in the table."""
    keep = selection.without("series")
    numbers = _in_bins(selection.films.series[keep], SERIES)
    return _choices("Films of the patient", selection, "series", SERIES, numbers, "of patients with {}")


def follow_ups(selection: Selection) -> Chart:
    """Films by their follow-up number."""
    keep = selection.without("followups")
    numbers = _in_bins(selection.films.follow_ups[keep], FOLLOW_UPS)
    return _choices("Follow-up number", selection, "followups", FOLLOW_UPS, numbers, "of follow-up {}")


def sexes(selection: Selection) -> Chart:
    """Films by the sex of the patient."""
    found = selection.films.sexes.counts(selection.without("sexes"))
    return _choices("Sex", selection, "sexes", found, [*found.values()], "of sex {}")


def views(selection: Selection) -> Chart:
    """Films by their view."""
    found = selection.films.views.counts(selection.without("views"))
    return _choices("View", selection, "views", found, [*found.values()], "of view {}")


def folders(selection: Selection) -> Chart:
    """Films by their data folder; without a bar if one alone is open."""
    codes = selection.films.folders
    found = codes.counts(selection.without("folders")) if codes else {}
    return _choices("Data folder", selection, "folders", found, [*found.values()], "of folder {}")


def parts(selection: Selection) -> Chart:
    """Films by the part of each list and split that they are in."""
    keep = selection.without("part")
    bars = [
        ("part", name, name, int((mask & keep).sum()), name == selection.wanted.part, "main")
        for name, mask in selection.films.parts.items()
    ]
    return _bars("Part of a list or split", bars, int(keep.sum()))


def clusters(selection: Selection) -> Chart:
    """Films in the embedding by their cluster, and what each has more of than the embedding as a whole."""
    embedded, keep = selection.films.embedded, selection.without("clusters")
    if embedded is None:
        return Chart("Clusters of the embedding", "bars", [])
    keep = keep & embedded.there
    numbers = np.bincount(embedded.clusters[keep], minlength=len(embedded.names))
    marks = embedded.marked_by(selection.films.present)
    bars = [
        ("clusters", name, f"{name} {mark}", int(number), name in selection.wanted.clusters, "main")
        for name, mark, number in zip(embedded.names, marks, numbers, strict=True)
    ]
    note = "Named by the finding that is most over-represented there."
    return replace(_bars("Clusters of the embedding", bars, int(keep.sum()), "cluster {}"), note=note)


def boxes(selection: Selection) -> Chart:
    """Films with boxes, which radiologists drew, or X-Lite on phantoms."""
    keep = selection.without("boxed")
    number = int((selection.films.boxed & keep).sum())
    bar = ("boxed", True, "With boxes", number, selection.wanted.boxed, "main")
    return _bars("Boxes", [bar], int(keep.sum()))


def ages(selection: Selection) -> Chart:
    """Films by age and sex: a row for every ten years, the oldest on top; of other sexes nothing."""
    films, wanted = selection.films, selection.wanted
    keep = selection.without("ages", "sexes")
    decades = np.where(np.isnan(films.ages), -1, np.minimum(films.ages // AGE_STEP, len(AGE_STARTS) - 1))
    sides: list[str] = [sex for sex in ("F", "M") if sex in films.sexes.names]
    masks = {sex: keep & films.sexes.among([sex]) for sex in sides}
    numbers = {sex: _decades(decades[mask]) for sex, mask in masks.items()}
    both = _decades(decades[keep])
    most = max([1, *(int(count.max()) for count in numbers.values())])
    rows = []
    for place, start in reversed([*enumerate(AGE_STARTS)]):
        end = start + AGE_STEP - 1 if start < AGE_STARTS[-1] else AGE_STARTS[-1] + AGE_STEP
        inside = wanted.ages == (start, end)
        years = f"{start} to {end}"
        marks = [
            Mark(
                "ages",
                [[start, end], sex],
                f"{years} years, sex {sex}: {counted(int(numbers[sex][place]), 'film')}",
                f"{numbers[sex][place]:,}",
                float(numbers[sex][place] / most),
                inside and wanted.sexes in ((), (sex,)),
                tone,
            )
            for sex, tone in zip(sides, ("first", "second"), strict=False)
        ]
        say = f"{years} years: {counted(int(both[place]), 'film')}"
        rows.append(Row(years, marks, Mark("ages", [[start, end], ""], say, years, 0.0, inside)))
    return Chart("Age and sex", "sides", rows, "Years of age in the middle.", sides)


def _decades(decades: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.bincount(decades[decades >= 0].astype(int), minlength=len(AGE_STARTS))
    return found


def prevalence(selection: Selection) -> Chart:
    """Each finding's share of the AP and of the PA films, whatever views and findings are chosen."""
    films, wanted = selection.films, selection.wanted
    keep = selection.without("views", "has")
    groups: list[str] = [view for view in ("AP", "PA") if view in films.views.names]
    shares = {}
    for view in groups:
        inside = keep & films.views.among([view])
        shares[view] = films.classes(inside)[1:] / np.maximum(films.known_counts(inside)[1:], 1)
    top = max([1e-9, *(float(share.max()) for share in shares.values())])
    common = np.argsort(-films.present[:, 1:].sum(axis=0), kind="stable")
    order = [at for at in common if FINDINGS[at] in films.labelled]
    rows = [
        Row(
            spoken(FINDINGS[at]),
            [
                Mark(
                    "seen",
                    [FINDINGS[at], view],
                    f"{spoken(FINDINGS[at])} on {shares[view][at]:.2%} of {view} films",
                    f"{shares[view][at]:.1%}",
                    float(shares[view][at] / top),
                    wanted.has == (FINDINGS[at],) and wanted.views == (view,),
                    tone,
                )
                for view, tone in zip(groups, ("second", "first"), strict=False)
            ],
        )
        for at in order
    ]
    known = "" if films.all_known else " whose label is known"
    note = f"Share of the view's films{known}. If the two are far apart, a model may learn the view instead."
    return Chart("Prevalence by view", "pairs", rows, note, groups)


def cooccurrence(selection: Selection, by: str) -> Chart:
    """Films that have both findings, 14 x 14, coloured `by` "lift" or "films"; on the diagonal of one.

    Whatever findings are chosen: among films that all have one, the ratios of that one mean nothing.
    """
    keep = selection.without("has")
    together = selection.films.together(keep)
    lifts = statistics.lift(together, selection.films.meetings(keep), LEAST_EXPECTED).to_numpy()
    films, wanted, labelled = together.to_numpy(), set(selection.wanted.has), {*selection.films.labelled}
    top = max(float(np.log10(max(films.max(), 10))), 1.0)
    rows = []
    for row, first in enumerate(FINDINGS):
        marks = []
        for column, second in enumerate(FINDINGS):
            both, ratio = int(films[row, column]), float(lifts[row, column])
            shown = _cell(both, ratio, top) if by == "films" else _ratio_cell(ratio)
            pair = list(dict.fromkeys((first, second)))
            say = f"{' with '.join(map(spoken, pair))}: {counted(both, 'film')}"
            if not {*pair} <= labelled:
                say, shown = f"{' with '.join(map(spoken, pair))}: {NOT_LABELLED}", ("", 0.0, "none")
            if not np.isnan(ratio):
                say += f", {ratio:.2f} times as often as by chance"
            marks.append(Mark("has", pair, say, *shown[:2], wanted >= {*pair}, shown[2]))
        rows.append(Row(spoken(first), marks))
    return Chart("Findings together", "matrix", rows, groups=[*map(spoken, FINDINGS)])


def _cell(films: int, ratio: float, top: float) -> tuple[str, float, str]:
    return (
        (f"{films:,}", float(np.log10(films) / top) if films else 0.0, "main") if films else ("", 0.0, "main")
    )


def _ratio_cell(ratio: float) -> tuple[str, float, str]:
    if np.isnan(ratio):
        return "", 0.0, "none"
    with np.errstate(divide="ignore"):
        strength = float(np.clip(np.log2(ratio), -2, 2) / 2)
    return f"{ratio:.1f}", abs(strength), "main" if strength >= 0 else "less"


def _choices(
    title: str, selection: Selection, name: str, values: Iterable[str], numbers: Sequence[int], words: str
) -> Chart:
    """A bar for each value of one field of the filter; words say which films a bar stands for."""
    chosen = getattr(selection.wanted, name)
    bars = [
        (name, value, value, int(number), value in chosen, "main")
        for value, number in zip(values, numbers, strict=True)
    ]
    return _bars(title, bars, int(selection.without(name).sum()), words)


def _bars(
    title: str,
    bars: Sequence[tuple[str, Any, str, int, bool, str]],
    films: int,
    words: str = "{}",
    told: Sequence[int] = (),
) -> Chart:
    """Bars of (field, value, label, films, chosen, tone), each with its share of so many films.

    told: of how many of these each bar is known, by default of all; its share is of those.
    """
    most = max([1, *(bar[3] for bar in bars)])
    rows = []
    for (name, value, label, number, chosen, tone), known in zip(
        bars, told or [films] * len(bars), strict=True
    ):
        if films and not known:
            say = f"{words.format(label)}: not known of any film"
            rows.append(Row(label, [Mark(name, value, say, "unknown", 0, chosen, tone)]))
            continue
        share = f"{number / max(known, 1):.1%}"
        whose = "" if known == films else f" of {counted(known, 'film')} of which it is known"
        say = f"{words.format(label)}: {counted(number, 'film')}, {share}{whose}"
        rows.append(Row(label, [Mark(name, value, say, f"{number:,}  {share}", number / most, chosen, tone)]))
    return Chart(title, "bars", rows)


def _in_bins(numbers: np.ndarray, bins: dict[str, tuple[int, int]]) -> list[int]:
    return [int(((low <= numbers) & (numbers <= high)).sum()) for low, high in bins.values()]


TABS: dict[str, tuple[Callable[[Selection], Chart], ...]] = {
    "Findings": (findings, amounts),
    "Together": (),
    "Ages and views": (ages, prevalence, sexes, views),
    "Patients": (series, follow_ups),
    "Parts and boxes": (folders, parts, boxes),
}
"""The groups of charts; that of findings together also asks by what it is coloured."""
