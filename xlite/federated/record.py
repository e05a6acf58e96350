"""What a federation leaves on its server after each round: tables, the state to go on from, the model."""

import logging
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from flwr.app import ArrayRecord

from xlite.errors import RunError
from xlite.federated.arrays import as_tensors, from_tensors
from xlite.federated.federation import COLUMNS, PLAN_FILE, ROUNDS_FILE, Federation
from xlite.federated.local import round_status
from xlite.federated.plan import Plan
from xlite.files import write_atomic
from xlite.models.available import MODEL_FILE
from xlite.models.checkpoint import save_model
from xlite.models.info import ModelInfo
from xlite.models.student import Student
from xlite.runs.run_files import EPOCHS_FILE
from xlite.runs.status import State as WorkState
from xlite.training.state import State, reading_state, write_state

log = logging.getLogger(__name__)

STATE_FILE, START_FILE = "server.ckpt", "start.ckpt"


@dataclass
class Progress:
    """Where a federation stands: its rounds as a run's epochs, what each client did, and the weights now."""

    arrays: ArrayRecord
    state: State = field(default_factory=State)
    best: ArrayRecord | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)
    moments: dict[str, dict[str, torch.Tensor]] = field(default_factory=dict)


class Record:
    """Reads and writes a federation's folder. `plan` must be the one that it began with.

    device: what its clients train on, if they are all here.
    """

    def __init__(self, folder: Path, plan: Plan, device: str = ""):
        self.folder, self.plan, self.device = folder, plan, device
        self.federation = Federation(folder)

    def begin(self, student: Student) -> None:
        """Notes the weights that it begins with, and the plan, which says that it has begun."""
        write_state(self.folder / START_FILE, {"model": student.state_dict()})
        write_atomic(self.folder / PLAN_FILE, self.plan.model_dump_json(indent=1).encode() + b"\n")

    def load_start(self, student: Student) -> None:
        """Gives the student the weights that it began with."""
        with reading_state(self.folder / START_FILE) as content:
            student.load_state_dict(content["model"])

    def kept(self) -> Progress | None:
        """Where it stood after its last round; None before the first. RunError if the plan is another one."""
        path = self.folder / STATE_FILE
        if not path.exists():
            return None
        with reading_state(path) as content:
            if Plan.read(content["plan"]) != self.plan:
                raise RunError(f"{self.folder.name!r} began with another plan: put its plan.json back")
            return Progress(
                from_tensors(content["arrays"]),
                State(**content["state"]),
                from_tensors(content["best"]),
                content["rows"],
                content["moments"],
            )

    def end_round(self, now: Progress, row: dict[str, float]) -> None:
        """Counts a round and saves: the state first, which the tables follow."""
        if now.state.add(row) or now.best is None:
            now.best = now.arrays
        content = {
            "plan": self.plan.model_dump_json(),
            "arrays": as_tensors(now.arrays),
            "best": as_tensors(now.best),
            "state": asdict(now.state),
            "rows": now.rows,
            "moments": now.moments,
        }
        write_state(self.folder / STATE_FILE, content)
        self.write_tables(now)

    def report(self, now: Progress, *words: str, doing: WorkState = "running") -> None:
        """Says what it does now."""
        status = round_status(now.state, self.plan, doing, *words)
        self.federation.write_progress(status.model_copy(update={"device": self.device}))

    def write_tables(self, now: Progress) -> None:
        """rounds.csv and metrics.csv as the state has them."""
        tables = {
            EPOCHS_FILE: pd.DataFrame(now.state.rows),  # before the rounds, which a page draws with it
            ROUNDS_FILE: pd.DataFrame(now.rows, columns=COLUMNS),
        }
        for name, table in tables.items():
            write_atomic(self.folder / name, table.to_csv(index=False, lineterminator="\n").encode())

    def write_model(self, student: Student, info: ModelInfo) -> None:
        """The student as a model file; nothing was fitted to it, as a server has no films."""
        save_model(self.folder / MODEL_FILE, student, info)
