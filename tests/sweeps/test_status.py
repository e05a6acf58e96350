"""What progress.json says of a study's trials, in words of old too."""

import pytest

from xlite.evaluation.contamination.caveats import Said, TeacherKnows
from xlite.evaluation.contamination.source_facts import SeenByTeacher
from xlite.sweeps.status import Outcome, Signature, SweepStatus, TrialStatus


def test_what_a_teacher_knows_is_written_and_read_back() -> None:
    seen = SeenByTeacher(split_id="s-1-1", part="test", films=3, trained=2, with_val=2, patients=2)
    left = Outcome(val_auc=0.7, contamination=TeacherKnows(teachers=(seen,), known=2))
    assert Outcome.model_validate_json(left.model_dump_json()) == left
    assert Outcome().contamination is None


def test_what_a_teacher_knows_was_once_a_sentence() -> None:
    said = "teacher contamination: it knows"
    assert Outcome.model_validate({"contamination": said}).contamination == Said(text=said, by_teacher=True)


def test_trials_that_failed_alike_have_one_cause() -> None:
    failed = [
        TrialStatus(run=run, state="failed", values={}, message=f"no weights for {run}")
        for run in ("s-000", "s-001")
    ]
    assert failed[0].cause == failed[1].cause == "no weights for …"


def test_a_signature_is_written_and_read_back() -> None:
    signature = Signature("machine:/home/a#b", "1a2b")
    assert str(signature) == "machine:/home/a#b#1a2b" and Signature.read(str(signature)) == signature


def test_how_far_a_study_is() -> None:
    states = ("finished", "failed", "running", "waiting")
    trials = tuple(TrialStatus(run=state, state=state, values={}) for state in states)
    status = SweepStatus(total=8, trials=trials)
    assert (status.ended, status.share, status.running()) == (2, 0.25, ["running"])
    assert (SweepStatus().share, SweepStatus(total=1, trials=trials).share) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("state", "trial", "can"),
    [
        ("running", "failed", False),
        ("finished", "finished", False),
        ("finished", "failed", True),
        ("stopped", "waiting", True),
        ("killed", "waiting", True),
    ],
)
def test_a_study_goes_on_if_a_trial_is_left_or_failed(state: str, trial: str, can: bool) -> None:
    status = SweepStatus(state=state, trials=(TrialStatus(run="a", state=trial, values={}),))
    assert status.can_go_on is can
