"""Messages in the words of a page: settings by their field titles, with a capital letter."""

import pytest

from xlite.config import TrainConfig, make_config
from xlite.errors import DataError, RunError, Setting, words_as_json, words_of
from xlite.messages import as_code, field_title, headline, in_field_titles, literal, page_sentence, said
from xlite.runs.status import RunStatus, message_of


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


def test_a_kept_message_is_shown_in_field_titles() -> None:
    words = ("go on with ", Setting("skip_missing"), " or --alpha")
    assert in_field_titles(words) == "go on with “Skip missing films” or --alpha"
    said = headline("night", "failed", RunStatus(words=words_as_json((Setting("lr"), " is 20"))).said)
    assert said == "**night** :red-badge[failed] “Learning rate” is 20"
    assert headline("night", "stopped", RunStatus(message="interrupted").said).endswith(" interrupted")


def test_an_error_within_an_error_keeps_its_settings() -> None:
    with pytest.raises(RunError) as caught:
        make_config({"data": "films", "batch_size": 1})
    outer = RunError("the settings cannot be read: ", *words_of(caught.value))
    assert (outer.settings, caught.value.settings) == (("batch_size",), ("batch_size",))
    assert str(outer).endswith("--batch-size is 1; expected a whole number, at least 2 and at most 65536")
    assert words_of(ValueError("no object")) == ("no object",)


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("00000001_000.png", "00000001_000.png"),
        ("/data/my_films/a.b-c.png: bad", "/data/my_films/a.b-c.png: bad"),
        ("_a_ **b** `c` ~d~", r"\_a\_ \*\*b\*\* \`c\` \~d\~"),
        ("![x](https:evil.example)", r"!\[x\](https\:evil.example)"),
        ("<img src=x onerror=y>", r"\<img src=x onerror=y\>"),
        ("$x^2$ :red[y] :blue-badge[z]", r"\$x^2\$ \:red\[y\] \:blue-badge\[z\]"),
        ("http://evil.example", "http:\u2060//evil.example"),
        ("www.evil.example", "www\u2060.evil.example"),
        ("a@evil.example", "a\u2060@evil.example"),
        (":skull: :material/home:", ":\u2060skull: :\u2060material/home:"),
        ("C:\\films|12:30", r"C:\\films\|12:30"),
        ("&lt; & so", r"\&lt; & so"),
        ("# a", r"\# a"),
        ("- a", r"\- a"),
        ("12. a", r"12\. a"),
        ("12.5 a", "12.5 a"),
        ("a\n\n# b\n---", r"a # b ---"),
        ("a\x1b[31m\u202eb\udcff", r"a\\x1b\[31m\\u202eb\\udcff"),
    ],
)
def test_text_from_outside_is_no_markdown(text: str, markdown: str) -> None:
    assert literal(text) == markdown


def test_a_path_is_code_whatever_it_holds() -> None:
    assert as_code("/data/*a*") == "`/data/*a*`"
    assert as_code("a` ![x](y) `b``c") == "``` a` ![x](y) `b``c ```"


def test_only_the_commands_of_a_sentence_are_marked() -> None:
    assert said("go on with `xlite jobs *`, or *not*") == r"go on with `xlite jobs *`, or \*not\*"
    assert said("no `pair") == r"no \`pair"
    assert said("``a`` `b`") == r"\`\`a\`\` \`b\`"
    assert page_sentence(DataError("film *a* is $bad$")) == r"Film \*a\* is \$bad\$"
    assert (
        headline("a", "finished", RunStatus(**message_of("finished", " after 3 epochs")).said)
        == "**a** :blue-badge[finished] after 3 epochs"
    )
    assert headline("a", "finished", ("finished after 3 epochs",)).endswith("] finished after 3 epochs")
    assert headline("a*b", "queued", "waits *") == r"**a\*b** :blue-badge[queued] waits \*"
