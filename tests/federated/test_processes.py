"""Real processes over HTTPS on the loopback, and all that can go wrong between them."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from federations import (
    STUDENT,
    app_that_replies,
    changed,
    make_certificate,
    make_key,
    options,
    taking_part,
    xlite,
)
from noise_folder import write_noise_folder
from servers import free_port

from xlite.models.checkpoint import load_model
from xlite.runs.run import Run

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(1800)]


def await_true(what: Callable[[], bool], log: Path, seconds: float = 400) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.2)


def test_a_federation_goes_on_whatever_happens_to_its_clients_and_its_server(own_home: Path, tmp_path: Path):
    """Four clients with keys: one is a process that is killed and started again by the same command, one is
    too slow, one sends NaN and then other shapes, one is good. The server is killed later, and resumed.
    """
    films = write_noise_folder(tmp_path / "north", patients=40)
    certificate, key = make_certificate(tmp_path)
    port, log = free_port(), tmp_path / "server.log"
    rounds_csv = own_home / "checkpoints" / "four" / "rounds.csv"
    serve = ["federate", "server", "--port", port, "--certificate", certificate, "--key", key]
    keys = {name: make_key(tmp_path / name) for name in ("client", "good", "slow", "bad")}
    for client_key in keys.values():
        serve += ["--member", client_key.with_suffix(".pub")]
    plan = {**STUDENT, "rounds": 4, "clients": 4, "deadline": 40}
    server = xlite(*serve, "--name", "four", *options(plan), log=log)
    await_true(lambda: "Waits for clients" in log.read_text(), log)
    join = ["federate", "client", "--data", films, "--server", f"127.0.0.1:{port}", "--name", "north"]
    join += ["--ca", certificate, "--key", keys["client"], "--device", "cpu"]
    north_log = tmp_path / "north.log"
    north = xlite(*join, log=north_log)

    def rounds() -> int:
        return int(pd.read_csv(rounds_csv)["round"].max()) if rounds_csv.exists() else 0

    def slowly(arrays, number):
        time.sleep(60 if number == 1 else 0)
        return arrays

    def badly(arrays, number):
        if number > 2:
            return arrays
        return changed(arrays, lambda values: values * np.nan if number == 1 else values[:1])

    train = {"good": lambda arrays, number: arrays, "slow": slowly, "bad": badly}
    apps = {keys[name]: app_that_replies(name, trained) for name, trained in train.items()}
    try:
        with taking_part(f"127.0.0.1:{port}", certificate, apps):
            await_true(lambda: rounds() >= 1, log)
            north.kill()
            north.wait()
            north = xlite(*join, log=north_log)
            await_true(lambda: rounds() >= 3, log)
            server.kill()
            server.wait()
            server = xlite(*serve, "--resume", "four", log=log)
            assert server.wait(400) == 0, log.read_text()
        assert north.wait(200) == 0, north_log.read_text()
    finally:
        for process in (server, north):
            process.kill()
            process.wait()
    assert "has not judged the weights" not in log.read_text()
    table = pd.read_csv(rounds_csv, keep_default_na=False)
    refused = {(row.round, row.client): row.refused for row in table.itertuples() if row.refused}
    assert sorted(table["round"].unique()) == [1, 2, 3, 4]
    assert refused[1, "slow"] == "no reply within 40 s"
    assert "NaN or infinite" in refused[1, "bad"]
    assert "of shape" in refused[2, "bad"]
    assert refused.keys() == {(1, "slow"), (1, "bad"), (2, "bad"), (2, "north")}, table
    student, info = load_model(own_home / "checkpoints" / "four" / "model.safetensors")
    assert all(np.isfinite(tensor.numpy()).all() for tensor in student.state_dict().values())
    assert info.notes.trained_on.endswith("of 4 clients") and info.thresholds is None
    run = Run.named("north")
    assert run.status().state == "finished" and run.evaluation("test").is_dir()


def test_noise_that_destroys_the_weights_ends_server_and_client_in_the_same_sentence(
    own_home: Path, tmp_path: Path
):
    """The server went on, and the client ended in a traceback or waited for it in vain."""
    films = write_noise_folder(tmp_path / "north", patients=40)
    certificate, key = make_certificate(tmp_path)
    port, logs = free_port(), [tmp_path / "server.log", tmp_path / "client.log"]
    plan = {**STUDENT, "rounds": 2, "clients": 1, "norms": "frozen", "dp_epsilon": 0.5}
    serve = ["federate", "server", "--port", port, "--certificate", certificate, "--key", key]
    serve += ["--name", "noisy"]
    server = xlite(*serve, *options(plan), log=logs[0])
    await_true(lambda: "Waits for clients" in logs[0].read_text(), logs[0])
    join = ["federate", "client", "--data", films, "--server", f"127.0.0.1:{port}", "--name", "north"]
    client = xlite(*join, "--ca", certificate, "--device", "cpu", log=logs[1])
    try:
        ends = [process.wait(400) for process in (server, client)]
    finally:
        for process in (server, client):
            process.kill()
            process.wait()
    for log in logs:
        said = log.read_text()
        assert "the noise destroyed the weights: those after round 1 give NaN for the" in said, said
        assert "Traceback" not in said and "epsilon 0.5 (delta 1e-05) is a guarantee" in said
    assert ends == [2, 2]
    assert Run.named("north").status().state == "failed"
