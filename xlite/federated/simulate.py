"""A federation in one process: the same clients and rounds, without a network between them."""

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

from flwr.app import Context, Message, RecordDict
from flwr.clientapp import ClientApp
from flwr.common.constant import SUPERLINK_NODE_ID
from flwr.supercore.task_identity import TaskIdentity

from xlite.data.joined import open_data
from xlite.data.split_files import load_split
from xlite.errors import RunError
from xlite.federated.client import Client
from xlite.federated.dealing import Deal, deal_out, not_labelled, write_clients
from xlite.federated.federation import PLAN_FILE
from xlite.federated.local import Own, noting_start, preprocess_of
from xlite.federated.plan import Plan
from xlite.federated.record import Progress, Record
from xlite.federated.rounds import federate
from xlite.federated.sentences import after_rounds
from xlite.federated.server import begin_with, go_on
from xlite.federated.simulation import Simulation, clients_of, new_simulation
from xlite.models.available import MODEL_FILE
from xlite.models.checkpoint import save_model
from xlite.models.student import Student
from xlite.runs.device_queue import device_turn
from xlite.runs.run import Run
from xlite.runs.status import message_of
from xlite.text import counted
from xlite.training.fabric import open_fabric, usable_devices
from xlite.training.finish import finish
from xlite.training.job import open_job
from xlite.training.loop import Stopped
from xlite.training.training_data import check_input

log = logging.getLogger(__name__)


class InOneProcess:
    """Carries messages to the apps of this process, one after the other; nobody is slow, and nobody goes.

    progress: called with how many of a round's clients have answered, and how many there are.
    """

    def __init__(
        self, apps: Mapping[int, ClientApp], progress: Callable[[int, int], None] = lambda done, total: None
    ):
        self.apps, self.progress = apps, progress
        TaskIdentity.run_id, TaskIdentity.node_id, TaskIdentity.task_id = 1, SUPERLINK_NODE_ID, 1

    def connected(self) -> dict[int, str]:
        """All clients, who have been there from the beginning."""
        return dict.fromkeys(self.apps, "")

    def send_and_receive(self, messages: Sequence[Message], timeout: float) -> dict[int, Message]:
        """Each client's reply; what it raises is raised."""
        asked = {message.metadata.dst_node_id: message for message in messages}
        replies: dict[int, Message] = {}
        for node, message in asked.items():
            self.progress(len(replies), len(asked))
            replies[node] = self.apps[node](message, Context(1, node, {}, RecordDict(), {}))
        return replies


def simulate(name: str, values: dict[str, Any], deal: Deal) -> Run:
    """Deals a folder's patients out to clients, and has them train together; returns the run of the whole.

    values: fields of the plan, settings of the student, `data`, `split`, `device` and `weights`. Each client
    is a data folder in the run's folder, and a run NAME-1, NAME-2 …; the run NAME is judged on the test part
    of the whole folder, unless batch norms stay with the clients.
    """
    run = new_simulation(name, values, deal)
    carry_out(run)
    return run


def carry_out(run: Run) -> None:
    """Carries a simulation out from wherever its folder stands, once the device is free.

    If it is asked to stop it gives up the round that it is in, and can go on later.
    """
    config = run.config()
    devices = usable_devices(config.device)[:1]
    with run.hold(), device_turn(run, devices, before_waiting=partial(check_input, config)) as taken:
        run.update_progress(unit="round")
        if not taken:
            run.update_progress(state="stopped", **message_of("stopped", " before its turn came"))
            return
        try:
            _carry_out(run, taken[0].name)
        except Stopped:
            ended = counted(run.status().epoch, "round")
            run.update_progress(
                state="stopped", **message_of("stopped", f" after {ended}; resume goes on from there")
            )
        log.info("Run %s: %s", run.name, run.status().message)


def _carry_out(run: Run, device: str) -> None:
    record, student = _begun(run)
    record.device = device
    plan, config = record.plan, run.config()

    def heed() -> None:
        if run.stop_requested():
            raise Stopped

    def progress(done: int, total: int) -> None:
        heed()
        run.update_progress(step=done, steps=total)

    with ExitStack() as stack:
        apps = {}
        for place, path in enumerate(clients_of(run), 1):
            own = Own(f"{run.name}-{place}", path, config.split, config.device)
            _reopen(own.name)
            client = stack.enter_context(Client(own, heed))
            apps[place] = client.app
        run.update_progress(state="running", message="opening the clients' films")
        try:
            now, _ = federate(InOneProcess(apps, progress), plan, student, record)
        except Stopped:
            stack.close()  # without an error, so that clients are stopped, and have not failed
            raise
    if plan.norms != "local":
        record.report(now, "judging the best round on the test part")
        _judge_whole(run, plan, student, now)
    record.report(now, "finished", f" {after_rounds(now.rows, now.state.epoch)}", doing="finished")


def _begun(run: Run) -> tuple[Record, Student]:
    """The record and student of a simulation, whose clients are dealt out when it begins.

    Its plan.json is written last of all that it begins with.
    """
    if run.path(PLAN_FILE).exists():
        return go_on(run.name)
    config, found = run.config(), Simulation.of(run)
    run.update_progress(state="running", message="dealing patients out to clients")
    plan, student = begin_with(found.plan, config.weights)
    folder = open_data(config.data)
    split = load_split(folder, config.split)
    dealt = deal_out(folder, split, plan.clients, found.deal, config.seed)
    shutil.rmtree(run.path("clients"), ignore_errors=True)
    lacking = not_labelled(plan.clients, found.deal, config.seed)
    write_clients(folder, split, dealt, run.path("clients"), lacking)
    record = Record(run.folder, plan)
    record.begin(student)
    return record, student


def _reopen(name: str) -> None:
    """Has a client that ended before the whole did end once more."""
    try:
        run = Run.named(name)
    except RunError:
        return
    if run.is_client() and run.status().state == "finished":
        run.update_progress(state="stopped", message="waits for its simulation")


def _judge_whole(run: Run, plan: Plan, student: Student, now: Progress) -> None:
    """Fits thresholds on the whole folder's validation part, and judges the student on its test part."""
    config = run.config()
    fabric = open_fabric(config, usable_devices(config.device)[0].name)
    job = open_job(config, preprocess_of(plan), lambda done, total: None)
    save_model(run.path(MODEL_FILE), student, noting_start(job.info, plan).noting(epoch=now.state.best_epoch))
    finish(job, run, fabric.device)
