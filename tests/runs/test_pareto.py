"""AUC against cost: points, the front, and what is not known."""

from pathlib import Path

import pytest
from demo_home import save_demo_model
from known_runs import SPLIT, facts, judgement

from xlite.config import make_config
from xlite.metrics.estimate import Estimate
from xlite.places import checkpoints_dir
from xlite.runs.listing import Listing, names_of
from xlite.runs.pareto import COSTS, Plot, Point, judged_on, plot_of, unknown_sentence
from xlite.runs.run import Run

RUNS = [
    facts("light", judged=judgement(0.70), size_mb=2.0, latency_ms=5.0),
    facts("worse", judged=judgement(0.69), size_mb=3.0),
    facts("heavy", judged=judgement(0.80), size_mb=9.0, latency_ms=30.0),
    facts("heavier", judged=judgement(0.80), size_mb=12.0),
    facts("taught", judged=judgement(0.95, known=12), size_mb=1.0, latency_ms=4.0),
    facts("elsewhere", judged=judgement(0.99, split="official-1"), size_mb=1.0),
    facts("unjudged", size_mb=1.0),
    facts("undefined", judged=judgement(None), size_mb=1.0),
]


@pytest.fixture
def listing() -> Listing:
    return Listing(checkpoints_dir())


def test_only_runs_on_the_same_films_are_in_one_plot() -> None:
    groups = judged_on(RUNS)
    assert {films: names_of(runs) for films, runs in groups.items()} == {
        f"{SPLIT}, 2020 labels": ["light", "worse", "heavy", "heavier", "taught"],
        "official-1, 2020 labels": ["elsewhere"],
    }
    assert list(groups)[0] == f"{SPLIT}, 2020 labels"


def test_the_front_has_whom_none_cheaper_beats_and_nobody_who_knows_films(listing: Listing) -> None:
    plot = plot_of(RUNS[:5], "MB", listing)
    assert plot.points[0] == Point("light", Estimate(0.70, 0.70 - 0.02, 0.70 + 0.02), 2.0)
    assert [point.run for point in plot.front] == ["light", "heavy"]
    assert [point.run for point in plot.points if point.known] == ["taught"]
    assert plot.unknown == ()


def test_of_equal_costs_the_better_one_is_on_the_front() -> None:
    points = [Point(name, Estimate(auc), 1.0) for name, auc in (("a", 0.6), ("b", 0.7), ("c", 0.65))]
    assert [point.run for point in Plot(tuple(points), ()).front] == ["b"]
    assert Plot((), ()).front == []


def test_who_has_no_latency_is_named_and_has_no_point(listing: Listing) -> None:
    plot = plot_of(RUNS[:5], "latency", listing)
    assert [point.run for point in plot.points] == ["light", "heavy", "taught"]
    assert unknown_sentence(plot, "latency") == (
        "2 runs are not in the plot, as the latency is not known (it is measured when a run finishes): "
        "worse, heavier."
    )
    assert unknown_sentence(plot_of(RUNS[:1], "latency", listing), "latency") == ""


def test_parameters_are_read_from_the_model_file(listing: Listing, own_home: Path) -> None:
    Run.create(make_config({"data": "films", "name": "other"}))
    save_demo_model(own_home, "one")
    (checkpoints_dir() / "one" / "config.json").write_bytes(
        (checkpoints_dir() / "other" / "config.json").read_bytes()
    )
    runs = {run.name: run for run in listing.runs()[0]}
    count = listing.parameters(runs["one"].run)
    assert count is not None and count > 1000
    plot = plot_of([runs["one"], runs["other"]], "parameters", listing)
    assert (plot.points, plot.unknown) == ((), ("other",))  # it has parameters, but was not judged
    assert all(unknown_sentence(Plot((), ("a",)), cost).startswith("1 run is not") for cost in COSTS)
