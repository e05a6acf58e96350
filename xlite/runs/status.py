"""What a run says of itself in progress.json, and how people read it. Imports no torch."""

import math
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from xlite.errors import NamedSetting, XliteError, objection, sentence, words_as_json, words_from_json
from xlite.files import read_whole
from xlite.text import device_title

State = Literal["new", "queued", "running", "finished", "stopped", "failed", "killed"]
Count = Annotated[int, Field(ge=0, le=10**9)]
Seconds = Annotated[float, Field(ge=0, le=1e10)]
LIVE: tuple[State, ...] = ("queued", "running")


class WithMessage(BaseModel):
    """A message, and its words if it names settings or begins with the state.

    So a page can call settings by their field titles, and need not repeat a state that it shows beside.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    message: Annotated[str, BeforeValidator(lambda text: "" if text is None else text)] = ""  # 0.1.0 had null
    words: tuple[str | NamedSetting, ...] = ()

    @property
    def said(self) -> tuple[str, ...]:
        """The words of the message, with settings among them as such."""
        return words_from_json(self.words) or (self.message,)


def message_of(*words: str) -> dict[str, Any]:
    """The fields of a message of these words, as `WithMessage` and `update_progress` take them."""
    return {"message": str(XliteError(*words)), "words": words_as_json(words)}


class WorkStatus(WithMessage):
    """What runs and studies say alike: their state, a message, and when that was (ISO 8601)."""

    @model_validator(mode="before")
    @classmethod
    def _state_apart(cls, values: Any) -> Any:
        """Words for a message of an older version, which may begin with the state and had none."""
        if isinstance(values, dict) and not values.get("words"):
            state, message = str(values.get("state", "")), str(values.get("message") or "")
            if state and message.startswith(f"{state} "):
                return {**values, "words": (state, message.removeprefix(state))}
        return values

    state: State = "new"
    updated: str = ""
    damage: Annotated[str, Field(exclude=True)] = ""
    """Why its file cannot be read, and so its state is not known."""


S = TypeVar("S", bound=WorkStatus)


class RunStatus(WorkStatus):
    """What a run does now; times in s, memory in GB, load 0-1, None if it is not known.

    unit: what its epochs are called; those of a federation are rounds, whose steps are clients.
    films_a_second: how many were trained on a second since the epoch began, None between epochs.
    On a GPU memory and load are the device's, on a CPU the memory of the trainer and the load of the machine.
    """

    unit: Literal["epoch", "round"] = "epoch"
    epoch: Count = 0
    epochs: Count = 0
    step: Count = 0
    steps: Count = 0
    loss: float | None = None
    val_auc: float | None = None
    best_auc: float | None = None
    best_epoch: Count | None = None
    elapsed_s: Seconds = 0.0
    eta_s: Seconds | None = None
    films_a_second: float | None = None
    device: str = ""
    memory_gb: float | None = None
    memory_total_gb: float | None = None
    load: float | None = None

    @property
    def share(self) -> float:
        """How far it is within its epoch, 0-1."""
        return min(1.0, self.step / self.steps) if self.steps else 0.0

    @property
    def step_text(self) -> str:
        """How far a live run is within its epoch: `step 3 of 12`, of a round `client 1 of 3`."""
        if self.steps:
            return f"{'client' if self.unit == 'round' else 'step'} {self.step} of {self.steps}"
        return "starting" if self.state == "running" else "waiting"

    @property
    def epoch_text(self) -> str:
        """The epochs that have ended, `3 of 8`; a dash before it has begun."""
        return f"{self.epoch} of {self.epochs}" if self.epochs else "–"


def read_status(path: Path, kind: type[S]) -> S:
    """The content of a progress.json; `new` if there is none, `failed` if it is not what X-Lite writes, or
    cannot be read.
    """
    try:
        return kind.model_validate_json(read_whole(path))
    except FileNotFoundError:
        return kind()
    except ValidationError as error:
        return _damaged(kind, f"{path} is not what X-Lite writes: {objection(error)}")
    except OSError as error:
        return _damaged(kind, sentence(error))


def _damaged(kind: type[S], why: str) -> S:
    return kind(state="failed", message=why, damage=why)


def with_state(status: WorkStatus) -> str:
    """State and message in one line; a message whose first word is the state does not repeat it."""
    if status.said[0] == status.state:
        return status.message
    return f"{status.state}: {status.message}" if status.message else status.state


def facts(status: RunStatus) -> dict[str, str]:
    """How far a run is, as titles and texts for people; a dash if nothing is known."""
    live = status.state in LIVE
    best = "–"
    if status.best_auc is not None and math.isfinite(status.best_auc):
        best = f"{status.best_auc:.3f} ({status.unit} {status.best_epoch})"
    shown = {
        status.unit.capitalize(): status.epoch_text,
        "Loss": "–" if status.loss is None else f"{status.loss:.4f}",
        "Validation AUC": best,
        "Elapsed": clock(status.elapsed_s),
        "Time left": clock(status.eta_s) if live else "–",
        "Device": device_title(status.device) or "–",
    }
    if live and status.films_a_second is not None:
        shown["Films a second"] = f"{status.films_a_second:.3g}"
    if live and status.memory_gb is not None:
        total = "" if status.memory_total_gb is None else f" of {status.memory_total_gb:.1f}"
        shown["Memory"] = f"{status.memory_gb:.1f}{total} GB"
    if live and status.load is not None:
        shown["Load"] = f"{status.load:.0%}"
    return shown


def clock(seconds: float | None) -> str:
    """Seconds as people read them: `2 h 01 min`, `1 min 15 s`, `9 s`."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
