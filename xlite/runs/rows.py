"""The table of finished experiments that the Runs page shows. Imports no torch."""

from collections.abc import Iterable

from xlite.evaluation.contamination.source_facts import TeacherSeen
from xlite.messages import literal
from xlite.runs.notes import Notes
from xlite.runs.results import Experiment
from xlite.text import number

A_PAGE = 50
"""Rows of finished experiments that are shown at a time."""


def experiment_rows(experiments: Iterable[Experiment]) -> list[dict[str, str]]:
    """Rows of results.csv in Markdown, by column; a test AUC is struck through if a teacher knows films."""
    return [_experiment_row(one) for one in experiments]


def of_words(experiments: Iterable[Experiment], search: str) -> list[Experiment]:
    """The experiments whose texts have all the words of a search; `seed=3` finds the notes' `seed 3`."""
    words = [word.replace("=", " ") for word in search.casefold().split()]
    return [one for one in experiments if not words or all(word in _texts(one) for word in words)]


def _texts(one: Experiment) -> str:
    texts = one.experiment_id, one.date, one.model, one.backbone, one.attention, one.notes
    return "\n".join(texts).casefold()


def _experiment_row(one: Experiment) -> dict[str, str]:
    seen = Notes.read(one.notes).seen
    test_auc = number(one.test_auc, "–")
    return {
        "Run": literal(one.experiment_id),
        "Date": literal(one.date),
        "Backbone": literal(one.backbone),
        "Temperature": _given(one.kd_temp),
        "Alpha": _given(one.kd_alpha),
        "Validation AUC": number(one.val_auc, "–"),
        "Test AUC": f"~~{test_auc}~~" if any(teacher.known for teacher in seen) else test_auc,
        "Known test films": known_test_films(seen) or "–",
        "Notes": literal(one.notes),
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


def _given(value: float | None) -> str:
    """A setting as it was given."""
    return "–" if value is None else f"{value:g}"
