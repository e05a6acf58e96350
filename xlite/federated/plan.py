"""Plan: what a federation does, decided by its server and sent to every client. No torch, no Flower."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from xlite.config import TrainConfig, Value, make_config
from xlite.errors import Option, RunError, as_option, objection

STUDENT = (
    "backbone", "stages", "attention", "hidden", "dropout", "image_size", "loss", "focal_gamma",
    "focal_alpha", "sampler", "augment", "flip", "mixup", "batch_size", "lr", "backbone_lr",
    "layer_decay", "weight_decay", "decay_norms", "warmup_epochs", "grad_clip", "seed",
)  # fmt: skip
"""Settings of a run that a server decides for its clients: none of them names a file, device or address."""

Norms = Literal["averaged", "local", "frozen"]


class Plan(BaseModel):
    """What a federation does; `student` has the settings that clients train with, by name of `STUDENT`.

    mean, std: of the normalisation, which the starting weights decide. public: the fingerprint of the table
    of the public films, if clients send what they say of them. started_from: a sentence on the weights that
    it begins with; start_public: whether they are a file that is known to have seen ImageNet alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    rounds: Annotated[
        int,
        Field(
            title="Rounds",
            ge=1,
            le=10000,
            description="Rounds: weights go out, clients train, weights come in",
        ),
    ] = 5
    local_epochs: Annotated[
        int,
        Field(
            title="Local epochs", ge=1, le=1000, description="Epochs that each client trains in each round"
        ),
    ] = 1
    strategy: Annotated[
        Literal["fedavg", "fedprox", "fedadam", "distil"],
        Field(
            title="Strategy",
            description="How the server makes one student of many: by one of Flower's strategies, or by what "
            "clients say of public films",
        ),
    ] = "fedavg"
    proximal: Annotated[
        float,
        Field(
            title="Proximal mu",
            ge=0,
            description="FedProx's mu: how strongly clients are drawn to the server's weights",
        ),
    ] = 0.01
    server_lr: Annotated[
        float, Field(title="Server's rate", gt=0, description="FedAdam's learning rate on the server")
    ] = 0.01
    norms: Annotated[
        Norms,
        Field(
            title="Batch norms",
            description="Batch norms are averaged, stay with each client (FedBN), or keep the statistics "
            "that they began with",
        ),
    ] = "averaged"
    clients: Annotated[
        int, Field(title="Clients", ge=1, le=1000, description="Clients that a round needs")
    ] = 3
    deadline: Annotated[
        float,
        Field(title="Deadline", gt=0, description="Seconds after which a round goes on without a client"),
    ] = 3600.0
    dp_epsilon: Annotated[
        float,
        Field(
            title="Epsilon",
            ge=0,
            description="Local differential privacy, the epsilon of one round of one client; 0 is off",
        ),
    ] = 0.0
    dp_delta: Annotated[float, Field(title="Delta", gt=0, lt=1, description="Its delta")] = 1e-5
    dp_clip: Annotated[
        float, Field(title="Clipping", gt=0, description="Its clipping: the largest norm of an update")
    ] = 1.0
    public: str = ""
    started_from: str = ""
    start_public: bool = False
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    student: dict[str, Value] = {}

    @field_validator("student")
    @classmethod
    def _decides_nothing_else(cls, student: dict[str, Value]) -> dict[str, Value]:
        if others := sorted(student.keys() - set(STUDENT)):
            raise ValueError(f"a server decides nothing about {', '.join(others)}")
        return student

    @model_validator(mode="after")
    def _noise_spares_variances(self) -> Self:
        if self.dp_epsilon and self.norms == "averaged":
            raise RunError(
                "noise would make averaged variances of batch norms negative: with ",
                *(option_of("dp_epsilon"), " use ", option_of("norms"), " local or frozen"),
            )
        return self

    @classmethod
    def read(cls, text: str) -> "Plan":
        """The plan that a server sent as JSON; RunError if it is none, or decides what no server may."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise RunError(f"the plan is refused: {objection(error)}") from error
        except RunError as error:
            raise RunError("the plan is refused: ", *error.words) from error

    @property
    def distils(self) -> bool:
        """Whether clients send what they say of public films, and no weights."""
        return self.strategy == "distil"

    @property
    def epochs(self) -> int:
        """How many epochs a client trains in all rounds."""
        return self.rounds * self.local_epochs

    def config(self, data: Path, **own: Any) -> TrainConfig:
        """The settings with which a client trains on its folder; `own` are those that it decides itself."""
        ends = {"epochs": self.epochs, "patience": self.epochs}
        return make_config({"data": data, **own, **self.student, **ends})


OPTIONS = {
    name: field
    for name, field in Plan.model_fields.items()
    if name not in ("mean", "std", "student", "public", "started_from", "start_public")
}
"""The fields that people choose."""


def option_of(name: str) -> Option:
    """A field that people choose, as a word of an error."""
    return Option(as_option(name), str(OPTIONS[name].title))


def make_plan(
    values: dict[str, Any], mean: tuple[float, ...] = (0, 0, 0), std: tuple[float, ...] = (1, 1, 1)
) -> Plan:
    """A plan from what was typed: fields of it, and settings of `STUDENT`. RunError if it is none."""
    student = {name: value for name, value in values.items() if name in STUDENT}
    own = {name: value for name, value in values.items() if name in OPTIONS}
    try:
        plan = Plan.model_validate({**own, "student": student, "mean": mean, "std": std})
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "value_error":
            raise RunError(objection(error)) from error
        name, value = str(first["loc"][-1]), first["input"]
        raise RunError(
            option_of(name), f" is {value!r:.80}: {first['msg'][0].lower()}{first['msg'][1:]}"
        ) from error
    plan.config(Path())  # the student's settings, which it checks
    return plan
