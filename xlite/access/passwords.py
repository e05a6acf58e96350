"""The password of a demo: where it is read from, and which ones anybody would guess."""

import os
import re

from xlite.access.addresses import is_loopback
from xlite.access.secrets import Secret
from xlite.errors import RunError

USER = "guest"
MIN_PASSWORD = 12
PASSWORD = Secret("password", "XLITE_PASSWORD", "Password for visitors: ")
_LEFT, _DISTINCT = 8, 5
"""So many characters, so many of them different, must be left of a password without its known pieces."""
_WORDS = f"""
xlite x-lite {USER} password passwort pass secret admin administrator root user private login letmein welcome
changeme default demo test hello iloveyou master access dragon monkey football baseball basketball superman
batman sunshine princess shadow michael jordan charlie trustno whatever starwars computer internet forever
jesus money love summer winter spring autumn manchester liverpool united christopher alexander professional
unbelievable thunderstorm skateboarding hospital radiology medical doctor xray x-ray chest gradio share public
"""
"""Words that lists of the commonest passwords are made of, and those that X-Lite itself suggests."""
_ROWS = """
abcdefghijklmnopqrstuvwxyz 01234567890 13579 02468 !@#$%^&*()_+
qwertyuiop qwertzuiop azertyuiop asdfghjkl zxcvbnm yxcvbnm qazwsxedcrfvtgbyhnujmikolp
1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p 1q2w3e4r5t6y7u8i9o0p q1w2e3r4t5y6u7i8o9p0
1a2b3c4d5e6f7g8h9i0j a1b2c3d4e5f6g7h8i9j0
"""
"""Alphabet, digits and ways over a keyboard; people walk them forwards and backwards."""
_SWAPS = (str.maketrans("", ""), str.maketrans("@431!0$57", "aaeiiosst"), str.maketrans("1", "l"))
"""Signs and digits that people write for letters."""


def read_password(file: str | None, typed: str | None) -> str | None:
    """The password from a file's first line, the terminal, or XLITE_PASSWORD; None if there is none.

    `typed` is what follows --password: "" asks for it. Raises RunError if it is more, if there is no terminal
    to ask, or if the file cannot be read.
    """
    # Taken out of it: what the demo starts, such as Gradio's tunnel, need not know it.
    return PASSWORD.read(file, typed, os.environ.pop("XLITE_PASSWORD", None))


def check_access(host: str, public: bool, password: str | None) -> None:
    """Raises RunError if strangers could reach a demo without a good password."""
    check_secret(PASSWORD, "a demo", public or not is_loopback(host), password, MIN_PASSWORD)


def check_secret(secret: Secret, server: str, opened: bool, said: str | None, least: int) -> None:
    """Raises RunError if a server that others can reach has no secret, or if one of any server is weak."""
    if opened and not said:
        raise RunError(
            f"{server} that others can reach needs --{secret.noun} with {least} characters or more: "
            f"{secret.ways}"
        )
    if said is not None and len(said) < least:
        raise RunError(
            f"the {secret.noun} has {len(said)} characters: use {least} or more, so that nobody guesses it"
        )
    if said is not None and is_trivial(said):
        raise RunError(
            f"the {secret.noun} is easily guessed, made of repeats, sequences or common words: "
            "use three words that have nothing to do with each other, or random characters"
        )


def is_trivial(password: str) -> bool:
    """Whether a password repeats itself, or little is left of it without sequences and common words."""
    lower = password.lower()
    periods = range(1, min(MIN_PASSWORD, len(lower) // 2 + 1))
    left = _unknown(_without_doubles(lower))
    return any(lower.startswith(lower[period:]) for period in periods) or (
        len(left) < _LEFT or len(set(left)) < _DISTINCT
    )


def _unknown(text: str) -> str:
    """The characters that belong to no common word and to no three of a row."""
    known = {
        row[at : at + 3] for one in _ROWS.split() for row in (one, one[::-1]) for at in range(len(row) - 2)
    }
    known |= {_without_doubles(word) for word in _WORDS.split()}
    covered: set[int] = set()
    for spelling in (text.translate(swap) for swap in _SWAPS):
        for piece in known:
            for found in re.finditer(f"(?={re.escape(piece)})", spelling):
                covered |= set(range(found.start(), found.start() + len(piece)))
    return "".join(char for at, char in enumerate(text) if at not in covered)


def _without_doubles(text: str) -> str:
    return re.sub(r"(.)\1+", r"\1", text)
