"""`xlite bench` and `xlite share`."""

import json
import os
import socket
from pathlib import Path

import pytest
from command_line import Command, child

from xlite.places import checkpoints_dir

pytestmark = pytest.mark.slow


def test_bench_says_what_a_model_costs(xlite: Command, model: str) -> None:
    status, out, _ = xlite("bench", model, "--json")
    answer = json.loads(out)
    size = (checkpoints_dir() / model / "model.safetensors").stat().st_size
    assert (status, answer["model"], answer["image_size"]) == (0, "demo", 64)
    assert (answer["megabytes"], answer["engine"]) == (round(size / 1e6, 2), "torch")
    assert 0 < answer["latency_p50_ms"] <= answer["latency_p95_ms"]


def test_bench_times_the_engine_that_reads(xlite: Command, exported: tuple[Path, Path]) -> None:
    source, export = exported
    status, out, _ = xlite("bench", export, "--json")
    answer = json.loads(out)
    size = round(export.stat().st_size / 1e6, 2)
    assert (status, answer["engine"], answer["megabytes"]) == (0, "onnxruntime", size)
    assert 0 < answer["latency_p50_ms"] <= answer["latency_p95_ms"]
    costs = ("image_size", "parameters", "multiply_adds")
    _, out, _ = xlite("bench", source, "--json")
    assert [json.loads(out)[name] for name in costs] == [answer[name] for name in costs]
    _, out, _ = xlite("bench", export)
    assert out.splitlines()[0].split()[:2] == ["model", "engine"] and "onnxruntime" in out


def test_share_refuses_a_port_in_use_and_a_short_password(model: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = child("share", model, "--port", taken.getsockname()[1])
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "in use" in done.stderr
    done = child("share", model, "--public", env={**os.environ, "XLITE_PASSWORD": "short"})
    assert (done.returncode, done.stderr) == (
        2,
        "Error: the password has 5 characters: use 12 or more, so that nobody guesses it\n",
    )


def test_share_takes_no_password_from_the_command_line(xlite: Command, model: str) -> None:
    status, out, err = xlite("share", model, "--public", "--password", "correct horse battery")
    assert (status, out) == (2, "")
    assert err == (
        "Error: a password on the command line can be read in `ps` by everybody here: leave its value away "
        "to be asked for it, or use --password-file FILE or the variable XLITE_PASSWORD\n"
    )
    status, _, err = xlite("share", model, "--password=correct horse battery")
    assert status == 2 and "'--password' does not take a value" in err
    status, _, err = xlite("share", model, "another")
    assert (status, err) == (2, "Error: share serves one model; got 'another' too\n")
