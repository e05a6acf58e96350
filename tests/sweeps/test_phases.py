"""The three phases: what each tries, and what it takes over from the one before."""

from pathlib import Path

import pytest
from played import TINY, Trainers

from xlite.errors import RunError
from xlite.places import sweeps_dir
from xlite.sweeps import work
from xlite.sweeps.phases import plan_phase
from xlite.sweeps.plan import Design
from xlite.sweeps.sweep import Sweep

pytestmark = pytest.mark.usefixtures("quick")


def test_phases_are_the_design_documents(tiny_folder: Path) -> None:
    plan = plan_phase("phase1", {"data": tiny_folder, "epochs": 3})
    assert plan.fixed == {"train_share": 0.2, "data": str(tiny_folder), "epochs": 3}
    assert plan.vary == {
        "backbone": ["efficientnet_b0", "mobilenetv3_small_100"],
        "attention": ["none", "mhsa"],
        "seed": [42, 43, 44],
    }
    tried = plan.combinations()
    assert plan.total() == len(tried) == 12
    assert [values["seed"] for values in tried] == [42] * 4 + [43] * 4 + [44] * 4
    given = {"data": tiny_folder, "teacher": "big", "attention": "mhsa"}
    second = plan_phase("phase2", given, Design())
    assert second.total() == 8
    assert {name: second.vary[name] for name in ("temperature", "alpha")} == {
        "temperature": [2.0, 6.0],
        "alpha": [0.5, 0.9],
    }


def test_what_is_given_does_not_vary(tiny_folder: Path) -> None:
    plan = plan_phase(
        "phase1", {"data": tiny_folder, "attention": "none", "train_share": 1.0, "seed": 7}, Design(seeds=2)
    )
    assert (plan.total(), plan.vary["seed"], plan.fixed["train_share"]) == (4, [7, 8], 1.0)
    assert "attention" not in plan.vary and plan.fixed["attention"] == "none"


@pytest.mark.parametrize(
    ("phase", "given", "sentence"),
    [
        ("phase1", {}, "real or phantom: give --data"),
        ("phase1", {"data": "d", "teacher": "t"}, "phase 1 trains the students alone"),
        ("phase1", {"data": "d", "name": "t"}, "it takes no --name"),
        ("phase1", {"data": "d", "epoch": 1}, "'epoch' is not a setting of a run"),
        ("phase1", {"data": "d", "lr": "fast"}, "--lr is 'fast'; expected a number"),
        ("phase2", {"data": "d"}, "phase 2 distils, so it needs a teacher: give --teacher"),
        ("phase2", {"data": "d", "teacher": "t"}, "there is no study 'phase1'"),
        ("phase3", {"data": "d"}, "there is no study 'phase1'"),
    ],
)
def test_a_phase_that_cannot_be_is_one_sentence(phase: str, given: dict, sentence: str) -> None:
    with pytest.raises(RunError, match=sentence):
        plan_phase(phase, given)
    assert not sweeps_dir().exists()


@pytest.mark.slow
def test_phases_follow_one_another(trainers: Trainers, tiny_folder: Path) -> None:
    trainers.aucs = lambda run: [0.9 if run.config().attention == "mhsa" else 0.6]
    first = plan_phase("phase1", {"data": tiny_folder, **TINY}, Design(), ["resnet18", "b"])
    sweep = Sweep.open(first)
    with pytest.raises(
        RunError, match=r"'phase1' has no winner yet \(0 of 0 trials have finished, it is new\)"
    ):
        plan_phase("phase2", {"teacher": "t"})
    found = work.work_on(sweep)
    winner = found.rows[found.winner].values
    second = plan_phase("phase2", {"teacher": "t", "epochs": 2}, Design())
    assert second.fixed == {
        **first.fixed,
        "attention": winner["attention"],
        "teacher": "t",
        "epochs": 2,
    }
    assert (second.vary["backbone"], second.total(), second.after) == (["resnet18", "b"], 8, "phase1")
    assert plan_phase("phase3", {}, Design(seeds=2)).fixed["attention"] == winner["attention"]
    away = found.rows[0].model_copy(update={"absent": {"phase1-000": "two:/home"}})
    sweep.write_leaderboard(found.model_copy(update={"winner": None, "rows": [away, *found.rows[1:]]}))
    with pytest.raises(RunError, match=r"'phase1' has no winner in this home\. No winner: .* in two:/home\)"):
        plan_phase("phase3", {})
    sweep.write_leaderboard(found)
    third = plan_phase("phase3", {}, Design(seeds=2))
    assert third.fixed == {**first.fixed, **winner, "train_share": 1.0}
    work.work_on(Sweep.open(plan_phase("phase2", {"teacher": "t", "epochs": 2}, Design(), ["b"])))
    last = plan_phase("phase3", {})
    assert last.after == "phase2" and {"temperature", "alpha"} <= set(last.fixed)
    assert (last.fixed["teacher"], last.fixed["train_share"], last.total()) == ("t", 1.0, 3)
