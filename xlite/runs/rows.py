"""The tables of runs and experiments, the same for the Runs page and for terminals. Imports no torch."""

import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from xlite.errors import RunError
from xlite.evaluation.caveats import TeacherSeen
from xlite.report.document import plain
from xlite.runs.results import Notes
from xlite.runs.run import Run
from xlite.runs.status import LIVE, clock

Row = dict[str, str | float | None]


def run_rows(runs: Iterable[Run]) -> list[Row]:
    """What distinguishes the runs and how far they are, by column; None if a column has nothing to say.

    Runs that were renamed or deleted since they were listed are left out.
    """
    rows = []
    for run in runs:
        with suppress(RunError, OSError):
            rows.append(_run_row(run))
    return rows


def _run_row(run: Run) -> Row:
    config, status = run.config(), run.status()
    return {
        "Run": run.name,
        "State": status.state,
        "Epoch": f"{status.epoch} of {status.epochs or config.epochs}",
        "Best val AUC": status.best_auc,
        "Best epoch": status.best_epoch,
        "Time left": clock(status.eta_s) if status.state in LIVE else None,
        "Backbone": config.backbone,
        "Attention": None if config.attention == "none" else config.attention,
        "Teacher": Path(config.teacher).name or None,
        "Split": config.split,
        "Minutes": status.elapsed_s / 60,
    }


def experiment_rows(results: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Rows of results.csv in Markdown, by column; a test AUC is struck through if a teacher knows films."""
    return [_experiment_row(row) for row in results]


def _experiment_row(row: Mapping[str, Any]) -> dict[str, str]:
    seen = Notes.read(row["notes"]).seen
    test_auc = _cell(row["test_auc"], ".3f")
    return {
        "Run": plain(row["experiment_id"]),
        "Date": plain(row["date"]),
        "Backbone": plain(row["backbone"]),
        "Temperature": _cell(row["kd_temp"], "g"),
        "Alpha": _cell(row["kd_alpha"], "g"),
        "Val AUC": _cell(row["val_auc"], ".3f"),
        "Test AUC": f"~~{test_auc}~~" if any(one.known for one in seen) else test_auc,
        "Known test films": known_test_films(seen) or "–",
        "Notes": plain(row["notes"]),
    }


def known_test_films(seen: Iterable[TeacherSeen]) -> str:
    """How many test films the teacher knows that was trained or chosen on most: `98 of 150`.

    `their patients` if it was trained and chosen on none of them, `unknown` if nobody can tell, or nothing.
    """
    seen = list(seen)
    certain = [one for one in seen if one.known]
    if not certain:
        return "unknown" if seen else ""
    most = max(certain, key=lambda one: one.with_val)
    return f"{most.with_val:,} of {most.films:,}" if most.with_val else "their patients"


def _cell(number: float, form: str) -> str:
    return "–" if math.isnan(number) else format(number, form)
