"""What models and ensembles learned from, by the notes of their files."""

from pathlib import Path
from typing import Any

import pytest
from tiny_models import save_student, student

from xlite.classify import Classifier
from xlite.evaluation.contamination.sources import Source, read_sources
from xlite.models.info import ModelNotes

pytestmark = pytest.mark.slow


def test_an_ensemble_knows_what_each_of_its_members_knows(tmp_path: Path) -> None:
    notes: list[dict[str, Any]] = [
        {"teacher": "a.csv", "teacher_knows": ({"predictions": "a.csv"},), "train_share": 0.5},
        {"start_knows": ({"split": "patient-7-0", "start": True},), "contamination": "It has seen two."},
        {"started_from": "old.pt", "teacher": "b.csv", "teacher_knows": ({"predictions": "a.csv"},)},
    ]
    paths = [
        save_student(tmp_path / f"{seed}.safetensors", student(seed=seed), notes=ModelNotes(**one))
        for seed, one in enumerate(notes)
    ]
    found = Classifier.load(",".join(map(str, paths))).info.notes
    assert read_sources(found) == [
        Source(predictions="a.csv"),
        Source(split="patient-7-0", start=True),
        Source(weights="old.pt", start=True),
    ]
    assert (found.teacher, found.contamination, found.train_share) == ("a.csv, b.csv", "It has seen two.", 1)
    assert ModelNotes.model_validate_json(found.model_dump_json()) == found
