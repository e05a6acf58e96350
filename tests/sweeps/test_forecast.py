"""What a study will take."""

from pathlib import Path

import pytest
from forecasts import FORECAST

from xlite.sweeps.forecast import sample_config, study_basis, study_facts, study_seconds
from xlite.sweeps.phases import plan_phase
from xlite.sweeps.plan import Design, Range, make_plan

GIVEN = {"data": "films", "image_size": 96}


def test_all_runs_take_as_long_as_the_one_measured_and_the_films_are_decoded_once() -> None:
    plan = plan_phase("phase1", GIVEN, Design("one", seeds=2), ["resnet18", "resnet34"])
    assert plan.total() == 8
    run = FORECAST.model_copy(update={"decode_s": 60.0})
    # opening 3, decoding 60, 10 epochs of 5 * 2 + 20 * 0.1, and 40 films judged
    assert run.seconds == pytest.approx(3 + 60 + 10 * 12 + 4)
    assert study_seconds(plan, run) == pytest.approx(60 + 8 * 127)
    assert study_facts(plan, run) == {
        "Time": "about 18 min",
        "Runs": "8, one after the other",
        "A run": "about 3 min",
        "An epoch": "about 10 s",
        "Memory": "2.0 of 8.0 free GB",
        "Disk": "0.80 GB",
        "Device": "cpu",
    }


def test_the_run_that_is_measured_has_the_first_values_and_the_middle_of_ranges() -> None:
    vary = {"lr": Range(low=1e-4, high=1e-2, log=True), "hidden": Range(low=100, high=300), "flip": ["True"]}
    plan = make_plan("search", GIVEN, {**vary, "backbone": ["resnet18", "resnet34"]}, Design("s", trials=20))
    config = sample_config(plan)
    assert (config.lr, config.hidden, config.backbone) == (pytest.approx(1e-3), 200, "resnet18")
    assert config.data == Path("films").absolute() and config.image_size == 96
    assert study_basis(plan) == (
        "Measured is one of 20 runs, with Learning rate 0.001, Hidden units 200, Horizontal flips True, "
        "Backbone resnet18; others may take less or more."
    )
