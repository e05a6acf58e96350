"""The kinds of study, as pages and terminals have them."""

from pathlib import Path
from typing import get_args

import pytest

from xlite.sweeps.kinds import KINDS, lacking, plan_of
from xlite.sweeps.plan import Design, Kind
from xlite.sweeps.status import TrialStatus
from xlite.sweeps.trials_table import FORMATS, trial_rows


def test_every_kind_is_told_once() -> None:
    assert tuple(KINDS) == get_args(Kind)
    assert {kind: about.seeds for kind, about in KINDS.items()} == {
        "phase1": 3, "phase2": 3, "phase3": 3, "search": 1, "crossfit": 1,
    }  # fmt: skip
    assert all(about.told.endswith(".") and about.help.endswith(".\n") for about in KINDS.values())


def test_a_plan_of_any_kind_is_made_in_one_place() -> None:
    given = {"data": "films"}
    design = Design("mine", 2)
    found = {
        "phase1": plan_of("phase1", given, design, backbones=["resnet18"]),
        "search": plan_of("search", given, design, varying={"lr": [0.1, 0.2]}),
        "crossfit": plan_of("crossfit", given, design, folds=3),
    }
    assert {kind: (plan.kind, plan.study, plan.total()) for kind, plan in found.items()} == {
        "phase1": ("phase1", "mine", 4),
        "search": ("search", "mine", 4),
        "crossfit": ("crossfit", "mine", 6),
    }
    assert found["phase1"].vary["backbone"] == ["resnet18"]


@pytest.mark.parametrize(
    ("kind", "given", "varying", "begins"),
    [
        ("phase1", {}, {}, ""),
        ("phase2", {}, {}, "Phase 2 distils: choose a teacher above"),
        (
            "phase2",
            {"teacher": "a.csv"},
            {},
            "This phase follows another one, which comes first. There is no",
        ),
        ("phase3", {}, {}, "This phase follows another one, which comes first. There is no study 'phase1'"),
        ("search", {}, {}, "Choose above what varies"),
        ("search", {}, {"lr": [0.1, 0.2]}, ""),
        ("crossfit", {}, {}, ""),
    ],
)
def test_a_form_says_what_it_still_lacks(
    own_home: Path, kind: Kind, given: dict[str, object], varying: dict[str, object], begins: str
) -> None:
    found = lacking(kind, given, varying, "")
    assert found.startswith(begins) and bool(found) == bool(begins)


def test_trials_are_rows_with_settings_apart_or_as_one_text() -> None:
    values = {"backbone": "resnet18", "lr": 0.001}
    trials = [TrialStatus(run="mine-0", state="finished", values=values, val_auc=0.75)]
    ends = {"Validation AUC": 0.75, "Test AUC": None, "Message": ""}
    begins = {"Run": "mine-0", "State": "finished"}
    assert trial_rows(trials, apart=True) == [
        {**begins, "Backbone": "resnet18", "Learning rate": 0.001, **ends}
    ]
    assert FORMATS["Learning rate"] == "%.4g" and "Backbone" not in FORMATS  # 0.0001196 is not 0.0001
    assert trial_rows(trials, apart=False) == [{**begins, "Configuration": "resnet18, lr 0.001", **ends}]
