"""TrainConfig: what it takes from older runs."""

import pytest

from xlite.config import PRESETS, TrainConfig, make_config, of_preset
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


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_holds_settings_of_a_run(name):
    config = make_config({"data": "films", **of_preset(name)})
    assert {key: getattr(config, key) for key in PRESETS[name]} == PRESETS[name]
    assert PRESETS[name].keys() < TrainConfig.model_fields.keys()


def test_the_design_documents_settings_are_those_that_it_names():
    design = of_preset("design")
    named = {"backbone": "efficientnet_b0", "image_size": 224, "augment": "design", "hidden": 256}
    assert {key: design[key] for key in named} == named
    assert of_preset("") == {}
    with pytest.raises(RunError, match="--preset is 'best'; expected one of design"):
        of_preset("best")
