"""The state that pages share."""

import ast
from pathlib import Path

from xlite.config import TrainConfig
from xlite.serving.address import KEYS, absent, keep, taken_out, unknown


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


def test_a_link_outranks_the_page_left_which_stands_before_it_in_the_address():
    asked = "data=films&film=old&section=Curves&amounts=1&amounts=2&film=asked+for&model=tiny&utm=x"
    session = {"film": "old", "section": "Curves", "amounts": ["1", "2"]}
    found = taken_out(asked, {"data": "films"}, session, back=False)
    assert found == {"film": "asked for", "section": "Curves", "model": "tiny"}


def test_an_address_that_back_reached_is_given_back_whole():
    asked = "film=&amounts=1&amounts=2&model=tiny&utm=x"
    found = taken_out(asked, {}, {"model": "new", "amounts": ["3"]}, back=True)
    assert found == {"film": "", "amounts": ["1", "2"], "model": "tiny"}
    assert taken_out(asked, dict.fromkeys(KEYS, ""), {}, back=True) == {}


def test_only_what_the_address_asks_for_in_vain_is_unknown():
    names = ["first", "second"]
    assert unknown({"run": "doesnotexist"}, "run", names) == "doesnotexist"
    assert unknown({"run": "second"}, "run", names) is None
    assert unknown({"run": ""}, "run", names) is None
    assert unknown({"study": "doesnotexist"}, "run", names) is None


def test_every_name_of_an_address_says_what_it_is():
    assert all(KEYS.values())
    assert all(key.isidentifier() for key in KEYS)


def test_no_button_has_a_name_of_an_address():
    """Pages set these again for widgets that they do not draw, which Streamlit refuses for a button."""
    buttons = {"button", "download_button", "form_submit_button", "file_uploader", "chat_input"}
    root = Path(__file__).resolve().parents[2]
    found = [
        (path.name, argument.value.value)
        for path in (*root.glob("app/*.py"), *root.glob("pages/*.py"))
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in buttons
        for argument in call.keywords
        if argument.arg == "key" and isinstance(argument.value, ast.Constant)
    ]
    assert len(found) >= 4
    assert [one for one in found if one[1] in KEYS] == []


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
