"""Folders of federations as a server or a simulation leaves them, without Flower."""

from pathlib import Path
from typing import Any

import pandas as pd

from xlite.federated.dealing import Deal
from xlite.federated.federation import COLUMNS, PLAN_FILE, ROUNDS_FILE
from xlite.federated.plan import make_plan
from xlite.federated.simulation import new_simulation
from xlite.places import checkpoints_dir
from xlite.runs.run import Run
from xlite.runs.run_files import EPOCHS_FILE

NAN_SENT = "head.weight has 432 values NaN or infinite"


def write_rounds(folder: Path, rounds: int = 2, refused: str = NAN_SENT) -> None:
    """Rounds of the clients `north` and `south`; of the first the reply of `south` is refused."""
    rows, metrics = [], []
    for number in range(1, rounds + 1):
        for client, auc in (("north", 0.5), ("south", 0.6)):
            why = refused if (number, client) == (1, "south") else ""
            loss = float("nan") if why else 0.7
            row = (number, client, 40, loss, 0.65, auc + number / 100, 2_000_000, 1_000_000, 1.5, why)
            rows.append(dict(zip(COLUMNS, row, strict=True)))
        row = {"epoch": number, "train_loss": 0.7, "val_loss": 0.65, "val_auc": 0.55 + number / 100}
        metrics.append({**row, "seconds": 3.0})
    pd.DataFrame(rows, columns=COLUMNS).to_csv(folder / ROUNDS_FILE, index=False)
    pd.DataFrame(metrics).to_csv(folder / EPOCHS_FILE, index=False)


def served(name: str = "three") -> Path:
    """The folder of a server that has begun."""
    folder = checkpoints_dir() / name
    folder.mkdir(parents=True)
    (folder / PLAN_FILE).write_text(make_plan({"rounds": 4}).model_dump_json())
    return folder


def simulated(data: Path, name: str = "sim", deal: Deal = Deal(), **values: Any) -> Run:  # noqa: B008
    """A simulation that was made, and not started."""
    return new_simulation(name, {"data": data, "rounds": 4, "clients": 2, **values}, deal)


def stand_in_python(folder: Path, *lines: str) -> str:
    """A program that stands for the Python of another environment."""
    path = folder / "python"
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return str(path)
