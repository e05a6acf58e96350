"""What a model file says of the films, teachers and starting weights that it was made from."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from judged import amend, save_tiny_model
from safetensors.torch import save_file
from tiny_runs import config

from xlite.data.folder import NihFolder
from xlite.data.predictions import write_predictions
from xlite.data.split_files import load_split
from xlite.evaluation.contamination.contamination import count_source
from xlite.evaluation.contamination.sources import Source
from xlite.models.checkpoint import load_model
from xlite.models.info import ModelNotes
from xlite.models.known_weights import IMAGENET, digest_of_tensors
from xlite.models.student import Student
from xlite.training.job import open_job

pytestmark = pytest.mark.slow


def noted(data: Path, **changes: Any) -> ModelNotes:
    """What the model file of a new run would note."""
    settings = config(data, "asked", backbone="test_resnet", hidden=8, **changes)
    return open_job(settings, kept=None, progress=lambda done, total: None).info.notes


def test_a_model_hands_on_its_films_and_what_its_sources_knew(films: Path, own_home: Path) -> None:
    folder = NihFolder.open(films)
    own, other = load_split(folder, "patient"), load_split(folder, "official")
    model = save_tiny_model(own_home, films)
    assert noted(films).start_knows == () and "start_knows" in noted(films).model_fields_set
    assert noted(films, weights=str(model)).start_knows == ()  # of its own split: nothing more is known
    share = noted(films, weights=str(model), train_share=0.5)
    assert [one["split"] for one in share.start_knows] == [own.id]
    own_films = count_source(Source(split=own.id, start=True), folder, other)
    assert own_films.seen["test"].trained > 0
    second = noted(films, weights=str(model), split="official")
    assert second.start_knows == (own_films.model_dump(),) and second.teacher_knows == ()
    # A chain: the second model's own sources are those of a third, which is of the first's split again.
    amend(
        model, split_id=other.id, notes={**second.model_dump(), "teacher_knows": [{"predictions": "p.csv"}]}
    )
    third = noted(films, weights=str(model), split="patient")
    assert [Source.model_validate(one) for one in third.start_knows] == [
        count_source(Source(split=other.id, start=True), folder, own),
        Source(predictions="p.csv"),
        count_source(Source(split=own.id, start=True), folder, own),
    ]
    # The same by way of a teacher.
    student = noted(films, teacher=str(model), split="patient")
    assert [Source.model_validate(one) for one in student.teacher_knows] == [
        count_source(Source(split=other.id), folder, own),
        Source(predictions="p.csv"),
        count_source(Source(split=own.id, start=True), folder, own),
    ]
    assert student.start_knows == ()


def test_what_is_behind_a_file_of_weights_is_not_known_unless_they_are_public(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone = Student("test_resnet").backbone.state_dict()
    save_file(backbone, tmp_path / "some.safetensors")
    given = str(tmp_path / "some.safetensors")
    assert noted(films, weights=given).start_knows == ({"weights": "some.safetensors", "start": True},)
    monkeypatch.setitem(IMAGENET, digest_of_tensors(backbone), "test_resnet")
    assert noted(films, weights=given).start_knows == ()


def test_weights_of_unknown_films_are_noted_as_such(films: Path, own_home: Path) -> None:
    model = save_tiny_model(own_home, films)
    unknown = {"weights": "w.pt", "start": True}
    torch.save(load_model(model)[0].backbone.state_dict(), own_home / "w.pt")
    assert noted(films, weights=str(own_home / "w.pt")).start_knows == (unknown,)
    amend(model, notes={"started_from": "x starts from w.pt (52 tensors)"})  # of an older X-Lite
    old = {"weights": "x starts from w.pt (52 tensors)", "start": True}
    assert noted(films, weights=str(model)).start_knows == (old,)
    assert noted(films, teacher=str(model)).teacher_knows == (old,)


def test_one_list_is_noted_for_one_teacher(films: Path, tmp_path: Path) -> None:
    names = NihFolder.open(films).table["image"].tolist()
    for file in ("p.csv", "q.csv"):
        write_predictions(tmp_path / file, names, np.full((len(names), 14), 0.5, np.float32))
    (tmp_path / "seen.txt").write_text(names[0] + "\n")
    teacher, seen = f"{tmp_path / 'p.csv'},{tmp_path / 'q.csv'}", str(tmp_path / "seen.txt")
    first, second = noted(films, teacher=teacher, teacher_list=seen).teacher_knows
    assert (first["list"], second) == ("seen.txt", {"predictions": "q.csv"})
    [both] = noted(films, teacher=teacher, teacher_list=f"{seen},{seen}").teacher_knows
    assert both["list"] == "seen.txt"
