"""A federation's server: the student that it begins with, its folder, its rounds, and its model."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlite import __version__
from xlite.access.addresses import check_port
from xlite.errors import RunError
from xlite.federated.distil import distil, plan_to_distil
from xlite.federated.federation import PLAN_FILE
from xlite.federated.fleet import read_keys, serving
from xlite.federated.local import noting_start, preprocess_of
from xlite.federated.plan import Plan, make_plan
from xlite.federated.record import Progress, Record
from xlite.federated.rounds import Member, federate
from xlite.federated.sentences import after_rounds
from xlite.files import read_whole
from xlite.models.available import MODEL_FILE
from xlite.models.info import ModelInfo, ModelNotes
from xlite.models.student import Student
from xlite.models.weights import load_start_weights
from xlite.places import check_run_name, checkpoints_dir
from xlite.runs.run import Run
from xlite.text import counted
from xlite.training.step import seed_all

log = logging.getLogger(__name__)

SPLIT, LABELS = "federated", "of each client"


@dataclass(frozen=True)
class ServerAddress:
    """Where a server is reached and what it shows: certificate and key, PEM; public keys of who may come."""

    host: str
    port: int
    certificate: Path
    key: Path
    members: Sequence[Path] = ()

    def check(self) -> None:
        """RunError if one of the files is none, or the port is taken: before a name is, for a federation."""
        check_port(self.host, self.port)
        read_keys(self.certificate, self.key, self.members)


def begin(name: str, values: dict[str, Any]) -> tuple[Record, Student]:
    """A new folder for a federation, and the student that it begins with.

    values: fields of its plan, settings of its student, and `weights`. RunError if the name is taken.
    """
    plan, student = begin_with(make_plan(values), values.get("weights", "imagenet"))
    folder = checkpoints_dir() / check_run_name(name)
    try:
        folder.mkdir(parents=True)
    except FileExistsError as error:
        raise RunError(
            f"{name!r} exists already: choose another --name, or go on with --resume {name}"
        ) from error
    record = Record(folder, plan)
    record.begin(student)
    return record, student


def begin_with(plan: Plan, weights: str) -> tuple[Plan, Student]:
    """The plan, with what the starting weights are and how they normalise, and the student that has them."""
    student = _student(plan)
    started = load_start_weights(student, weights)
    log.info(started.sentence)
    normalised = started.preprocess(plan.config(Path()).image_size)
    begun = {"started_from": started.noted, "start_public": started.public}
    return plan.model_copy(update={"mean": normalised.mean, "std": normalised.std, **begun}), student


def go_on(name: str) -> tuple[Record, Student]:
    """The folder of a federation that stopped, and the student that it began with; RunError without one."""
    folder = checkpoints_dir() / check_run_name(name)
    if not (folder / PLAN_FILE).is_file():
        raise RunError(f"there is no federation {name!r} in {folder.parent}")
    plan = Plan.read(read_whole(folder / PLAN_FILE).decode())
    record, student = Record(folder, plan), _student(plan)
    record.load_start(student)
    return record, student


def go_on_serving(name: str) -> tuple[Record, Student]:
    """As `go_on`; RunError if the federation is a simulation, which is served to nobody, or has finished."""
    record, student = go_on(name)
    Run(record.folder).refuse_simulation()
    if record.federation.status().state == "finished":
        raise RunError(f"federation {name!r} has finished: begin a new one to train on")
    return record, student


def serve(record: Record, student: Student, address: ServerAddress) -> None:
    """Serves clients until the last round, and leaves the model in the federation's folder."""
    plan, name = record.plan, record.folder.name
    with record.federation.hold():
        with serving(
            (address.host, address.port), address.certificate, address.key, address.members
        ) as fleet:
            log.info(f"Federation {name} at {address.host}:{address.port}: {counted(plan.rounds, 'round')}")
            now, members = federate(fleet, plan, student, record)
        if plan.norms == "local":
            log.info("Batch norms stay with the clients, so each has a model and the server none")
        else:
            record.write_model(student, model_info(record, now, members))
            log.info(
                f"Model: {record.folder / MODEL_FILE}; no thresholds: `xlite adapt` fits them to a folder"
            )
        record.report(now, "finished", f" {after_rounds(now.rows, now.state.epoch)}", doing="finished")


def serve_distillation(name: str, values: dict[str, Any], public: Path, address: ServerAddress) -> Run:
    """Serves clients until they have answered for the public films, and trains the run `name` by it."""
    plan = plan_to_distil(values, public)
    with serving((address.host, address.port), address.certificate, address.key, address.members) as fleet:
        log.info(f"Federation {name} at {address.host}:{address.port}: answers for public films")
        return distil(fleet, plan, name, public, str(values.get("weights", "imagenet")))


def model_info(record: Record, now: Progress, members: Sequence[Member]) -> ModelInfo:
    """What the model of a federation says of itself: no thresholds, as its server has no films."""
    config = record.plan.config(Path())
    films = sum(member.films for member in members)
    info = ModelInfo(
        backbone=config.backbone,
        attention=config.attention,
        hidden=config.hidden,
        dropout=config.dropout,
        stages=config.stages,
        preprocess=preprocess_of(record.plan),
        split_id=SPLIT,
        label_version=LABELS,
        notes=ModelNotes(
            run=record.folder.name,
            trained_on=f"{counted(films, 'film')} of {counted(len(members), 'client')}",
            phantoms=all(member.phantoms for member in members),
            loss=config.loss,
            sampler=config.sampler,
            seed=config.seed,
            epoch=now.state.best_epoch,
            epochs=now.state.epoch,
            xlite=__version__,
        ),
    )
    return noting_start(info, record.plan)


def _student(plan: Plan) -> Student:
    config = plan.config(Path())
    seed_all(config.seed, 0)
    return Student(config.backbone, config.attention, config.hidden, config.dropout, config.stages)
