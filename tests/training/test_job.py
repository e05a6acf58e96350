"""What a run needs is refused before films are decoded."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tiny_models import save_student, student
from tiny_runs import config

from xlite.data.dataset import model_input
from xlite.data.folder import NihFolder
from xlite.data.predictions import write_predictions
from xlite.errors import RunError, XliteError
from xlite.images import Preprocess
from xlite.models.checkpoint import load_model
from xlite.runs.run import Run
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


@pytest.mark.slow
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
