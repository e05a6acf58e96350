"""`xlite app`: which Streamlit it becomes, with which settings."""

import socket
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from streamlit import config as streamlit

from xlite.cli import app, run
from xlite.places import bundled


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], Mapping[str, str]]]:
    """What would have run in this process's place: its words and its environment."""
    calls: list[tuple[list[str], Mapping[str, str]]] = []
    monkeypatch.setattr(app, "hand_over", lambda words, environment=None: calls.append((words, environment)))
    monkeypatch.delenv("STREAMLIT_SERVER_PORT", raising=False)
    return calls


def test_streamlit_gets_the_entry_script_and_every_option(
    started: list[tuple[list[str], Mapping[str, str]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["app", "--server.headless", "true", "--theme.base=light"]) == 0
    [(words, environment)] = started
    assert words[:3] == ["-m", "streamlit", "run"]
    assert Path(words[3]) == bundled("app", "Home.py") and Path(words[3]).is_file()
    assert words[4:] == ["--server.headless", "true", "--theme.base=light"]
    assert environment["STREAMLIT_SERVER_ADDRESS"] == "localhost"


def test_each_setting_of_the_file_reaches_streamlit_under_its_own_name() -> None:
    settings = app.unset_settings({})
    options = {option.env_var: key for key, option in streamlit.get_config_options().items()}
    assert set(settings) <= set(options)
    file = tomllib.loads(bundled(".streamlit", "config.toml").read_text())
    assert len(settings) == count(file)
    assert settings["STREAMLIT_SERVER_MAX_UPLOAD_SIZE"] == "64"
    assert settings["STREAMLIT_BROWSER_GATHER_USAGE_STATS"] == "false"
    assert settings["STREAMLIT_THEME_DARK_SIDEBAR_BACKGROUND_COLOR"] == "#0c1014"
    assert settings["STREAMLIT_THEME_HEADING_FONT_WEIGHTS"] == "[600, 600, 600]"


def count(table: Mapping[str, object]) -> int:
    """How many values tables inside tables have."""
    return sum(count(value) if isinstance(value, dict) else 1 for value in table.values())


def test_what_the_environment_sets_stays() -> None:
    assert "STREAMLIT_SERVER_ADDRESS" not in app.unset_settings({"STREAMLIT_SERVER_ADDRESS": "0.0.0.0"})


@pytest.mark.parametrize("form", ["--server.port {}", "--server.port={}", ""])
def test_a_port_in_use_is_refused(
    started: list[tuple[list[str], Mapping[str, str]]],
    form: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        if not form:
            monkeypatch.setenv("STREAMLIT_SERVER_PORT", str(port))
        assert run(["app", *form.format(port).split()]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("Error: ") and err.count("\n") == 1 and f":{port} " in err
    assert started == []


@pytest.mark.slow
@pytest.mark.parametrize("form", ["--server.address {}", "--server.address={}", ""])
@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1", "box", "unix:///tmp/app.sock"])
def test_an_address_that_others_reach_is_refused_unless_its_owner_opens_it(
    started: list[tuple[list[str], Mapping[str, str]]],
    form: str,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("XLITE_PUBLIC", raising=False)
    if not form:
        monkeypatch.setenv("STREAMLIT_SERVER_ADDRESS", address)
    words = form.format(address).split()
    assert run(["app", *words]) == 2
    assert started == [] and capsys.readouterr().err == (
        f"Error: the app would answer on {address}, and whoever reaches it can start and delete runs: "
        "start it with --server.address localhost, or set XLITE_PUBLIC=1 for one that only reads\n"
    )
    assert run(["app", *words, "--server.address", "127.0.0.1"]) == 0
    monkeypatch.setenv("XLITE_PUBLIC", "1")
    assert run(["app", *words]) == 0
    assert len(started) == 2


def test_a_port_that_is_no_number_is_refused(
    started: list[tuple[list[str], Mapping[str, str]]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["app", "--server.port", "eight"]) == 2
    assert "--server.port is 'eight'" in capsys.readouterr().err
    assert started == []
