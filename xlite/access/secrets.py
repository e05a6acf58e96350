"""What is read from a file, a terminal or a variable, and never from the command line: passwords, tokens."""

import getpass
import sys
from dataclasses import dataclass
from pathlib import Path

from xlite.errors import RunError, sentence

_LONGEST = 1000


@dataclass(frozen=True)
class Secret:
    """What a secret is called in sentences and options, its variable, and what a terminal is asked with."""

    noun: str
    variable: str
    prompt: str

    @property
    def ways(self) -> str:
        """Where it may come from."""
        return (
            f"leave its value away to be asked for it, or use --{self.noun}-file FILE or the variable "
            f"{self.variable}"
        )

    @property
    def typed(self) -> str:
        """Why it is refused on the command line."""
        return f"a {self.noun} on the command line can be read in `ps` by everybody here: {self.ways}"

    def read(self, file: str | None, typed: str | None, value: str | None) -> str | None:
        """The secret from a file's first line, the terminal, or its variable's `value`; None if none is.

        `typed` is what follows its option: "" asks for it. Raises RunError if it is more, if there is no
        terminal to ask, or if the file cannot be read.
        """
        if typed:
            raise RunError(self.typed)
        if file is not None:
            try:
                with Path(file).open(encoding="utf-8") as lines:
                    return lines.readline(_LONGEST).rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                raise RunError(f"the {self.noun} cannot be read from {file!r}: {sentence(error)}") from error
        if typed is None:
            return value or None
        if not sys.stdin.isatty():
            raise RunError(f"there is no terminal to ask for the {self.noun}: {self.ways}")
        try:
            return getpass.getpass(self.prompt)
        except EOFError as error:
            raise RunError(f"no {self.noun} was typed: {self.ways}") from error
