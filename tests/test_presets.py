"""Presets: settings of a run that go together."""

import pytest

from xlite.config import TrainConfig, make_config
from xlite.errors import RunError
from xlite.messages import page_sentence
from xlite.presets import PRESET_NOTES, PRESET_TITLES, PRESETS, of_preset


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
    with pytest.raises(RunError, match="--preset is 'best'; expected one of design") as refused:
        of_preset("best")
    assert page_sentence(refused.value) == "“Begin with” is 'best'; expected one of design, quick, good"


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
