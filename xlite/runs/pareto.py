"""AUC against what a model costs: which runs are beaten by none that costs as little. No torch."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from xlite.metrics.estimate import Estimate
from xlite.runs.listing import Listing, RunFacts
from xlite.text import are, counted, labels_of

COSTS = ("MB", "parameters", "latency")
"""What a model may cost, as people choose it: of its file, in millions, and in ms a film."""
TITLES = {"MB": "model file, MB", "parameters": "parameters, millions", "latency": "latency, ms a film"}


@dataclass(frozen=True)
class Point:
    """A run in the plot: its test AUC, what it costs, and whether what it learned from knows test films."""

    run: str
    auc: Estimate
    cost: float
    known: bool = False


@dataclass(frozen=True)
class Plot:
    """The points of one split and edition, and the runs that have no point as their cost is not known."""

    points: tuple[Point, ...]
    unknown: tuple[str, ...]

    @property
    def front(self) -> list[Point]:
        """The points that no other beats, cheapest first. Who knows test films is beside the contest."""
        best: list[Point] = []
        for one in sorted(self.points, key=lambda one: (one.cost, -_value(one))):
            if not one.known and (not best or _value(one) > _value(best[-1])):
                best.append(one)
        return best


def judged_on(runs: Iterable[RunFacts]) -> dict[str, list[RunFacts]]:
    """The runs that were judged, by their films: only those of one split and edition belong in one plot.

    The films that most runs were judged on come first.
    """
    found: dict[str, list[RunFacts]] = {}
    for one in runs:
        if one.judged and one.judged.auc.value is not None:
            split, edition = one.judged.group
            found.setdefault(f"{split}, {labels_of(edition)}", []).append(one)
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


def plot_of(runs: Sequence[RunFacts], cost: str, listing: Listing) -> Plot:
    """The points of runs that were judged on the same films; `cost` is one of COSTS."""
    costs = [_COST[cost](one, listing) for one in runs]
    points = [
        Point(one.name, one.judged.auc, value, one.judged.known > 0)
        for one, value in zip(runs, costs, strict=True)
        if value is not None and one.judged is not None
    ]
    unknown = [one.name for one, value in zip(runs, costs, strict=True) if value is None]
    return Plot(tuple(points), tuple(unknown))


def unknown_sentence(plot: Plot, cost: str) -> str:
    """Which runs have no point, and why; nothing if all have one."""
    if not plot.unknown:
        return ""
    named = ", ".join(plot.unknown[:5]) + (", …" if plot.unknown[5:] else "")
    why = {
        "MB": "the model file is not here",
        "parameters": "the model file is not here, or cannot be read",
        "latency": "it is measured when a run finishes",
    }[cost]
    count = len(plot.unknown)
    what = "latency" if cost == "latency" else "size"
    return (
        f"{counted(count, 'run')} {are(count)} not in the plot, as the {what} is not known ({why}): {named}."
    )


def _value(point: Point) -> float:
    return point.auc.value or 0.0


def _millions(one: RunFacts, listing: Listing) -> float | None:
    count = listing.parameters(one.run)
    return None if count is None else count / 1e6


_COST: dict[str, Callable[[RunFacts, Listing], float | None]] = {
    "MB": lambda one, _: one.size_mb,
    "parameters": _millions,
    "latency": lambda one, _: one.latency_ms,
}
