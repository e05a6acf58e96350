"""Optuna's charts of a study, from what its progress.json says: its storage is not asked. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xlite.messages import field_title
from xlite.plots import PALETTE, bare_layout, plain_label
from xlite.sweeps.plan import Plan, Range
from xlite.sweeps.status import TrialStatus

if TYPE_CHECKING:  # slow to import, and loaded when there is something to draw
    import optuna
    import plotly.graph_objects as go
    from optuna.distributions import BaseDistribution

FEWEST = 8
"""With fewer finished runs Optuna's importance says nothing."""
_AUC = "Validation AUC"
_SCALE = ["#77869a", "#e3b05b"]
"""From the worst to the best run: readable on dark and on light."""


def as_optuna(plan: Plan, trials: Sequence[TrialStatus]) -> optuna.Study:
    """The finished runs of a study as one of Optuna's in memory; settings by their field titles, and only
    those that took more than one value.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    ended = [trial for trial in trials if trial.state == "finished" and trial.val_auc is not None]
    varied = [name for name in plan.vary if len({trial.values.get(name) for trial in ended}) > 1]
    kinds = {name: _distribution(plan.vary[name]) for name in varied}
    study = optuna.create_study(direction="maximize")
    for trial in ended:
        named = [name for name in varied if name in trial.values]
        study.add_trial(
            optuna.trial.create_trial(
                value=trial.val_auc,
                params={field_title(name): trial.values[name] for name in named},
                distributions={field_title(name): kinds[name] for name in named},
            )
        )
    return study


def _distribution(choices: list[str | int | float | bool] | Range) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(choices, list):
        return CategoricalDistribution(choices)
    if isinstance(choices.low, int) and isinstance(choices.high, int):
        return IntDistribution(choices.low, choices.high, log=choices.log)
    return FloatDistribution(choices.low, choices.high, log=choices.log)


def parallel_coordinates(study: optuna.Study) -> go.Figure | None:
    """A line for each finished run across its settings, the better the brighter; None with fewer than two
    runs, or if nothing varies.
    """
    from optuna.visualization import plot_parallel_coordinate
    from plotly.colors import sample_colorscale

    names = sorted({name for trial in study.get_trials(deepcopy=False) for name in trial.params})
    if len(study.trials) < 2 or not names:
        return None
    figure: go.Figure = plot_parallel_coordinate(study, target_name=_AUC)
    *lines, bar = figure.data
    for line in lines:
        best = line.y[0]  # the axis of the AUC is the first, from 0 to 1
        [color] = sample_colorscale(_SCALE, [best])
        line.update(line={"color": color, "width": 1.2 + 1.6 * best}, opacity=0.85)
    bar.marker.update(colorscale=_SCALE, colorbar={"title": "", "thickness": 10})
    figure.update_annotations(font={"size": 12, "color": None})
    titles = [plain_label(name).replace(" ", "<br>", 1) for name in (_AUC, *names)]
    figure.update_xaxes(ticktext=titles)
    return figure.update_layout(title=None, **bare_layout(360, 16))


def importance(study: optuna.Study) -> dict[str, float]:
    """Of each setting that varied, its share (0-1) of what made runs differ, the largest first; by Optuna's
    fANOVA. Empty with fewer than FEWEST finished runs, or if all are alike.
    """
    import optuna

    trials = study.get_trials(deepcopy=False)
    if len(trials) < FEWEST or len({trial.value for trial in trials}) == 1:
        return {}
    found = optuna.importance.get_param_importances(
        study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0)
    )
    return dict(found)


def importance_bars(shares: dict[str, float]) -> go.Figure:
    """Importance as bars, the largest on top."""
    import plotly.graph_objects as go

    from xlite.plots import style

    names = list(shares)[::-1]
    figure = go.Figure()
    figure.add_bar(
        x=[shares[name] for name in names], y=list(map(plain_label, names)), orientation="h",
        marker={"color": PALETTE[0]}, text=[f"{shares[name]:.0%}" for name in names], textposition="outside",
        hovertemplate="%{y}: %{x:.2f}<extra></extra>", cliponaxis=False,
    )  # fmt: skip
    figure.update_xaxes(tickformat=".0%", range=[0, 1.1])
    return style(figure, 90 + 34 * len(names))


def importance_line(shares: dict[str, float]) -> str:
    """The same in one line, for those who see no chart."""
    return ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
