"""The API's token: where it comes from, and which are refused."""

from pathlib import Path

import pytest

from xlite.access.addresses import HOST
from xlite.access.tokens import MIN_TOKEN, check_token, read_token
from xlite.errors import RunError

GOOD = "q7Zr2LwX9vKe4TgB"


def test_it_comes_from_a_file_or_the_variable_which_is_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XLITE_TOKEN", raising=False)
    assert read_token(None, None) is None
    monkeypatch.setenv("XLITE_TOKEN", GOOD)
    assert (read_token(None, None), read_token(None, None)) == (GOOD, None)
    (tmp_path / "token").write_text(f"{GOOD}\nmore\n")
    assert read_token(str(tmp_path / "token"), None) == GOOD
    with pytest.raises(RunError, match="the token cannot be read from '.*no-such'"):
        read_token(str(tmp_path / "no-such"), None)
    with pytest.raises(
        RunError, match="a token on the command line can be read in `ps`.*--token-file FILE or"
    ):
        read_token(None, GOOD)
    with pytest.raises(RunError, match="there is no terminal to ask for the token"):
        read_token(None, "")


def test_a_server_that_others_reach_needs_a_good_one() -> None:
    check_token(HOST, None)
    check_token("0.0.0.0", GOOD)
    for host in ("0.0.0.0", "::", "192.0.2.1", "box"):
        with pytest.raises(
            RunError, match=f"an API that others can reach needs --token with {MIN_TOKEN} char"
        ):
            check_token(host, None)
        with pytest.raises(RunError, match="an API that others can reach needs"):
            check_token(host, "")
    for host in (HOST, "0.0.0.0"):
        with pytest.raises(RunError, match="the token has 15 characters: use 16 or more"):
            check_token(host, GOOD[:15])
        with pytest.raises(RunError, match="the token is easily guessed"):
            check_token(host, "xlite-token-12345678")
        with pytest.raises(RunError, match="the token holds spaces or special characters"):
            check_token(host, f"{GOOD} {GOOD}")
        with pytest.raises(RunError, match="the token holds spaces or special characters"):
            check_token(host, f"{GOOD}é")
