"""What the tests of federations share: Flower quiet, certificates, clients that misbehave, and processes."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

pytest.importorskip("flwr", reason="Flower is not installed here (pip install 'xlite-cxr[federated]')")

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flwr.app import Array, ArrayRecord, ConfigRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

from xlite.federated.node import Node

STUDENT = {
    "backbone": "test_resnet.r160_in1k", "weights": "none", "image_size": 32, "batch_size": 8, "hidden": 16,
    "seed": 5,
}  # fmt: skip
"""A student that trains in a moment."""


def options(values: dict[str, object]) -> list[str]:
    """Settings as one types them."""
    return [word for name, value in values.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of the loopback and its key, as docs/FEDERATED.md makes them."""
    certificate, key = folder / "server.pem", folder / "server.key"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj /CN=localhost"
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    command = ["openssl", *words.split(), "-addext", names, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


def make_key(path: Path) -> Path:
    """A client's key at `path`, its public half beside it as .pub, as docs/FEDERATED.md makes them."""
    key = ec.generate_private_key(ec.SECP384R1())
    openssh = serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, *openssh))
    public = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    path.with_suffix(".pub").write_bytes(key.public_key().public_bytes(*public))
    return path


def xlite(*words: object, log: Path) -> "subprocess.Popen[bytes]":
    """A command line in a process of its own, its output appended to a file."""
    command = [sys.executable, "-m", "xlite", *map(str, words)]
    with log.open("ab") as out:
        return subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | {"OMP_NUM_THREADS": "1"})


def app_that_replies(
    name: str,
    train: Callable[[ArrayRecord, int], ArrayRecord],
    films: int = 10,
    judge: Callable[[int], float] = lambda number: 0.5,
) -> ClientApp:
    """A client without films or torch: `train` makes its weights of the server's and the round.

    judge: its validation loss after a round. `failed` of the app: why the federation failed, as it was told.
    """
    app = ClientApp()

    @app.query("hello")
    def hello(message: Message, context: Context) -> Message:
        config = ConfigRecord({"name": name, "films": films, "phantoms": True})
        return Message(RecordDict({"config": config}), reply_to=message)

    @app.train()
    def trained(message: Message, context: Context) -> Message:
        arrays = train(message.content["arrays"], int(message.content["config"]["server-round"]))
        metrics = MetricRecord({"num-examples": films, "loss": [0.5], "of its own": 1.0})
        return Message(RecordDict({"arrays": arrays, "metrics": metrics}), reply_to=message)

    @app.evaluate()
    def judged(message: Message, context: Context) -> Message:
        loss = judge(int(message.content["config"]["server-round"]))
        metrics = MetricRecord({"num-examples": films, "val_loss": loss, "val_auc": 0.5})
        return Message(RecordDict({"metrics": metrics}), reply_to=message)

    @app.query("end")
    def end(message: Message, context: Context) -> Message:
        app.ended, app.failed = True, message.content["config"].get("failed", "")
        return Message(RecordDict({"config": ConfigRecord({"name": name})}), reply_to=message)

    app.ended, app.failed = False, ""
    return app


def changed(arrays: ArrayRecord, change: Callable[[np.ndarray], np.ndarray]) -> ArrayRecord:
    """The arrays with one of them changed."""
    name = next(iter(arrays))
    return ArrayRecord({**arrays, name: Array(change(arrays[name].numpy().copy()))})


@contextmanager
def taking_part(server: str, authority: Path, apps: Mapping[Path, ClientApp]):  # noqa: ANN201
    """Clients in threads of this process, by their keys, over HTTPS; they end with the federation."""
    threads = [
        Thread(
            target=Node(server, authority, key, patience_s=600).run,
            args=(app, lambda app=app: app.ended),
            daemon=True,
        )
        for key, app in apps.items()
    ]
    for thread in threads:
        thread.start()
    yield threads
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
