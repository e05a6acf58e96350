"""The state that pages share."""

from xlite.config import TrainConfig
from xlite.serving.address import KEYS, absent, keep, unknown


class Forgetful(dict[str, object]):
    """Session state that notes what was set, as Streamlit keeps only what a script sets."""

    def __init__(self, **values: object):
        super().__init__(values)
        self.set_again: dict[str, object] = {}

    def __setitem__(self, key: str, value: object) -> None:
        self.set_again[key] = value
        super().__setitem__(key, value)


def test_the_values_of_the_address_are_set_again_and_no_others():
    session = Forgetful(data="films", run="first", uploads=["film"])
    keep(session)
    assert session.set_again == {"data": "films", "run": "first"}


def test_only_what_the_address_asks_for_in_vain_is_unknown():
    names = ["first", "second"]
    assert unknown({"run": "doesnotexist"}, "run", names) == "doesnotexist"
    assert unknown({"run": "second"}, "run", names) is None
    assert unknown({"run": ""}, "run", names) is None
    assert unknown({"study": "doesnotexist"}, "run", names) is None


def test_every_name_of_an_address_says_what_it_is():
    assert all(KEYS.values())
    assert all(key.isidentifier() for key in KEYS)


def test_what_is_asked_for_in_vain_is_named():
    assert absent("model", "old") == "the model 'old' is asked for, and it is not here"
    assert absent("run", "a", "b") == "the runs 'a' and 'b' are asked for, and they are not here"


def test_every_setting_of_a_run_is_in_the_address_under_its_own_name_and_with_that_meaning_alone():
    planned = "of the runs that the forms plan: "
    for name, field in TrainConfig.model_fields.items():
        meaning = KEYS[name]
        assert meaning == ("the data folder" if name == "data" else f"{planned}{field.title}")
    assert [name for name, meaning in KEYS.items() if meaning.startswith(planned)] == [
        name for name in TrainConfig.model_fields if name != "data"
    ]
