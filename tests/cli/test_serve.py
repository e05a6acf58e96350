"""`xlite serve`: what it hands over, and where a token must not stand."""

from pathlib import Path

import pytest
from command_line import Command

from xlite.cli import serve
from xlite.places import bundled

pytestmark = pytest.mark.slow

SCRIPT = str(bundled("app", "serve.py"))
TOKEN = "q7Zr2LwX9vKe4TgB"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The words that would have run in this process's place."""
    calls: list[list[str]] = []
    monkeypatch.setattr(serve, "hand_over", calls.append)
    return calls


def test_the_server_gets_every_word(xlite: Command, started: list[list[str]], own_home: Path) -> None:
    assert xlite("serve") == (0, "", "")
    words = ("serve", "one", "two.onnx", "--host", "::1", "--port", 8001, "--token-file", "file")
    assert xlite(*words) == (0, "", "")
    assert xlite("serve", "demo", "--token") == (0, "", "")
    assert started == [
        [SCRIPT, "--host", "127.0.0.1", "--port", "8000"],
        [SCRIPT, "one", "two.onnx", "--host", "::1", "--port", "8001", "--token-file", "file"],
        [SCRIPT, "demo", "--host", "127.0.0.1", "--port", "8000", "--token"],
    ]


def test_a_typed_token_is_refused_and_not_repeated(
    xlite: Command, started: list[list[str]], own_home: Path
) -> None:
    status, out, err = xlite("serve", "demo", "--token", TOKEN)
    assert (status, out, started) == (2, "", [])
    assert err == (
        "Error: a token on the command line can be read in `ps` by everybody here: leave its value away "
        "to be asked for it, or use --token-file FILE or the variable XLITE_TOKEN\n"
    )
    status, _, err = xlite("serve", f"--token={TOKEN}")
    assert status == 2 and "'--token' does not take a value" in err and TOKEN not in err
    status, _, err = xlite("serve", "--port", 70000)
    assert status == 2 and err.count("\n") == 1
