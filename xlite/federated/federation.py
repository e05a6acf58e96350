"""A federation as its folder, `checkpoints/<name>`: what it does, its rounds, its state. No torch, no Flower.

plan.json has what it does, rounds.csv a row for each round and client, metrics.csv one for each round. The
folder of a simulation is an ordinary run's as well; that of a server has no films, and so is none.
"""

import builtins
from io import BytesIO
from typing import TYPE_CHECKING

from xlite.errors import RunError
from xlite.federated.plan import Plan
from xlite.files import read_whole
from xlite.places import checkpoints_dir
from xlite.runs.run_files import EPOCHS_FILE, SETTINGS_FILE, read_epochs
from xlite.runs.status import LIVE, RunStatus
from xlite.runs.work_folder import WorkFolder

if TYPE_CHECKING:
    import pandas as pd

ROUNDS_FILE, PLAN_FILE = "rounds.csv", "plan.json"
COLUMNS = (
    "round", "client", "films", "loss", "val_loss", "val_auc", "bytes_received", "bytes_sent", "seconds",
    "refused",
)  # fmt: skip
"""Of rounds.csv: bytes as the client sees them; `refused` says why a round went on without it."""

_TYPES = {
    **dict.fromkeys(("client", "refused"), str),
    **dict.fromkeys(("round", "films", "bytes_received", "bytes_sent"), int),
}
"""The other columns have numbers, which may not be known."""


class Federation(WorkFolder[RunStatus]):
    """One federation; any number of processes may look at it."""

    kind, kinds, settings_file, depth = "federation", "federations", PLAN_FILE, 1
    status_type = RunStatus
    parent = staticmethod(checkpoints_dir)

    @classmethod
    def served(cls) -> "builtins.list[Federation]":
        """Those of servers, newest first; simulations are among the runs."""
        return [one for one in cls._all() if not one.path(SETTINGS_FILE).exists()]

    def plan(self) -> Plan:
        """What it does; RunError if plan.json cannot be read or is none."""
        try:
            return Plan.read(read_whole(self.path(PLAN_FILE)).decode())
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(f"the plan of federation {self.name!r} cannot be read: {error}") from error

    def rounds(self) -> "pd.DataFrame":
        """rounds.csv, with the columns of COLUMNS; empty before the first round has ended.

        `refused` is empty if nothing is wrong. RunError if the file is damaged.
        """
        import pandas as pd

        path = self.path(ROUNDS_FILE)
        try:
            table = pd.read_csv(
                BytesIO(read_whole(path)),
                dtype={name: _TYPES.get(name, float) for name in COLUMNS},
                keep_default_na=False,  # a client may be called NA
                na_values={name: ["", "nan"] for name in COLUMNS if name not in _TYPES},
            )
        except (FileNotFoundError, pd.errors.EmptyDataError):
            return pd.DataFrame(columns=[*COLUMNS])
        except (OSError, ValueError) as error:
            raise RunError(f"the rounds of {self.name!r} cannot be read from {path}: {error}") from error
        if missing := [name for name in COLUMNS if name not in table]:
            raise RunError(
                f"the rounds of {self.name!r} cannot be read from {path}: it has no column {missing[0]}"
            )
        return table

    def metrics(self) -> "pd.DataFrame":
        """metrics.csv, where each round is an epoch; empty before the first has ended."""
        return read_epochs(self.path(EPOCHS_FILE), self.name)

    def status(self) -> RunStatus:
        """What it does now, from progress.json and whether somebody holds the folder."""
        status = self.read_progress()
        if status.state in LIVE and not self.is_held():
            status = self.read_progress()  # it may have ended between the two looks
            if status.state in LIVE:
                told = f"the process died; `xlite federate server --resume {self.name}` goes on"
                return status.model_copy(update={"state": "killed", "message": told, "words": ()})
        return status

    def _resume_words(self) -> "builtins.list[str]":
        return ["federate", "server", "--resume", self.name]
