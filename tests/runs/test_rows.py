"""The table of finished experiments, as the Runs page has it."""

from collections.abc import Sequence

import pytest

from xlite.evaluation.contamination.source_facts import TeacherSeen
from xlite.runs.notes import Notes
from xlite.runs.results import Experiment
from xlite.runs.rows import experiment_rows, known_test_films, of_words

NOBODY_KNOWS = TeacherSeen(films=0, trained=0, with_val=0, patients=0, known=False)


def seen(with_val: int, films: int = 150) -> TeacherSeen:
    return TeacherSeen(films=films, trained=0, with_val=with_val, patients=with_val + 1)


@pytest.mark.parametrize(
    ("teachers", "text", "struck"),
    [
        ((), "–", False),
        ((NOBODY_KNOWS,), "unknown", False),
        ((seen(98),), "98 of 150", True),
        ((seen(0),), "their patients", True),
        ((seen(1, 1500), seen(20, 1500), NOBODY_KNOWS), "20 of 1,500", True),
    ],
)
def test_an_experiment_in_the_table(teachers: Sequence[TeacherSeen], text: str, struck: bool) -> None:
    assert (known_test_films(teachers) or "–") == text
    metrics = {"kd_temp": 4.0, "val_auc": 0.61, "test_auc": 0.75}
    names = {"experiment_id": "a*b", "date": "2026-03-01", "backbone": "resnet18"}
    notes = Notes("patient-42-1", "2020", 1, seen=tuple(teachers))
    [row] = experiment_rows([Experiment(**names, **metrics, notes=str(notes))])
    assert row["Test AUC"] == ("~~0.750~~" if struck else "0.750")
    assert (row["Run"], row["Temperature"], row["Alpha"], row["Validation AUC"]) == (
        "a\\*b",
        "4",
        "–",
        "0.610",
    )
    assert row["Known test films"] == text


def test_experiments_are_searched_by_their_texts() -> None:
    notes = [str(Notes("patient-42-1", "2020", seed)) for seed in (3, 4)]
    rows = [Experiment("First", backbone="resnet18", notes=notes[0]), Experiment("second", notes=notes[1])]
    for search, names in {
        "": ["First", "second"],
        "first": ["First"],
        "patient seed=4": ["second"],
        "resnet patient": ["First"],
        "nowhere": [],
    }.items():
        assert [one.experiment_id for one in of_words(rows, search)] == names
