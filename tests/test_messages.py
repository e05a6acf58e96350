"""Messages in the words of a page: settings by their field titles, with a capital letter."""

import pytest

from xlite.config import TrainConfig, make_config
from xlite.errors import DataError, RunError, Setting, retold, words_of
from xlite.messages import field_title, headline, in_field_titles, page_sentence


def test_every_setting_has_a_title_of_its_own():
    titles = [field_title(name) for name in TrainConfig.model_fields]
    assert len(set(titles)) == len(titles)
    assert [text for text in titles if not text[0].isupper() or "_" in text] == []


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (DataError("30 are gone; add ", Setting("skip_missing")), "30 are gone; add “Skip missing films”"),
        (
            DataError("use 'patient', or ", Setting("allow_leakage")),
            "Use 'patient', or “Allow shared patients”",
        ),
        (DataError(Setting("alpha"), " is 1.5"), "“Alpha” is 1.5"),
        (DataError("waits, and --alpha is text here"), "Waits, and --alpha is text here"),
        (DataError("give this one another --study"), "Give this one another --study"),
        (DataError("film.png has 20.0 MB"), "film.png has 20.0 MB"),
        (PermissionError(13, "Permission denied", "x"), "No permission to use x: Permission denied"),
    ],
)
def test_a_page_shows_field_titles_instead_of_options(error: BaseException, sentence: str):
    assert page_sentence(error) == sentence


def test_a_message_that_was_kept_as_text_has_its_settings_again() -> None:
    error = RunError(Setting("teacher_list"), " needs ", Setting("teacher"), ", not --teachers")
    words = retold(str(error), error.settings)
    assert words == ("teacher_list", " needs ", "teacher", ", not --teachers")
    assert str(RunError(*words)) == str(error) == "--teacher-list needs --teacher, not --teachers"
    assert retold("nothing is named", ()) == ("nothing is named",)
    kept = in_field_titles("go on with --skip-missing or --alpha", ["skip_missing"])
    assert kept == "go on with “Skip missing films” or --alpha"
    said = headline("night", "failed", "--lr is 20", ["lr"])
    assert said == "**night** :red-badge[failed] “Learning rate” is 20"


def test_an_error_within_an_error_keeps_its_settings() -> None:
    with pytest.raises(RunError) as caught:
        make_config({"data": "films", "batch_size": 1})
    outer = RunError("the settings cannot be read: ", *words_of(caught.value))
    assert (outer.settings, caught.value.settings) == (("batch_size",), ("batch_size",))
    assert str(outer).endswith("--batch-size is 1; expected a whole number, at least 2 and at most 65536")
    assert words_of(ValueError("no object")) == ("no object",)
