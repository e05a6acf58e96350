"""What a study says of itself in progress.json: its trials, and what each of their runs left."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from xlite.config import Value
from xlite.evaluation.contamination.caveats import Said, TeacherKnows
from xlite.runs.status import LIVE, WithMessage, WorkStatus


@dataclass(frozen=True)
class Signature:
    """How a sweep signs the trials that it works on: its place, `machine:home`, and an id as no other has."""

    place: str
    id: str

    def __str__(self) -> str:
        return f"{self.place}#{self.id}"

    @classmethod
    def read(cls, text: str) -> "Signature":
        """The signature that `str` has written."""
        place, _, id = text.rpartition("#")
        return cls(place, id)


def _of_old(content: Any) -> Any:
    """Version 0.1.0 kept the sentence alone."""
    return Said(text=content, by_teacher=True) if isinstance(content, str) else content


TeacherCaveat = Annotated[TeacherKnows | Said, Field(discriminator="kind"), BeforeValidator(_of_old)]
"""What a report says that a teacher knows of the films judged."""


class Outcome(BaseModel):
    """What a finished run left; None if it is not known.

    contamination: the caveat of its report on what its teacher knows of the test films. epochs: how many it
    trained for, of which the best has the validation AUC.
    """

    model_config = ConfigDict(frozen=True)

    val_auc: float | None = None
    test_auc: float | None = None
    model_size_mb: float | None = None
    inference_time_ms: float | None = None
    epochs: int | None = None
    contamination: TeacherCaveat | None = None


TrialWord = Literal["waiting", "running", "finished", "pruned", "failed"]


class TrialStatus(WithMessage, Outcome):
    """The last attempt at one run of a study, and what it left.

    values: its settings that vary; where: the machine and home that trained it; message: why it failed.
    """

    run: str
    state: TrialWord
    values: dict[str, Value]
    where: str = ""

    @property
    def cause(self) -> str:
        """The message without the name of the run: trials that failed alike have the same."""
        # Errors of all modules name runs, also within paths and in what trainers left in progress.json.
        return self.message.replace(self.run, "…")


class SweepStatus(WorkStatus):
    """What a study does now, of how many trials, and each of those that are known."""

    split_id: str = ""
    total: int = 0
    trials: tuple[TrialStatus, ...] = ()

    def count(self, state: str) -> int:
        """How many trials are in that state."""
        return sum(trial.state == state for trial in self.trials)

    @property
    def can_go_on(self) -> bool:
        """Whether starting it again would train something."""
        return self.state not in LIVE and (self.state != "finished" or self.count("failed") > 0)

    @property
    def ended(self) -> int:
        """How many trials have ended, well or not."""
        return len(self.trials) - self.count("waiting") - self.count("running")

    @property
    def share(self) -> float:
        """How many of its trials have ended, 0-1."""
        return min(1.0, self.ended / max(self.total, 1))

    def running(self) -> list[str]:
        """The names of the runs that are training."""
        return [trial.run for trial in self.trials if trial.state == "running"]

    def val_aucs(self, runs: Iterable[str]) -> list[float]:
        """The validation AUCs of those of the runs that have one."""
        aucs = {trial.run: trial.val_auc for trial in self.trials if trial.val_auc is not None}
        return [aucs[run] for run in runs if run in aucs]
