"""Federated distillation: clients say of public films what they see, and the server's student learns it.

Each client trains a student of its own, of any backbone; weights stay with it. Its answers are a predictions
file, so the server's run is an ordinary one with several teachers, whose answers are averaged.
"""

import logging
from pathlib import Path
from typing import Any

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Message, RecordDict

from xlite.data.folder import NihFolder
from xlite.data.joined import open_data
from xlite.data.predictions import write_predictions
from xlite.errors import RunError
from xlite.federated.arrays import ARRAYS, why_failed
from xlite.federated.client import ANSWER, CONFIG, PROBABILITIES
from xlite.federated.plan import Plan, make_plan
from xlite.federated.rounds import Grid, Members
from xlite.findings import FINDINGS
from xlite.places import check_run_name, federations_dir
from xlite.runs.run import Run
from xlite.text import counted
from xlite.training.loop import train

log = logging.getLogger(__name__)


def plan_to_distil(values: dict[str, Any], public: Path) -> Plan:
    """A plan of one round, in which clients train `rounds` × `local_epochs` epochs and send answers."""
    plan = make_plan({**values, "strategy": "distil"})
    known = {"public": open_data(public).fingerprint(), "rounds": 1, "local_epochs": plan.epochs}
    return plan.model_copy(update=known)


def distil(grid: Grid, plan: Plan, name: str, public: Path, weights: str) -> Run:
    """Collects the clients' answers, and trains the run `name` on the public films by them.

    Answers that are none are refused by name. RunError if none is left.
    """
    folder = open_data(public)
    members = Members(grid, plan, ArrayRecord())
    members.gather()
    nodes = members.get_node_ids()
    messages = [Message(RecordDict({CONFIG: ConfigRecord({})}), node, ANSWER) for node in nodes]
    replies = grid.send_and_receive(messages, plan.deadline)
    files = []
    for member in sorted((members.known[node] for node in nodes), key=lambda one: one.name):
        reply = replies.get(member.node)
        why = answer_refusal(reply, folder) if reply else f"no reply within {plan.deadline:g} s"
        if reply is None or why:
            log.warning(f"Warning: {member.name} is left out: {why}")
            continue
        path = federations_dir() / check_run_name(name) / f"{check_run_name(member.name)}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        said = reply.content
        write_predictions(path, said[CONFIG]["images"], said[ARRAYS][PROBABILITIES].numpy())
        files.append(str(path))
        log.info(f"{member.name} says of {counted(len(said[CONFIG]['images']), 'public film')}")
    if not files:
        raise RunError("no client sent answers, so there is nothing to learn from")
    taught = {"weights": weights, "teacher": ",".join(files), "alpha": 1.0, "name": name}
    run = Run.create(plan.config(public, **taught))
    train(run.config(), run)
    return run


def answer_refusal(reply: Message, folder: NihFolder) -> str:
    """Why a client's answers must not be learned from; empty if they may."""
    if reply.has_error():
        return why_failed(reply)
    config, arrays = reply.content.config_records.get(CONFIG), reply.content.array_records.get(ARRAYS)
    if config is None or arrays is None or PROBABILITIES not in arrays:
        return "it sent no answers"
    expected = folder.names([stem for stem in folder.table["stem"].tolist() if stem in folder.paths])
    if config.get("images") != expected:
        return "it answers for other films than the public ones"
    try:
        values = arrays[PROBABILITIES].numpy()
    except (TypeError, ValueError, EOFError, OSError) as error:  # numpy's, of bytes that are not an array
        return f"its answers cannot be read ({error!s:.80})"
    if values.shape != (len(expected), len(FINDINGS)) or values.dtype != np.float32:
        shape = len(expected), len(FINDINGS)
        return f"its answers are {values.dtype} of shape {values.shape}, expected float32 of {shape}"
    if not ((values >= 0) & (values <= 1)).all():  # NaN is neither
        return "its answers are not all probabilities, 0-1"
    return ""
