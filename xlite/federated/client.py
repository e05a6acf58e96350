"""A client as a Flower ClientApp: it answers a server's messages by training on films that never leave it."""

import logging
import math
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import numpy as np
from flwr.app import Array, ArrayRecord, ConfigRecord, Context, Error, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.clientapp.mod import LocalDpMod
from flwr.clientapp.typing import ClientAppCallable
from flwr.common.constant import ErrorCode

from xlite import __version__
from xlite.data.joined import open_data
from xlite.errors import RunError
from xlite.evaluation.part_judged import all_films
from xlite.federated.answers import answers
from xlite.federated.arrays import ARRAYS, FILMS, REPLY, exchanged, load_record, moved, to_record
from xlite.federated.local import LocalTraining, Own
from xlite.federated.plan import Plan
from xlite.federated.sentences import noise_sentence
from xlite.models.available import MODEL_FILE
from xlite.split_names import ALL_FILMS

log = logging.getLogger(__name__)

CONFIG, ROUND = "config", "server-round"
"""Flower's own names of what a server says beside the weights."""

FAILED = "failed"
"""Of a message `END`: why the federation has failed."""

HELLO, END, ANSWER = "query.hello", "query.end", "query.answer"
"""Kinds of messages beside Flower's train and evaluate."""

PROBABILITIES = "probabilities"


class Client:
    """What a client is while it takes part; a context manager that gives its run's folder up.

    `heed` is called after each step that it trains.
    """

    def __init__(self, own: Own, heed: Callable[[], None] = lambda: None):
        self.own, self.heed, self.ended = own, heed, False
        self.training: LocalTraining | None = None
        self.train_loss = math.nan

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.training is not None:
            self.training.close(kind, error, trace)

    @property
    def app(self) -> ClientApp:
        """What Flower calls for each message."""
        app = ClientApp(mods=[self._if_begun])
        app.query("hello")(self._hello)
        app.train()(self._train)
        app.evaluate()(self._evaluate)
        app.query("end")(self._end)
        app.query("answer")(self._answer)
        return app

    def _if_begun(self, message: Message, context: Context, call_next: ClientAppCallable) -> Message:
        """Waits for the plan: a client that comes back may be asked for what the one that died was to do."""
        if self.training is None and message.metadata.message_type != HELLO:
            code = ErrorCode.CLIENT_APP_RAISED_EXCEPTION
            return Message(Error(code, "it came back, and waits for the plan"), reply_to=message)
        return call_next(message, context)

    def _hello(self, message: Message, context: Context) -> Message:
        """Opens the films for the server's plan, takes its weights, and says what there is to train on."""
        config = message.content[CONFIG]
        if config["xlite"] != __version__:
            raise RunError(
                f"the server has X-Lite {config['xlite']}, and this client {__version__}: install the same"
            )
        if self.training is None:
            self.training = LocalTraining(self.own, Plan.read(str(config["plan"])), self.heed)
        training = self.training
        if not training.plan.distils and not training.state.epoch:  # else it goes on with its own
            load_record(training.student, message.content[ARRAYS])
        log.info("Takes part with %d films", training.films)
        if training.plan.dp_epsilon:
            log.info(noise_sentence(training.plan))
        said = {"name": self.own.name, "films": training.films, "phantoms": training.job.info.notes.phantoms}
        return Message(RecordDict({CONFIG: ConfigRecord(said)}), reply_to=message)

    def _train(self, message: Message, context: Context) -> Message:
        plan = self._opened().plan
        if not plan.dp_epsilon:
            return self._trained(message, context)
        apart = 2 * plan.dp_clip  # how far two updates can lie apart that are both clipped
        return LocalDpMod(plan.dp_clip, apart, plan.dp_epsilon, plan.dp_delta)(message, context, self._moved)

    def _moved(self, message: Message, context: Context) -> Message:
        """As `_trained`, but never an update of 0: Flower's mod divides by its norm.

        Noise hides the step; a refusal would tell what noise is to hide, that nothing was learned.
        """
        reply = self._trained(message, context)
        reply.content[ARRAYS] = moved(reply.content[ARRAYS], message.content[ARRAYS])
        return reply

    def _trained(self, message: Message, context: Context) -> Message:
        """Trains a round from the server's weights and gives its own."""
        training, config, began = self._opened(), message.content[CONFIG], time.monotonic()
        load_record(training.student, message.content[ARRAYS])
        self.train_loss = training.train(int(config[ROUND]), float(config.get("proximal-mu", 0.0)))
        log.info("round %s  loss %.4f", config[ROUND], self.train_loss)
        arrays = to_record(training.student, exchanged(training.student, training.plan.norms))
        spent = time.monotonic() - began
        told = MetricRecord({FILMS: training.films, "loss": self.train_loss, "seconds": spent})
        return Message(RecordDict({ARRAYS: arrays, REPLY: told}), reply_to=message)

    def _evaluate(self, message: Message, context: Context) -> Message:
        """Judges the server's weights on its own validation films."""
        training, config = self._opened(), message.content[CONFIG]
        load_record(training.student, message.content[ARRAYS])
        loss, auc = training.judge(int(config[ROUND]), self.train_loss)
        log.info("round %s  val loss %.4f  val AUC %.4f", config[ROUND], loss, auc)
        told = MetricRecord({FILMS: training.films, "val_loss": loss, "val_auc": auc})
        return Message(RecordDict({REPLY: told}), reply_to=message)

    def _end(self, message: Message, context: Context) -> Message:
        """Takes the weights that the federation ends with, and judges them on its own films.

        RunError if it has failed.
        """
        training, config = self._opened(), message.content[CONFIG]
        if FAILED in config:
            raise RunError(str(config[FAILED]))
        load_record(training.student, message.content[ARRAYS])
        training.end(int(config["best"]), int(config["clients"]))
        self.ended = True
        return Message(RecordDict({CONFIG: ConfigRecord({"name": self.own.name})}), reply_to=message)

    def _answer(self, message: Message, context: Context) -> Message:
        """Trains on its own films alone, and gives what its model says of the public ones."""
        training, public = self._opened(), self.own.public
        if public is None:
            raise RunError("the server distils by public films: name their folder by --public")
        folder = open_data(public)
        if folder.fingerprint() != training.plan.public:
            raise RunError(f"{public} holds other films than the server's public folder: use the same one")
        training.judge(1, training.train(1))
        training.end(1, clients=1)
        said = answers(training.run.path(MODEL_FILE), folder, all_films(folder), ALL_FILMS)
        self.ended = True
        arrays = ArrayRecord({PROBABILITIES: Array(said.probs.astype(np.float32))})
        config = ConfigRecord({"name": self.own.name, "images": said.names})
        return Message(RecordDict({ARRAYS: arrays, CONFIG: config}), reply_to=message)

    def _opened(self) -> LocalTraining:
        assert self.training is not None
        return self.training


def hello_value(reply: Message, name: str) -> Any:
    """One value of a reply to `hello`, None if it is not there."""
    record = reply.content.config_records.get(CONFIG) if reply.has_content() else None
    return record.get(name) if record is not None else None
