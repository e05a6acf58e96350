"""A demo's password: where it comes from, and which ones are refused."""

import getpass
import os
import sys
from pathlib import Path

import pytest

from xlite.access.addresses import HOST
from xlite.access.passwords import MIN_PASSWORD, check_access, is_trivial, read_password
from xlite.errors import RunError

GOOD = "correct horse battery"
WAYS = "leave its value away to be asked for it, or use --password-file FILE or the variable XLITE_PASSWORD"


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XLITE_PASSWORD", raising=False)


@pytest.mark.parametrize(("host", "public"), [(HOST, False), (HOST, True), ("0.0.0.0", False)])
def test_a_good_password_opens_every_door(host: str, public: bool) -> None:
    check_access(host, public, GOOD)


@pytest.mark.parametrize(("host", "public"), [(HOST, True), ("0.0.0.0", False)])
@pytest.mark.parametrize("password", [None, ""])
def test_strangers_need_a_password(host: str, public: bool, password: str | None) -> None:
    with pytest.raises(RunError) as refusal:
        check_access(host, public, password)
    assert str(refusal.value) == (
        f"a demo that others can reach needs --password with {MIN_PASSWORD} characters or more: {WAYS}"
    )


def test_without_strangers_no_password_is_needed_but_a_short_one_is_refused() -> None:
    check_access(HOST, False, None)
    with pytest.raises(RunError, match=f"{MIN_PASSWORD - 1} characters: use {MIN_PASSWORD}"):
        check_access(HOST, False, "x" * (MIN_PASSWORD - 1))


TRIVIAL = """
aaaaaaaaaaaa aaaaaaaaaaab abcabcabcabc Winter2025Winter2025 112233445566 000000000000 !@#$%^&*()_+
123456789012 987654321098 abcdefghijkl qwertyuiop12 poiuytrewq21 asdfghjkl123 12345678910111213
1q2w3e4r5t6y zaq12wsxcde3 1qaz2wsx3edc abcd1234efgh
password1234 P@ssw0rd!2024 passwordpassword letmein12345 iloveyou1234 thisisapassword administrator
manchesterunited summer2024!! trustno1trustno1 adm1n-adm1n-1
xlite1234567 xlite-xlite-xlite X-Lite-X-Lite-1 xlite-demo-password xlite-share-2025
guestguest12 guest-password Guest2025!!!
"""


@pytest.mark.parametrize("password", TRIVIAL.split())
def test_what_anybody_guesses_is_refused(password: str) -> None:
    with pytest.raises(RunError, match="^the password is easily guessed"):
        check_access(HOST, False, password)


@pytest.mark.parametrize(
    "password",
    [
        *(GOOD, "violin-amber-canyon", "blue-xlite-horse", "kein-haus-am-meer", "ñandú-río-cañón"),
        *("xK7pQ2mN9vL4", "839204751626", "Zq8!rT2#mW5&", "elevenchars!"),
    ],
)
def test_what_nobody_guesses_is_taken(password: str) -> None:
    assert not is_trivial(password)


def test_a_password_is_read_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_password(None, None) is None
    monkeypatch.setenv("XLITE_PASSWORD", "from the environment")
    assert read_password(None, None) == "from the environment"
    assert "XLITE_PASSWORD" not in os.environ
    file = tmp_path / "password"
    file.write_bytes(b" from a file \r\nnot this\n")
    assert read_password(str(file), None) == " from a file "


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_one_sentence(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(RunError, match="^the password cannot be read from ") as refusal:
        read_password(str(file), None)
    assert "\n" not in str(refusal.value)


def test_a_password_is_asked_for_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getpass", lambda question: f"typed at {question!r}")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    assert read_password(None, "") == "typed at 'Password for visitors: '"
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    with pytest.raises(RunError) as refusal:
        read_password(None, "")
    assert str(refusal.value) == f"there is no terminal to ask for the password: {WAYS}"


def test_a_password_in_the_command_line_is_refused() -> None:
    with pytest.raises(RunError) as refusal:
        read_password(None, GOOD)
    assert str(refusal.value) == (
        f"a password on the command line can be read in `ps` by everybody here: {WAYS}"
    )
