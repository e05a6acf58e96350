"""TrainConfig: what it takes from older runs."""

import pytest

from xlite.config import (
    PRESET_NOTES,
    PRESET_TITLES,
    PRESETS,
    TrainConfig,
    choices_of,
    limits_of,
    make_config,
    of_preset,
)
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


def test_each_preset_has_a_title_and_a_line_for_pages():
    assert PRESETS.keys() == PRESET_TITLES.keys() == PRESET_NOTES.keys()
    assert all(note.endswith(".") for note in PRESET_NOTES.values())


def test_the_good_preset_is_how_the_shipped_model_was_trained():
    named = {"backbone": "tf_efficientnet_lite0", "image_size": 224, "hidden": 0, "flip": False, "mixup": 0.4}
    more = {"batch_size": 32, "ema": 0.99, "alpha": 0.7, "temperature": 1.0, "dropout": 0.5, "epochs": 14}
    good = of_preset("good")
    assert {key: good[key] for key in (*named, *more)} == named | more
    assert (good["backbone_lr"], good["lr"], good["augment"]) == (1.0, 1e-3, "design")


def test_the_quick_preset_is_small_in_all_that_takes_time():
    quick, default = make_config({"data": "a", **of_preset("quick")}), make_config({"data": "a"})
    assert (quick.image_size, quick.epochs) == (96, 5)
    assert (default.image_size, default.epochs) == (224, 50)


def test_choices_and_limits_of_a_setting():
    assert choices_of("augment") == ("none", "light", "design")
    assert choices_of("lr") == choices_of("backbone") == ()
    assert (limits_of("lr"), limits_of("dropout"), limits_of("name")) == (
        {"gt": 0, "le": 10},
        {"ge": 0, "lt": 1},
        {},
    )
