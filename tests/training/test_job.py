"""What a run needs is refused before films are decoded."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from judged import amend, save_tiny_model
from safetensors.torch import save_file
from tiny_models import save_student, student
from tiny_runs import config
from unknown_labels import LACKING, hide_labels, hide_some

from xlite.data.dataset import model_input
from xlite.data.folder import NihFolder
from xlite.data.imbalance import balanced_sample_weights, positive_weights
from xlite.data.predictions import write_predictions
from xlite.data.split_files import load_split
from xlite.errors import DataError, RunError, XliteError
from xlite.evaluation.contamination import count_source
from xlite.evaluation.sources import Source
from xlite.findings import FINDINGS
from xlite.images import Preprocess
from xlite.models.checkpoint import load_model
from xlite.models.info import ModelNotes
from xlite.models.known_weights import IMAGENET, digest_of_tensors
from xlite.models.student import Student
from xlite.runs.run import Run
from xlite.training.concern_words import without_positives_sentence
from xlite.training.concerns import without_positives
from xlite.training.job import check_job, open_job
from xlite.training.loop import train

pytestmark = pytest.mark.usefixtures("quick_report")


def test_a_list_of_what_no_teacher_has_seen_is_refused(films):
    run = Run.create(config(films, "list", teacher_list=str(films / "test_list.txt")))
    with pytest.raises(RunError, match="there is no --teacher"):
        train(run.config(), run)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, ""),
        ({"weights": "nosuch.pth"}, "there are no starting weights nosuch.pth; expected imagenet, none or"),
        ({"split": "mine"}, "has no split 'mine'"),
        ({"teacher": "nosuch.csv"}, "nosuch.csv"),
        ({"teacher": "nosuch"}, "'nosuch' is neither a model file nor a run"),
        ({"teacher_list": "nosuch.txt"}, "and there is no --teacher"),
        (
            {"feature_weight": 1.0, "teacher": "some.csv"},
            "--feature-weight 1 needs a teacher with one network",
        ),
    ],
)
def test_what_a_run_would_be_refused_for_is_told_before_it_is_made(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    names = NihFolder.open(films).table["image"].tolist()
    write_predictions(tmp_path / "some.csv", names, np.full((len(names), 14), 0.5, np.float32))
    settings = config(films, "asked", **given)
    if not sentence:
        assert check_job(settings).seen is None
        return
    with pytest.raises(XliteError, match=re.escape(sentence)):
        check_job(settings)


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


def test_student_and_teacher_are_each_fed_by_their_own_normalisation(films: Path, tmp_path: Path) -> None:
    """The student starts from weights that want other films than ImageNet's do; the teacher does not."""
    teacher = save_student(tmp_path / "teacher.safetensors", student(seed=3), 32)
    save_file(student(seed=4).backbone.state_dict(), tmp_path / "timm.safetensors")
    settings = config(films, "asked", weights=str(tmp_path / "timm.safetensors"), teacher=str(teacher))
    job = open_job(settings, kept=None, progress=lambda done, total: None)
    half = Preprocess(32, (0.5,) * 3, (0.5,) * 3)
    assert job.info.preprocess == job.train.preprocess == job.val.preprocess == half
    batch = job.train.__getitems__([0, 1])
    answer = job.teacher(model_input(batch.films, half), batch.file_logits)
    own = load_model(teacher)[0](model_input(batch.films, Preprocess(32)))
    torch.testing.assert_close(answer.logits, own.detach(), rtol=1e-4, atol=1e-5)
    kept = Preprocess(32, (0.1,) * 3, (0.2,) * 3)
    job = open_job(settings, kept, progress=lambda done, total: None)
    assert job.info.preprocess == job.train.preprocess == job.val.preprocess == kept


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


def test_a_run_says_what_it_cannot_learn_and_is_refused_if_that_is_all(
    films: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = films / "Data_Entry_2017_v2020.csv"
    content = table.read_text()
    folder = hide_some(films)
    split = load_split(folder, "patient")
    lacking = without_positives(folder.labels(split.stems("train")))
    assert {*LACKING} <= {*lacking}
    check_job(config(films, "asked"))
    said = [record.getMessage() for record in caplog.records if "means nothing" in record.getMessage()]
    assert said == [f"Warning: {without_positives_sentence(lacking)}"]
    # A teacher that speaks of all findings leaves nothing to say, unless its answers count for nothing.
    names = folder.table["image"].tolist()
    write_predictions(tmp_path / "said.csv", names, np.full((len(names), 14), 0.5, np.float32))
    for alpha, warned in ((0.5, 0), (0.0, 1)):
        caplog.clear()
        check_job(config(films, "asked", teacher=str(tmp_path / "said.csv"), alpha=alpha))
        assert sum("means nothing" in record.getMessage() for record in caplog.records) == warned
    for part, sentence in (
        (
            "val",
            "validation films is known, so nothing could tell which epoch is the best; use a split whose",
        ),
        ("train", "training films is known, and no teacher speaks of them: there is nothing to learn"),
    ):
        table.write_text(content)
        hide_labels(films, dict.fromkeys(split.stems(part), FINDINGS))
        with pytest.raises(DataError, match=sentence):
            check_job(config(films, "asked"))
    check_job(config(films, "asked", teacher=str(tmp_path / "said.csv"), alpha=0.5))  # which are all it needs


def test_weights_and_sampler_are_those_of_what_is_known(films: Path) -> None:
    folder = hide_some(films)
    settings = config(films, "asked", loss="weighted_bce", sampler="balanced")
    job = open_job(settings, kept=None, progress=lambda done, total: None)
    labels = folder.labels(job.train_stems)
    np.testing.assert_array_equal(job.train.labels.numpy(), labels)
    assert np.isnan(labels).any()
    assert torch.equal(job.task.positive_weight, torch.from_numpy(positive_weights(labels)))
    np.testing.assert_array_equal(job.sample_weights, balanced_sample_weights(labels))
