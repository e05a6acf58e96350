"""What a form offers to vary is what a study takes."""

import pytest

from xlite.config import TrainConfig
from xlite.sweeps.plan import Design, Range, make_plan
from xlite.sweeps.space import can_vary, is_number, is_switch, usual_range, usual_values


def test_what_may_vary_is_neither_of_the_films_nor_of_the_machine():
    stay = set(TrainConfig.model_fields) - set(can_vary())
    assert {"data", "name", "split", "seed", "device", "workers"} < stay
    assert {"lr", "backbone", "teacher", "image_size", "flip", "loss"} < set(can_vary())


@pytest.mark.parametrize("name", can_vary())
def test_what_is_offered_for_a_setting_makes_a_study(name):
    if is_number(name):
        offered = usual_range(name)
        plan = make_plan("search", {"data": "films"}, {name: offered}, Design("s", trials=3))
        assert plan.vary == {name: offered}
    values = usual_values(name)
    grid = make_plan("search", {"data": "films"}, {name: values}, Design("s"))
    assert grid.vary[name] == values and TrainConfig.model_fields[name].default in values


def test_the_ranges_that_are_offered():
    assert usual_range("lr") == Range(low=1e-4, high=1e-2, log=True)
    assert usual_range("layer_decay") == Range(low=0.1, high=1.0, log=True)  # at most 1
    assert usual_range("mixup") == Range(low=0.0, high=1.0)  # 0 is off
    assert usual_range("hidden") == Range(low=26, high=2560, log=True)
    assert usual_range("stages") == Range(low=0, high=1)
    assert usual_values("lr") == [1e-4, 1e-3, 1e-2]
    assert usual_values("attention") == ["none", "mhsa", "performer"]
    assert usual_values("flip") == [True, False]
    assert (is_switch("flip"), is_switch("epochs"), is_number("flip")) == (True, False, False)
