"""A simulation as it is made and started: the folder of a run, with its plan beside its settings.

No torch, no Flower: pages start simulations in an environment that lacks Flower.
"""

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from xlite import __version__
from xlite.config import TrainConfig
from xlite.data.layout import data_roots
from xlite.errors import RunError, sentence
from xlite.extras import demand, missing
from xlite.federated.dealing import Deal
from xlite.federated.plan import OPTIONS, STUDENT, Plan, make_plan
from xlite.files import read_whole, write_atomic
from xlite.places import checkpoints_dir
from xlite.public import refuse_in_public
from xlite.runs.command import option_words, train_command
from xlite.runs.launch import FEDERATED_PYTHON, federated_python
from xlite.runs.run import Run
from xlite.runs.run_files import SIMULATION_FILE

OWN = ("data", "split", "device", "weights")
"""Settings of a run that a simulation takes beside those of its plan."""

_SAYS_VERSION = (
    "import sys, xlite; from importlib.util import find_spec; "
    "print(xlite.__version__) if find_spec('flwr') else sys.exit(1)"
)
"""Without importing Flower, which takes seconds."""

_ANSWERS_IN_S = 60.0


class Simulation(BaseModel):
    """What a simulation does beside the settings of its run; the plan has no normalisation yet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    plan: Plan
    deal: Deal = Deal()

    @classmethod
    def of(cls, run: Run) -> "Simulation":
        """What a run's simulation.json says; RunError if the run is not one, or the file is damaged."""
        path = run.path(SIMULATION_FILE)
        try:
            return cls.model_validate_json(read_whole(path))
        except FileNotFoundError as error:
            raise RunError(f"run {run.name!r} is not a simulation of a federation") from error
        except (OSError, ValidationError) as error:
            raise RunError(f"{path} is not what X-Lite writes: {sentence(error)}") from error


def config_of(plan: Plan, name: str, values: dict[str, Any]) -> TrainConfig:
    """The settings of the whole run under its plan, with OWN of `values`. RunError if one is wrong."""
    own = {key: values[key] for key in OWN if key in values and key != "data"}
    return plan.config(values["data"], name=name, **own)


def new_simulation(name: str, values: dict[str, Any], deal: Deal) -> Run:
    """Makes the folder of a simulation.

    RunError if the name, or one of those that its clients get, is taken, if what was chosen is not a plan, or
    if several folders are named: each of them is a client already.
    """
    plan = make_plan(values)
    config = config_of(plan, name, values)
    if len(data_roots(config.data)) > 1:
        raise RunError(f"{config.data} are several folders: a simulation deals out the patients of one")
    for place in range(1, plan.clients + 1):
        client = Run(checkpoints_dir() / f"{name}-{place}")
        if name and client.folder.exists() and not client.failed_untrained():
            raise RunError(
                f"there is a run {client.name!r}, as a client of this simulation would be called: choose "
                "another name, or delete that run"
            )
    run = Run.create(config)
    content = Simulation(plan=plan, deal=deal).model_dump_json(indent=1)
    write_atomic(run.path(SIMULATION_FILE), content.encode() + b"\n")
    return run


def start_simulation(name: str, values: dict[str, Any], deal: Deal) -> Run:
    """Makes a simulation and starts it in a process of the Python that has Flower.

    RunError in public, and as `new_simulation` and `Run.start`; nothing is left of one that did not start.
    """
    refuse_in_public("train models")
    run = new_simulation(name, values, deal)
    try:
        run.start()
    except (RunError, OSError):
        if run.status().state == "new":
            run.delete()
        raise
    return run


def simulate_command(name: str, values: dict[str, Any], deal: Deal) -> list[str]:
    """The command line that simulates so: all that is not at its default."""
    fields = {**OPTIONS, **{key: TrainConfig.model_fields[key] for key in (*OWN, *STUDENT)}}
    chosen = {key: values[key] for key in ("data", *fields) if key in values}
    words = [
        word
        for key, value in chosen.items()
        if fields[key].is_required() or value != fields[key].default
        for word in option_words(key, value)
    ]
    dealt = [] if deal.by == "evenly" else ["--by", deal.by]
    if deal.by == "prevalence" and deal.alpha != Deal.alpha:
        dealt += ["--dirichlet", f"{deal.alpha:g}"]
    if deal.labelled != Deal.labelled:
        dealt += ["--labelled", f"{deal.labelled:g}"]
    return ["xlite", "federate", "simulate", *option_words("name", name), *words, *dealt]


def command_of(run: Run) -> list[str]:
    """The command line that makes such a run again, simulation or not."""
    config = run.config()
    if not run.is_simulation():
        return train_command(config)
    found = Simulation.of(run)
    own = {key: getattr(config, key) for key in OWN}
    plan = {key: getattr(found.plan, key) for key in OPTIONS}
    return simulate_command(run.name, {**own, **plan, **found.plan.student}, found.deal)


def lacking_flower() -> str | None:
    """Why no simulation can run here, in a sentence with what to do; None if one can.

    Flower's pins do not go with those of all extras, so another Python may be named for it.
    """
    python = federated_python()
    if python == sys.executable:
        try:
            demand("federated")
        except ModuleNotFoundError as error:
            then = f"start the app with `{FEDERATED_PYTHON}=fed/bin/python`"
            return f"{missing(error, 'A simulation')}, and {then}"
        return None
    command = [python, "-c", _SAYS_VERSION]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=_ANSWERS_IN_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{FEDERATED_PYTHON} names {python}, which is not a Python that starts ({error})"
    pip = shlex.join([python, "-m", "pip", "install", ".[federated]"])
    if told.returncode:
        return f"{FEDERATED_PYTHON} names {python}, which lacks X-Lite or Flower: in a checkout, `{pip}`"
    if told.stdout.strip() != __version__:
        return (
            f"{FEDERATED_PYTHON} names {python}, which has X-Lite {told.stdout.strip()}, and this is "
            f"{__version__}: install the same there"
        )
    return None


def clients_of(run: Run) -> list[Path]:
    """The data folders of a simulation's clients, in order; none before they are dealt out."""
    return sorted(run.path("clients").glob("[0-9]*"), key=lambda path: int(path.name))
