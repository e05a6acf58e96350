"""What a client trains: the student of a plan on its own films, in the run's folder of its own."""

import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor, nn

from xlite.config import TrainConfig
from xlite.errors import RunError
from xlite.federated.arrays import exchanged
from xlite.federated.plan import Plan
from xlite.federated.sentences import destroyed
from xlite.files import write_atomic
from xlite.images import Preprocess
from xlite.metrics.per_finding import macro
from xlite.models.available import MODEL_FILE
from xlite.models.batchnorm import batch_norms
from xlite.models.checkpoint import save_model
from xlite.models.info import ModelInfo
from xlite.models.student import Student
from xlite.runs.command import absolute_paths
from xlite.runs.run import Run
from xlite.runs.run_files import CLIENT_FILE, EPOCHS_FILE
from xlite.runs.status import LIVE, RunStatus, message_of
from xlite.runs.status import State as WorkState
from xlite.split_names import DEFAULT_SPLIT
from xlite.text import counted, in_one_line
from xlite.training.fabric import open_fabric, usable_devices
from xlite.training.finish import finish
from xlite.training.job import Job, open_job
from xlite.training.recorder import finite
from xlite.training.state import State, reading_state, write_state
from xlite.training.step import Learner

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Own:
    """What a client decides itself: the name of its run, folder, split, device, if films may be missing.

    To distil, public: the folder of public films, backbone: another one than the server's, and weights: those
    that it begins with.
    """

    name: str
    data: Path
    split: str = DEFAULT_SPLIT
    device: str = "auto"
    skip_missing: bool = False
    public: Path | None = None
    backbone: str = ""
    weights: str = "imagenet"

    def config(self, plan: Plan) -> TrainConfig:
        """The settings of its run under a plan."""
        if self.backbone and plan.distils:
            plan = plan.model_copy(update={"student": {**plan.student, "backbone": self.backbone}})
        own = {name: getattr(self, name) for name in ("name", "split", "device", "skip_missing")}
        return plan.config(self.data, **own, weights=self.weights if plan.distils else "none")


def preprocess_of(plan: Plan) -> Preprocess:
    """How a film becomes the student's input, everywhere."""
    return Preprocess(plan.config(Path()).image_size, plan.mean, plan.std)


def noting_start(info: ModelInfo, plan: Plan) -> ModelInfo:
    """The info, noting the weights that a federation began with; unchanged if clients have their own."""
    if plan.distils:
        return info
    known = {"start_knows": ()} if plan.start_public else {}
    return info.noting(started_from=in_one_line(plan.started_from), **known)


class FrozenNorms(Learner):
    """A learner whose batch norms keep their statistics; their weights are trained like any other."""

    def begin(self, epoch: int) -> None:
        """As a learner's, with the batch norms in eval."""
        super().begin(epoch)
        for norm in batch_norms(self.student):
            norm.eval()


class LocalTraining:
    """The student of a plan on a client's own films. Holds its run's folder until it is closed.

    `heed` is called after each step; what it raises ends the training.

    `state` has a row for each round, as metrics.csv; a client that comes back goes on with it and, with local
    batch norms, with its own: `before` has what never travels of its student as it was when it began its last
    round, as one that was given up comes again.
    """

    def __init__(self, own: Own, plan: Plan, heed: Callable[[], None] = lambda: None):
        self.plan, self.heed, self._stack = plan, heed, ExitStack()
        config = own.config(plan)
        self.run, self.before = _own_run(config), dict[str, Tensor]()
        self._stack.enter_context(self.run.hold())
        with self._refusing():
            self.run.write_progress(round_status(State(), plan, "running", "opening films"))
            self.fabric = open_fabric(config, usable_devices(config.device)[0].name)
            self.job: Job = open_job(
                config, None if plan.distils else preprocess_of(plan), lambda done, total: heed()
            )
            self.state = self._kept_state()
            self.begun = self.state.epoch
            self._keep()  # from now on the run is known as a client's
        self.learner: Learner | None = None

    @property
    def student(self) -> Student:
        """The student that trains."""
        return self.job.task.student

    @property
    def films(self) -> int:
        """How many films it trains on: the weight of its replies."""
        return len(self.job.train)

    def train(self, number: int, proximal: float = 0.0) -> float:
        """Trains the epochs of a round from the student's present weights; returns the mean loss.

        The optimizer is new in each round; the rate goes on. proximal: FedProx's mu.
        """
        self._report(number, f"training in round {number}")
        learner = self.learner = (FrozenNorms if self.plan.norms == "frozen" else Learner)(
            self.fabric, self.job
        )
        if number > self.begun:
            self.begun, self.before = number, self._own()
        else:
            self.student.load_state_dict({**self.student.state_dict(), **self.before})
        first = (number - 1) * self.plan.local_epochs + 1
        losses: list[float] = []
        with drawn_to_start(learner, proximal):
            for epoch in range(first, first + self.plan.local_epochs):
                for means in learner.epoch(epoch):
                    self.heed()
                    loss = means[0]
                losses.append(float(loss))
        return float(np.mean(losses))

    def judge(self, number: int, train_loss: float) -> tuple[float, float]:
        """Validation loss and mean AUC of the student as it is, NaN without one; a row of metrics.csv."""
        began = time.monotonic()
        learner = self.learner = self.learner or Learner(self.fabric, self.job)
        loss, aucs = learner.validate(self.heed)
        auc = float(macro(aucs))
        seconds = time.monotonic() - began
        # A round that was given up comes again.
        self.state = state_of(row for row in self.state.rows if row["epoch"] != number)
        self.state.add(
            {"epoch": number, "train_loss": train_loss, "val_loss": loss, "val_auc": auc, "seconds": seconds}
        )
        self._keep()
        write_atomic(self.run.path(EPOCHS_FILE), pd.DataFrame(self.state.rows).to_csv(index=False).encode())
        self.learner = None  # the next round has an optimizer of its own
        self._report(number, f"waiting for the server after round {number}")
        return loss, auc

    def end(self, best: int, clients: int) -> None:
        """Saves the student as it is as the run's model, judges it on its own films, and ends the run.

        RunError if it gives no numbers.
        """
        rows = {row["epoch"]: row for row in self.state.rows}
        judged = rows[best]["val_loss"] if best in rows else self.judge(best, math.nan)[0]
        if not math.isfinite(judged):
            raise destroyed(self.plan, best)
        info = noting_start(self.job.info, self.plan).noting(epoch=best)
        if clients > 1:
            others = f", and the weights of {counted(clients - 1, 'other client')}"
            info = info.noting(trained_on=f"{info.notes.trained_on}{others}")
        save_model(self.run.path(MODEL_FILE), self.student, info)
        finish(self.job, self.run, self.fabric.device)
        rounds = self.state.epoch
        self._report(rounds, "finished", f" after {rounds} rounds", doing="finished")
        self.close()

    def close(self, *error: Any) -> None:
        """Gives the run's folder up; with an error, as `__exit__` takes it, the run says that it failed.

        Without one, a run that has not ended says that it was stopped.
        """
        if not any(error) and self.run.read_progress().state in LIVE:
            self._report(self.state.epoch, "stopped", f" after round {self.state.epoch}", doing="stopped")
        self._stack.__exit__(*(error or (None, None, None)))

    def _kept_state(self) -> State:
        """Where a client that comes back stood, with its weights; a new one else."""
        path = self.run.path(CLIENT_FILE)
        if not path.exists():
            return State()
        with reading_state(path) as content:
            self.student.load_state_dict(content["model"])
            self.before = content.get("before", {})  # of old
            return State(**content["state"])

    def _keep(self) -> None:
        content = {"model": self.student.state_dict(), "state": asdict(self.state), "before": self.before}
        write_state(self.run.path(CLIENT_FILE), content)

    def _own(self) -> dict[str, Tensor]:
        """What never travels of the student as it is."""
        state = self.student.state_dict()
        travels = exchanged(self.student, self.plan.norms)
        return {name: tensor.clone() for name, tensor in state.items() if name not in travels}

    def _report(self, number: int, *words: str, doing: WorkState = "running") -> None:
        status = round_status(self.state, self.plan, doing, *words)
        self.run.write_progress(
            status.model_copy(update={"epoch": number, "device": str(self.fabric.device)})
        )

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Gives the folder up if what follows is refused."""
        with ExitStack() as held:
            held.push(self._stack.__exit__)
            yield
            held.pop_all()


def state_of(rows: Iterable[dict[str, float]]) -> State:
    """Where a client stands after these rounds."""
    state = State()
    for row in rows:
        state.add(row)
    return state


def round_status(state: State, plan: Plan, doing: WorkState, *words: str) -> RunStatus:
    """What a server or a client does now, after so many rounds."""
    last = state.rows[-1] if state.rows else {}
    return RunStatus(
        state=doing,
        **message_of(*words),
        unit="round",
        epoch=state.epoch,
        epochs=plan.rounds,
        loss=finite(last.get("train_loss")),
        val_auc=finite(last.get("val_auc")),
        best_auc=finite(state.best_auc),
        best_epoch=state.best_epoch,
        elapsed_s=state.elapsed_s,
    )


@contextmanager
def drawn_to_start(learner: Learner, mu: float) -> Iterator[None]:
    """While it lasts each step also draws the weights to where they are now: FedProx's mu/2 ||w - w0||^2.

    Its gradient is added after clipping. Li et al. 2018, arXiv 1812.06127.
    """
    if not mu:
        yield
        return
    groups = learner.optimizer.param_groups
    start = {p: p.detach().clone() for group in groups for p in group["params"]}
    handle = learner.optimizer.register_step_pre_hook(partial(_pull, start, mu))
    try:
        yield
    finally:
        handle.remove()


def _pull(start: dict[nn.Parameter, Tensor], mu: float, *_: object) -> None:
    for parameter, origin in start.items():
        if parameter.grad is not None:
            parameter.grad.add_(parameter.detach() - origin, alpha=mu)


def _own_run(config: TrainConfig) -> Run:
    """The run of a client: a new one, or the same one again if it comes back with the same settings."""
    try:
        run = Run.named(config.name)
    except RunError:
        return Run.create(config)
    if run.failed_untrained():
        return Run.create(config)
    if run.status().state == "finished" or run.config() != absolute_paths(config):
        raise RunError(
            f"there is a run {config.name!r} already, which is finished or has other settings: choose "
            "another --name, or delete it by `xlite jobs delete`"
        )
    return run
