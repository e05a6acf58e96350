"""The errors a user can cause: one plain sentence with the value, what was expected, what to do."""

import errno
import os
import reprlib
from collections.abc import Callable, Iterable
from typing import Self

from pydantic_core import ValidationError
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

_SHOWN = 80
"""Characters of a wrong value that are shown."""


class Setting(str):
    """A setting of a run, by its field's name, as a word of an error: an option here, a title on a page."""

    __slots__ = ()

    @property
    def option(self) -> str:
        """The setting as one types it: `--batch-size`."""
        return as_option(self)


class Option(str):
    """An option of a command that is not a setting of a run, as a word of an error: `--radiologists` here.

    `field_title` is what a page calls it.
    """

    __slots__ = ("field_title",)
    field_title: str

    def __new__(cls, option: str, field_title: str) -> Self:
        """The option as one types it, and its field title."""
        word = super().__new__(cls, option)
        word.field_title = field_title
        return word

    @property
    def option(self) -> str:
        """The option as one types it."""
        return str.__str__(self)


def as_option(setting: str) -> str:
    """A setting's option of the command line: `batch_size` is `--batch-size`."""
    return f"--{setting.replace('_', '-')}"


class XliteError(Exception):
    """Bad input from outside: commands and pages print its message and nothing else.

    `XliteError(Setting("batch_size"), " 30 must be a multiple of 4")`: the words of the message in order,
    with settings and options among them as such, so that a page can call them by their field titles.
    """

    def __init__(self, *words: str):
        super().__init__(*words)
        self.words = words

    def __str__(self) -> str:
        return self.message(lambda word: word.option)

    def message(self, name: Callable[[Setting | Option], str]) -> str:
        """The message with its settings and options called as `name` calls them."""
        return "".join(name(word) if isinstance(word, Setting | Option) else word for word in self.words)

    @property
    def settings(self) -> tuple[str, ...]:
        """The fields of the settings that the message names."""
        return tuple(str.__str__(word) for word in self.words if isinstance(word, Setting))


class ImageError(XliteError):
    """A film that cannot be read."""


class DataError(XliteError):
    """A data folder, table, list or predictions file that is not what it should be."""


class CheckpointError(XliteError):
    """A model file, run or set of weights that cannot be loaded."""


class RunError(XliteError):
    """A run that cannot be created, started, stopped or resumed."""


def words_of(error: BaseException) -> tuple[str, ...]:
    """The words of an error's message, to be told as part of another: settings stay settings."""
    return error.words if isinstance(error, XliteError) else (str(error),)


class NamedSetting(TypedDict):
    """A setting as a word of a message that JSON keeps, by its field."""

    setting: str


def words_as_json(words: Iterable[str]) -> list[str | NamedSetting]:
    """The words of a message as JSON keeps them: a setting is `{"setting": its field}`."""
    return [{"setting": str.__str__(word)} if isinstance(word, Setting) else word for word in words]


def words_from_json(kept: Iterable[str | NamedSetting]) -> tuple[str, ...]:
    """The words that `words_as_json` has written."""
    return tuple(word if isinstance(word, str) else Setting(word["setting"]) for word in kept)


def objection(error: ValidationError, show: bool = True) -> str:
    """The first value that is not what it should be, and what was expected.

    show: whether the value is shown, cut short; no secret and nothing of a person must be.
    """
    first = error.errors(include_url=False)[0]
    if first["type"] == "value_error":
        return str(first["ctx"]["error"])  # our own words, which name the field
    field, expected = ".".join(map(str, first["loc"])), first["msg"]
    if not field or first["type"] == "json_invalid":
        return expected
    if first["type"] == "missing":
        return f"{field} is missing"
    value = f" is {_short(first['input'])}" if show else ""
    return f"{field:.80}{value}: {expected[0].lower()}{expected[1:]}"


def _short(value: object) -> str:
    """The beginning of what a value looks like, without spelling all of it out first."""
    shown = reprlib.Repr()
    shown.maxstring = _SHOWN
    return shown.repr(value)[:_SHOWN]


def sentence(error: BaseException, file: str | os.PathLike[str] = "") -> str:
    """An error in one sentence: the user's own, what a check objects to, the system's, or the kind and words.

    `file` is named in place of the system's, which may be a temporary one.
    """
    if isinstance(error, XliteError):
        return str(error)
    if isinstance(error, ValidationError):
        return objection(error)
    if not isinstance(error, OSError):
        return f"{type(error).__name__}: {error}"
    name = os.fspath(file) or error.filename
    file = f" {name}" if name else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full, so{file or ' a file'} could not be written: free some space and try again"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"no permission to use{file or ' a file'}: {error.strerror}"
    return f"{error.strerror or error}{':' if file else ''}{file}"
