"""TrainConfig: what it takes from older runs."""

import pytest

from xlite.config import choices_of, limits_of, make_config
from xlite.errors import RunError


def test_the_automatic_number_of_data_loader_workers_of_older_runs_is_read_as_none() -> None:
    assert make_config({"data": "films", "workers": -1}).workers == 0
    assert make_config({"data": "films", "workers": "-1"}).workers == 0
    with pytest.raises(RunError, match="--workers is -2"):
        make_config({"data": "films", "workers": -2})


@pytest.mark.parametrize(
    ("given", "means"),
    [(True, "design"), (False, "none"), ("true", "design"), ("False", "none"), ("light", "light")],
)
def test_augmentation_was_a_switch_and_is_read_as_the_strength_that_it_meant(given, means) -> None:
    assert make_config({"data": "films", "augment": given}).augment == means
    assert make_config({"data": "films"}).augment == "design"
    with pytest.raises(RunError, match="--augment is 'much'; expected one of none, light, design"):
        make_config({"data": "films", "augment": "much"})


def test_a_path_that_is_no_text_is_refused_before_it_is_kept():
    with pytest.raises(
        RunError, match=r"^--data is films/\udcff, which is not text in UTF-8: give it another"
    ):
        make_config({"data": "films/\udcff"})


def test_choices_and_limits_of_a_setting():
    assert choices_of("augment") == ("none", "light", "design")
    assert choices_of("lr") == choices_of("backbone") == ()
    assert (limits_of("lr"), limits_of("dropout"), limits_of("name")) == (
        {"gt": 0, "le": 10},
        {"ge": 0, "lt": 1},
        {},
    )
