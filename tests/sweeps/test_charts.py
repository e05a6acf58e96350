"""Optuna's charts, from what a study's progress.json says."""

import warnings

import pytest

from xlite.sweeps.charts import as_optuna, importance, importance_bars, importance_line, parallel_coordinates
from xlite.sweeps.plan import Design, Range, make_plan
from xlite.sweeps.status import TrialStatus

LRS = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 3e-3, 5e-3, 1e-2)
SEARCH = make_plan(
    "search",
    {"data": "films"},
    {"lr": Range(low=1e-4, high=1e-2, log=True), "flip": [True, False], "dropout": [0.3]},
    Design("s", trials=8),
)


def trials(count: int = 8) -> list[TrialStatus]:
    """So many finished runs, the better the higher the rate, and one that failed."""
    found = [
        TrialStatus(
            run=f"s-{place}",
            state="finished",
            values={"lr": lr, "flip": place % 2 == 0, "dropout": 0.3},
            val_auc=0.6 + 0.02 * place,
        )
        for place, lr in enumerate(LRS[:count])
    ]
    return [*found, TrialStatus(run="s-9", state="failed", values={"lr": 1e-3, "flip": True, "dropout": 0.3})]


def test_optuna_has_the_finished_runs_with_what_varied_by_field_titles():
    study = as_optuna(SEARCH, trials())
    assert [trial.value for trial in study.trials] == [0.6 + 0.02 * place for place in range(8)]
    assert study.trials[1].params == {"Learning rate": 2e-4, "Horizontal flips": False}


def test_parallel_coordinates_have_a_line_for_each_run_and_titles_for_axes():
    figure = parallel_coordinates(as_optuna(SEARCH, trials()))
    assert figure is not None
    assert len(figure.data) == 9  # and one trace that carries the colours
    assert figure.layout.xaxis.ticktext == ("Validation<br>AUC", "Horizontal<br>flips", "Learning<br>rate")
    assert figure.layout.title.text is None and figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
    colors = [line.line.color for line in figure.data[:-1]]
    assert (colors[0], colors[-1]) == ("rgb(119, 134, 154)", "rgb(227, 176, 91)")
    assert parallel_coordinates(as_optuna(SEARCH, trials(1))) is None


@pytest.mark.slow
def test_importance_is_that_of_what_made_the_difference():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shares = importance(as_optuna(SEARCH, trials()))
    assert list(shares) == ["Learning rate", "Horizontal flips"]
    assert sum(shares.values()) == 1 and shares["Learning rate"] > 0.7
    assert shares == importance(as_optuna(SEARCH, trials()))  # of chance, always the same
    figure = importance_bars(shares)
    assert list(figure.data[0].y) == ["Horizontal flips", "Learning rate"]
    assert (
        importance_line({"Learning rate": 0.9, "Horizontal flips": 0.1})
        == "Learning rate 90%, Horizontal flips 10%"
    )


def test_few_runs_and_runs_that_are_all_alike_have_no_importance():
    assert importance(as_optuna(SEARCH, trials(7))) == {}
    alike = [trial.model_copy(update={"val_auc": 0.7}) for trial in trials()[:-1]]
    assert importance(as_optuna(SEARCH, alike)) == {}


def test_a_grid_of_words_and_seeds_is_drawn_too():
    grid = make_plan("search", {"data": "films"}, {"backbone": ["a", "b"]}, Design("g", seeds=2))
    found = [
        TrialStatus(run=f"g-{place}", state="finished", values=values, val_auc=0.6 + 0.1 * place)
        for place, values in enumerate(grid.combinations())
    ]
    figure = parallel_coordinates(as_optuna(grid, found))
    assert figure is not None
    assert figure.layout.xaxis.ticktext == ("Validation<br>AUC", "Backbone", "Seed")
