"""The table of a study's trials, which pages and terminals show. Imports little."""

from collections.abc import Iterable

from xlite.config import TrainConfig, Value
from xlite.messages import field_title, in_field_titles
from xlite.sweeps.leaderboard import name_of
from xlite.sweeps.status import TrialStatus

FORMATS = {
    "Validation AUC": "%.4f",
    "Test AUC": "%.4f",
    **{
        field_title(name): "%.4g"
        for name, field in TrainConfig.model_fields.items()
        if field.annotation is float
    },
}
"""How numbers of a column are written: of a setting the digits that tell it from others, as in its name."""


def trial_rows(trials: Iterable[TrialStatus], *, apart: bool) -> list[dict[str, Value | None]]:
    """A row for each trial, by column; None if it has no such AUC.

    apart: each setting that varies has a column with its field title, else all are one text, Configuration.
    """
    return [_row(trial, apart) for trial in trials]


def _row(trial: TrialStatus, apart: bool) -> dict[str, Value | None]:
    settings: dict[str, Value | None] = (
        {field_title(name): value for name, value in trial.values.items()}
        if apart
        else {"Configuration": name_of(trial.values)}
    )
    return {
        "Run": trial.run,
        "State": trial.state,
        **settings,
        "Validation AUC": trial.val_auc,
        "Test AUC": trial.test_auc,
        "Message": in_field_titles(trial.said),
    }
