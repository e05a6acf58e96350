"""Start the app: Streamlit with the settings that come with X-Lite, from whatever folder."""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, NoReturn

import typer

from xlite.access.addresses import check_app_address, check_port
from xlite.errors import RunError
from xlite.extras import demand
from xlite.places import bundled


def app(
    options: Annotated[
        list[str] | None,
        typer.Argument(metavar="[STREAMLIT OPTIONS]", help="Passed on: --server.port 8502, for example"),
    ] = None,
) -> None:
    """Open the app in the browser.

    Takes the options of `streamlit run`. The app answers on this machine only, by its names and those in
    $XLITE_HOSTS; with XLITE_PUBLIC=1 it may answer on other addresses. Runs lie in the current folder, or in
    $XLITE_HOME.
    """
    words, environment = options or [], os.environ | unset_settings(os.environ)
    # The app itself checks again what Streamlit made of options, variables and files.
    check_app_address(asked("server.address", words, environment))
    if port := asked_port(words, environment):
        check_port("localhost", port)
    demand("app")
    hand_over(["-m", "streamlit", "run", str(bundled("app", "Home.py")), *words], environment)


def unset_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The settings of .streamlit/config.toml that the environment does not set, as Streamlit's variables.

    Streamlit itself reads that file from the current folder only, which need not be X-Lite's.
    """
    with bundled(".streamlit", "config.toml").open("rb") as file:
        settings = dict(_flat(tomllib.load(file)))
    return {name: value for name, value in settings.items() if name not in environment}


def _flat(table: Mapping[str, Any], prefix: str = "STREAMLIT") -> Iterator[tuple[str, str]]:
    """Each value of nested tables: `server.maxUploadSize = 64` is STREAMLIT_SERVER_MAX_UPLOAD_SIZE, "64"."""
    for key, value in table.items():
        name = f"{prefix}_{re.sub('(?=[A-Z])', '_', key).upper()}"
        if isinstance(value, Mapping):
            yield from _flat(value, name)
        else:
            yield name, value if isinstance(value, str) else json.dumps(value)


def asked_port(words: Sequence[str], environment: Mapping[str, str]) -> int | None:
    """The port that options or environment ask for; None if Streamlit is to look for a free one.

    Raises RunError if it is not a number.
    """
    port = asked("server.port", words, environment)
    if port and not port.isdecimal():
        raise RunError(f"--server.port is {port!r}; expected a whole number")
    return int(port) if port else None


def asked(option: str, words: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """What the last of the options of that name says, else its variable; None if neither is there."""
    said = re.findall(rf"(?:^|\n)--{re.escape(option)}[=\n](.*)", "\n".join(words))
    return said[-1] if said else environment.get(f"STREAMLIT_{option.replace('.', '_').upper()}")


def hand_over(words: Sequence[str], environment: Mapping[str, str] | None = None) -> NoReturn:
    """Runs `python WORDS…` in this process's place, so that whoever ends it ends the server."""
    command = [sys.executable, *words]
    if os.name == "posix":
        os.execve(sys.executable, command, environment or os.environ)
    raise typer.Exit(subprocess.call(command, env=environment))
