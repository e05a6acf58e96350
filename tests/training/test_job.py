"""What a run needs is refused before films are decoded."""

import re
from pathlib import Path

import numpy as np
import pytest
from tiny_runs import config

from xlite.data.folder import NihFolder
from xlite.data.predictions import write_predictions
from xlite.errors import RunError, XliteError
from xlite.runs.run import Run
from xlite.training.job import check_job
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
        return check_job(settings)
    with pytest.raises(XliteError, match=re.escape(sentence)):
        check_job(settings)
