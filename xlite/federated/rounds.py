"""The rounds of a federation: weights out, replies in, those refused by name, the average, and again."""

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn, Protocol

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Message, MessageType, MetricRecord, RecordDict
from flwr.serverapp.strategy import FedAvg

from xlite import __version__
from xlite.errors import RunError
from xlite.federated.arrays import (
    ARRAYS,
    FILMS,
    REPLY,
    exchanged,
    load_record,
    refusal,
    size_of,
    to_record,
    why_failed,
)
from xlite.federated.client import CONFIG, END, FAILED, HELLO, ROUND, hello_value
from xlite.federated.plan import Plan
from xlite.federated.record import Progress, Record
from xlite.federated.sentences import after_rounds, destroyed, noise_sentence, nothing_taken
from xlite.federated.strategy import make_strategy, moments, next_weights, restore
from xlite.files import PLAIN_NAME
from xlite.models.student import Student
from xlite.text import as_cell, counted

log = logging.getLogger(__name__)

WAIT_S = 0.5


class Grid(Protocol):
    """What carries messages to clients: a fleet, or the clients of a simulation."""

    def connected(self) -> dict[int, str]:
        """The clients that are there now, by id: since when. Who has come back is there since then."""

    def send_and_receive(self, messages: Sequence[Message], timeout: float) -> dict[int, Message]:
        """The replies that come within `timeout` seconds, by client."""


@dataclass(frozen=True)
class Member:
    """A client that has joined: its id, the name that it gave, and how many films it trains on."""

    node: int
    name: str
    films: int
    phantoms: bool


@dataclass
class Members:
    """The clients that take part now; who comes, or comes back, is asked who it is and told the plan."""

    grid: Grid
    plan: Plan
    start: ArrayRecord
    """All weights and statistics that a client begins with."""
    known: dict[int, Member] = field(default_factory=dict)
    met: dict[int, str] = field(default_factory=dict)
    """Since when each was there that has said who it is, or was refused."""

    def get_node_ids(self) -> list[int]:
        """Those of a round, for Flower's strategies."""
        here = self.grid.connected()
        return [node for node in self.known if node in here and here[node] == self.met[node]]

    def gather(self, report: Callable[[str], None] = lambda sentence: None) -> None:
        """Waits until as many clients are there as the plan needs, and lets in all who came.

        report: told for how many it waits.
        """
        told = ""
        while True:
            here = self.grid.connected()
            self._admit({node: since for node, since in here.items() if self.met.get(node) != since})
            many = len(self.get_node_ids())
            if many >= self.plan.clients:
                return
            sentence = f"waits for clients ({many} of {self.plan.clients} here)"
            if sentence != told:
                log.info(sentence.capitalize())
                report(sentence)
                told = sentence
            time.sleep(WAIT_S)

    def _admit(self, came: Mapping[int, str]) -> None:
        config = ConfigRecord({"plan": self.plan.model_dump_json(), "xlite": __version__})
        content = RecordDict({ARRAYS: self.start, CONFIG: config})
        messages = [Message(content, node, HELLO) for node in came]
        for node, reply in self.grid.send_and_receive(messages, self.plan.deadline).items():
            self.met[node] = came[node]
            self.known.pop(node, None)
            name, films = hello_value(reply, "name"), hello_value(reply, "films")
            if not (
                isinstance(name, str) and PLAIN_NAME.fullmatch(name) and isinstance(films, int) and films > 0
            ):
                why = why_failed(reply) if reply.has_error() else "it does not say its name and films"
                log.warning(f"Warning: a client is refused: {why}")
                continue
            for old in [one.node for one in self.known.values() if one.name == name]:
                del self.known[old]  # it died, and came back
            self.known[node] = Member(node, name, films, bool(hello_value(reply, "phantoms")))
            log.info(f"{name} takes part, with {counted(films, 'film')}")


def federate(grid: Grid, plan: Plan, student: Student, record: Record) -> tuple[Progress, list[Member]]:
    """Runs the rounds that are left, and ends with the weights of the best in `student`.

    With local batch norms it ends with those of the last round, which the clients' own norms belong to.
    Returns where it ended, and who took part in the end. RunError if the weights of a round give no numbers,
    of which nothing is kept, or if no reply was taken in any round.
    """
    names, strategy = exchanged(student, plan.norms), make_strategy(plan)
    now = record.kept() or Progress(to_record(student, names))
    restore(strategy, now.moments)
    members = Members(grid, plan, to_record(student, exchanged(student, "averaged")))
    report = partial(record.report, now)
    if plan.dp_epsilon:
        log.info(noise_sentence(plan))
    for number in range(now.state.epoch + 1, plan.rounds + 1):
        members.gather(report)
        began = time.monotonic()
        report(f"round {number}: {counted(len(members.get_node_ids()), 'client')} train")
        rows = _train(members, strategy, now, number)
        report(f"round {number}: clients judge the new weights")
        if _evaluate(members, now, number, rows):
            _give_up(members, destroyed(plan, number))
        now.rows += rows.values()
        now.moments = moments(strategy)
        row = _row(number, list(rows.values()), time.monotonic() - began)
        record.end_round(now, row)
        log.info(
            f"round {number}/{plan.rounds}  loss {row['train_loss']:.4f}  val loss {row['val_loss']:.4f}  "
            f"val AUC {row['val_auc']:.4f}  {row['seconds']:.1f} s"
        )
    members.gather(report)
    if error := nothing_taken(now.rows):
        _give_up(members, error)
    report("clients judge the last weights")
    if now.best is not None:
        load_record(student, now.arrays if plan.norms == "local" else now.best)
    _end(members, student, names, now)
    log.info(f"Ended {after_rounds(now.rows, now.state.epoch)}")
    if plan.dp_epsilon:
        log.info(noise_sentence(plan))
    return now, list(members.known.values())


def _train(members: Members, strategy: FedAvg, now: Progress, number: int) -> dict[int, dict[str, Any]]:
    """A round of training: the new weights in `now`, and a row for each client, by id."""
    plan, sent = members.plan, now.arrays
    messages = list(strategy.configure_train(number, sent, ConfigRecord(), members))
    size = size_of(sent)
    replies = members.grid.send_and_receive(messages, plan.deadline)
    rows, whole = {}, []
    asked = {message.metadata.dst_node_id for message in messages}
    for member in sorted((members.known[node] for node in asked), key=lambda one: one.name):
        reply = replies.get(member.node)
        why = refusal(reply, sent, member.films) if reply else f"no reply within {plan.deadline:g} s"
        rows[member.node] = row = {
            **{"round": number, "client": as_cell(member.name), "films": member.films},
            **dict.fromkeys(("loss", "val_loss", "val_auc", "seconds"), math.nan),
            **{"bytes_received": size, "bytes_sent": 0, "refused": as_cell(why)},
        }
        if reply is not None and reply.has_content():
            row["bytes_sent"] = sum(map(size_of, reply.content.array_records.values()))
            row |= _numbers(reply, "loss", "seconds")
        if why:
            log.warning(f"Warning: round {number} goes on without {member.name}: {why}")
        elif reply is not None:
            # Nothing else that a client says: Flower stops if they do not all say the same.
            [arrays] = reply.content.array_records.values()
            reply.content = RecordDict({ARRAYS: arrays, REPLY: MetricRecord({FILMS: member.films})})
            whole.append(reply)
    now.arrays = next_weights(strategy, number, whole, sent) or sent
    return rows


def _numbers(reply: Message, *names: str) -> dict[str, float]:
    """The named metrics of a reply, NaN for what is not a number."""
    said = next(iter(reply.content.metric_records.values()), MetricRecord())
    values = {name: said.get(name) for name in names}
    return {
        name: float(value) if isinstance(value, int | float) else math.nan for name, value in values.items()
    }


def _evaluate(members: Members, now: Progress, number: int, rows: dict[int, dict[str, Any]]) -> bool:
    """Has each client judge the weights on its own validation films.

    Returns whether these give none of those who answer a number.
    """
    content = RecordDict({ARRAYS: now.arrays, CONFIG: ConfigRecord({ROUND: number})})
    messages = [Message(content, node, MessageType.EVALUATE) for node in members.get_node_ids()]
    size, losses = size_of(now.arrays), []
    for node, reply in members.grid.send_and_receive(messages, members.plan.deadline).items():
        row = rows.get(node)
        if row is not None and reply.has_content():
            row["bytes_received"] += size
            row |= _numbers(reply, "val_loss", "val_auc")
            losses.append(row["val_loss"])
    return bool(losses) and not np.isfinite(losses).any()


def _end(members: Members, student: Student, names: list[str], now: Progress) -> None:
    """Sends the weights that it ends with to all, and waits until they have judged them."""
    nodes = members.get_node_ids()
    config = ConfigRecord({"best": now.state.best_epoch, "clients": len(nodes)})
    content = RecordDict({ARRAYS: to_record(student, names), CONFIG: config})
    messages = [Message(content, node, END) for node in nodes]
    replies = members.grid.send_and_receive(messages, members.plan.deadline)
    for node in nodes:
        name, reply = members.known[node].name, replies.get(node)
        if reply is None:
            log.warning(
                f"Warning: {name} has not judged the weights within {members.plan.deadline:g} s: it may "
                "still do so, without the server"
            )
        elif reply.has_error():
            log.warning(f"Warning: {name} has not judged the weights: {why_failed(reply)}")


def _give_up(members: Members, error: RunError) -> NoReturn:
    """Tells all clients why the federation fails, so that none waits for it, and fails."""
    content = RecordDict({ARRAYS: ArrayRecord(), CONFIG: ConfigRecord({FAILED: str(error)})})
    messages = [Message(content, node, END) for node in members.get_node_ids()]
    members.grid.send_and_receive(messages, members.plan.deadline)
    raise error


def _row(number: int, rows: list[dict[str, Any]], seconds: float) -> dict[str, float]:
    """A round as a run's epoch: the means over clients, weighted by films, of those that know.

    The training loss is that of the replies that were taken.
    """

    def mean(name: str, rows: list[dict[str, Any]] = rows) -> float:
        known = [row for row in rows if math.isfinite(row[name])]
        if not known:
            return math.nan
        return float(np.average([row[name] for row in known], weights=[row["films"] for row in known]))

    return {
        "epoch": number,
        "train_loss": mean("loss", [row for row in rows if not row["refused"]]),
        "val_loss": mean("val_loss"),
        "val_auc": mean("val_auc"),
        "seconds": seconds,
    }
