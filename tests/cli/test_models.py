"""`xlite bench` and `xlite share`."""

import json
import socket

from command_line import Command, child

from xlite.places import checkpoints_dir


def test_bench_says_what_a_model_costs(xlite: Command, model: str) -> None:
    status, out, _ = xlite("bench", model, "--json")
    answer = json.loads(out)
    size = (checkpoints_dir() / model / "model.safetensors").stat().st_size
    assert (status, answer["model"], answer["image_size"]) == (0, "demo", 64)
    assert answer["megabytes"] == round(size / 1e6, 2)
    assert 0 < answer["latency_p50_ms"] <= answer["latency_p95_ms"]


def test_share_refuses_a_port_in_use_and_a_short_password(model: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = child("share", model, "--port", taken.getsockname()[1])
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "in use" in done.stderr
    done = child("share", model, "--public", "--password", "short")
    assert done.returncode == 2
    assert "12" in done.stderr
