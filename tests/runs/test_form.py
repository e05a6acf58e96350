"""The form of a run without Streamlit."""

from xlite.config import TrainConfig, choices_of
from xlite.presets import PRESETS, settings_of
from xlite.runs import form


def test_every_setting_is_in_the_form_once():
    shown = [*form.SHORT, *(name for names in form.groups().values() for name in names)]
    assert sorted(shown) == sorted(set(TrainConfig.model_fields) - {"data"})


def test_each_choice_has_words_of_its_own():
    for name in TrainConfig.model_fields:
        words = [form.choice(value) for value in choices_of(name)]
        assert len(set(words)) == len(words)
    assert (form.teacher_choice(""), form.teacher_choice("demo")) == ("No teacher", "demo")


def test_presets_set_what_any_of_them_names_and_the_rest_is_at_its_default():
    assert set(form.OF_PRESETS) == {name for preset in PRESETS.values() for name in preset}
    quick = settings_of("quick")
    assert {name: quick[name] for name in ("epochs", "image_size", "lr", "teacher")} == {
        "epochs": 5,
        "image_size": 96,
        "lr": 1e-3,
        "teacher": "",
    }
    assert all(type(quick[name]) is type(settings_of("")[name]) for name in quick)


def test_what_an_address_cannot_mean_is_said_and_nothing_else():
    said = [str(error) for error in form.not_meant({"epochs": "many", "flip": "maybe", "loss": "hinge"})]
    assert said == [
        "the address asks for --loss 'hinge': expected one of Plain BCE, Weighted BCE, Focal, Weighted focal",
        "the address asks for --flip 'maybe': expected true or false",
        "the address asks for --epochs 'many': expected a number",
    ]
    meant = {"epochs": "12", "lr": "1e-4", "flip": "false", "loss": "Focal", "backbone": "any", "run": "?"}
    assert form.not_meant(meant) == []


def test_an_address_that_says_something_of_the_form_means_to_show_it():
    assert not form.is_asked_for({"data": "films", "run": "night", "kind": "Search"})
    assert form.is_asked_for({"epochs": "3"}) and form.is_asked_for({"preset": "?"})
    assert form.is_asked_for({"kind": "Search"}, "kind")
