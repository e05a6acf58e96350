"""A federation in one process: the same clients and rounds, without a network between them."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from flwr.app import Context, Message, RecordDict
from flwr.clientapp import ClientApp
from flwr.common.constant import SUPERLINK_NODE_ID
from flwr.supercore.task_identity import TaskIdentity

from xlite.data.joined import open_data
from xlite.data.split_files import load_split
from xlite.federated.client import Client
from xlite.federated.local import Own, preprocess_of
from xlite.federated.partition import Deal, not_labelled, partition, write_clients
from xlite.federated.plan import Plan
from xlite.federated.record import Progress, Record
from xlite.federated.rounds import federate
from xlite.federated.server import plan_and_student
from xlite.models.available import MODEL_FILE
from xlite.models.checkpoint import save_model
from xlite.models.student import Student
from xlite.runs.run import Run
from xlite.runs.status import message_of
from xlite.training.fabric import open_fabric, usable_devices
from xlite.training.finish import finish
from xlite.training.job import open_job

log = logging.getLogger(__name__)


class InOneProcess:
    """Carries messages to the apps of this process, one after the other; nobody is slow, and nobody goes."""

    def __init__(self, apps: Mapping[int, ClientApp]):
        self.apps = apps
        TaskIdentity.run_id, TaskIdentity.node_id, TaskIdentity.task_id = 1, SUPERLINK_NODE_ID, 1

    def get_node_ids(self) -> list[int]:
        """The ids of all clients."""
        return list(self.apps)

    def send_and_receive(self, messages: Sequence[Message], timeout: float) -> dict[int, Message]:
        """Each client's reply; what it raises is raised."""
        asked = {message.metadata.dst_node_id: message for message in messages}
        return {
            node: self.apps[node](message, Context(1, node, {}, RecordDict(), {}))
            for node, message in asked.items()
        }


def simulate(name: str, values: dict[str, Any], deal: Deal) -> Run:
    """Deals a folder's patients out to clients, and has them train together; returns the run of the whole.

    values: fields of the plan, settings of the student, `data`, `split`, `device` and `weights`. Each client
    is a data folder in the run's folder, and a run NAME-1, NAME-2 …; the run NAME is judged on the test part
    of the whole folder, unless batch norms stay with the clients.
    """
    plan, student = plan_and_student(values)
    chosen = {key: values[key] for key in ("split", "device") if key in values}
    run = Run.create(plan.config(values["data"], name=name, weights="none", **chosen))
    with run.hold():
        config = run.config()
        folder = open_data(config.data)
        split = load_split(folder, config.split)
        dealt = partition(folder, split, plan.clients, deal, config.seed)
        lacking = not_labelled(plan.clients, deal, config.seed)
        folders = write_clients(folder, split, dealt, run.path("clients"), lacking)
        record = Record(run.folder, plan)
        record.begin()
        with ExitStack() as stack:
            apps = {}
            for place, path in enumerate(folders, 1):
                own = Own(f"{run.name}-{place}", path, split.name, config.device)
                apps[place] = stack.enter_context(Client(own)).app
            now, _ = federate(InOneProcess(apps), plan, student, record)
        if plan.norms != "local":
            _judge_whole(run, plan, student, now)
        run.update_progress(state="finished", **message_of("finished", f" after {now.state.epoch} rounds"))
    return run


def _judge_whole(run: Run, plan: Plan, student: Student, now: Progress) -> None:
    """Fits thresholds on the whole folder's validation part, and judges the student on its test part."""
    config = run.config()
    fabric = open_fabric(config, usable_devices(config.device)[0].name)
    job = open_job(config, preprocess_of(plan), lambda done, total: None)
    save_model(run.path(MODEL_FILE), student, job.info.noting(epoch=now.state.best_epoch))
    finish(job, run, fabric.device)
