"""The paired test of two runs, and the reason if there is none."""

import shutil
from pathlib import Path

import pytest
from demo_home import SPLIT, save_demo_evaluation
from known_runs import facts, judgement

from xlite.config import make_config
from xlite.errors import RunError
from xlite.places import checkpoints_dir
from xlite.report.judged import compare_judged
from xlite.report.saved import read_evaluation
from xlite.runs.listing import Listing, RunFacts
from xlite.runs.paired import check_comparable, compare_runs
from xlite.runs.run import Run


def judged_runs(home: Path) -> dict[str, RunFacts]:
    for name, signal in (("one", 0.3), ("two", 0.1)):
        Run.create(make_config({"data": "films", "name": name}))
        save_demo_evaluation(home, name, signal=signal)
    return {run.name: run for run in Listing(checkpoints_dir()).runs()[0]}


@pytest.mark.slow
def test_two_runs_are_compared_as_their_reports_are(own_home: Path) -> None:
    runs = judged_runs(own_home)
    found = compare_runs(runs["one"], runs["two"])
    one, two = (read_evaluation(name, runs[name].run.evaluation("test")) for name in ("one", "two"))
    assert found == compare_judged(one, two, None).model_copy(update={"names": ("one", "two")})
    assert (found.tie, found.images) == (False, 200)


def test_a_model_compared_with_itself_is_a_tie(own_home: Path) -> None:
    runs = judged_runs(own_home)
    shutil.copytree(
        runs["one"].run.evaluation("test"), runs["two"].run.evaluation("test"), dirs_exist_ok=True
    )
    assert compare_runs(runs["one"], runs["two"]).tie


@pytest.mark.parametrize(
    ("judged", "reason"),
    [
        (None, "run 'b' has not been judged on a test part, so it cannot be compared: a run is judged when"),
        (
            judgement(0.7, split="official-1"),
            f"'a' and 'b' were not judged on the same films: 'a' on split {SPLIT} with 2020 labels, 'b' on "
            "split official-1 with 2020 labels; evaluate both on one split to compare them",
        ),
    ],
)
def test_what_cannot_be_compared_has_a_reason(judged: object, reason: str) -> None:
    runs = facts("a", judged=judgement(0.7)), facts("b", judged=judged)
    for act in (check_comparable, compare_runs):
        with pytest.raises(RunError) as caught:
            act(*runs)
        assert str(caught.value).startswith(reason)
    check_comparable(runs[0], facts("c", judged=judgement(0.5)))
