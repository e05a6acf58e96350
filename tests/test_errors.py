"""Errors in one sentence: settings as words of it, the system's errors with the file, and nothing twice."""

import errno
import json
from typing import Literal

import pytest
from pydantic import BaseModel, ValidationError, field_validator

from xlite.errors import (
    CheckpointError,
    DataError,
    Option,
    RunError,
    Setting,
    XliteError,
    objection,
    sentence,
    words_as_json,
    words_from_json,
    words_of,
)
from xlite.messages import in_words


@pytest.mark.parametrize("kind", [CheckpointError, DataError, RunError])
def test_settings_are_options_on_a_command_line_and_whatever_a_page_calls_them(
    kind: type[XliteError],
) -> None:
    error = kind(Setting("batch_size"), " 30 is not a multiple of ", Setting("devices"))
    assert str(error) == "--batch-size 30 is not a multiple of --devices"
    assert error.message(str.upper) == "BATCH_SIZE 30 is not a multiple of DEVICES"
    assert error.settings == ("batch_size", "devices")
    assert all(type(name) is str for name in error.settings)


def test_an_option_that_is_no_setting_of_a_run_has_the_title_of_its_field_with_it() -> None:
    error = DataError("leave ", Option("--radiologists", "Radiologists' labels"), " out")
    assert (str(error), error.settings) == ("leave --radiologists out", ())
    assert in_words(error) == "Leave “Radiologists' labels” out"
    assert words_from_json(json.loads(json.dumps(words_as_json(error.words)))) == (
        "leave ",
        "--radiologists",
        " out",
    )


def test_an_option_in_plain_words_is_no_setting() -> None:
    error = RunError("--study is text")
    assert (str(error), error.settings) == ("--study is text", ())


def test_words_come_back_from_json_with_their_settings() -> None:
    words = (Setting("teacher_list"), " needs ", Setting("teacher"), ", not --teachers")
    kept = json.loads(json.dumps(words_as_json(words)))
    assert kept == [{"setting": "teacher_list"}, " needs ", {"setting": "teacher"}, ", not --teachers"]
    assert XliteError(*words_from_json(kept)).settings == ("teacher_list", "teacher")
    assert str(XliteError(*words_from_json(kept))) == "--teacher-list needs --teacher, not --teachers"


def test_words_of_an_error_are_its_own_or_its_text() -> None:
    assert words_of(DataError("a ", Setting("lr"))) == ("a ", "lr")
    assert words_of(ValueError("b")) == ("b",)


@pytest.mark.parametrize(
    ("error", "file", "parts"),
    [
        (DataError("3 films are missing"), "x.png", ["3 films are missing"]),
        (OSError(errno.ENOSPC, "No space left", "draft.tmp"), "last.ckpt", ["disk is full", "last.ckpt"]),
        (OSError(errno.EACCES, "Permission denied", "a.csv"), "", ["no permission", "a.csv"]),
        (OSError(errno.EIO, "Input/output error"), "", ["Input/output error"]),
        (OSError(errno.EIO, "Input/output error", "a.csv"), "", ["Input/output error", "a.csv"]),
        (ZeroDivisionError("division by zero"), "a.csv", ["ZeroDivisionError", "division by zero"]),
    ],
)
def test_any_error_is_one_sentence(error: BaseException, file: str, parts: list[str]) -> None:
    said = sentence(error, file)
    assert [part for part in parts if part not in said] == []
    assert "draft.tmp" not in said and "\n" not in said


class _File(BaseModel):
    films: int
    name: Literal["a"] = "a"

    @field_validator("films")
    @classmethod
    def _some(cls, films: int) -> int:
        if not films:
            raise ValueError("no films are in it")
        return films


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{", "Invalid JSON: EOF while parsing an object at line 1 column 1"),
        ("[]", "Input should be an object"),
        ("{}", "films is missing"),
        ('{"films": "many"}', "films is 'many': input should be a valid integer"),
        ('{"films": 0}', "no films are in it"),
        ('{"films": 1, "name": "b"}', "name is 'b': input should be 'a'"),
    ],
)
def test_what_is_wrong_with_a_file_is_its_first_wrong_value(content: str, expected: str) -> None:
    with pytest.raises(ValidationError) as refused:
        _File.model_validate_json(content)
    assert objection(refused.value).startswith(expected)
    assert sentence(refused.value) == objection(refused.value)
