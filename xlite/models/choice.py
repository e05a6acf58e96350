"""Which model somebody put on duty: one small file of the home; the last writer's stays. No torch."""

from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from xlite.errors import CheckpointError, RunError, objection, sentence
from xlite.files import read_whole, write_atomic
from xlite.places import check_run_name, duty_json

DAMAGED = (
    "which model was put on duty cannot be read from experiments/duty.json ({}): choose again, or go back to "
    "the shipped model by `xlite duty --reset`"
)


class Choice(BaseModel):
    """A run by its name, or a model file by its path: one of them, or neither if nobody chose."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str = ""
    file: str = ""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if self.run and self.file:
            raise ValueError("it names a run and a file, expected one of them")
        if self.run:
            try:
                check_run_name(self.run)
            except RunError as error:
                raise ValueError(str(error)) from error
        return self


def read_choice() -> Choice:
    """What was chosen for this home. Raises CheckpointError if the file is not what `write_choice` writes."""
    try:
        return Choice.model_validate_json(read_whole(duty_json()))
    except FileNotFoundError:
        return Choice()
    except ValidationError as error:
        raise CheckpointError(DAMAGED.format(objection(error))) from error
    except OSError as error:
        raise CheckpointError(DAMAGED.format(error.strerror or sentence(error))) from error


def write_choice(choice: Choice) -> None:
    """Keeps a choice in the place of the last one, whole or not at all. Raises OSError."""
    duty_json().parent.mkdir(parents=True, exist_ok=True)
    write_atomic(duty_json(), choice.model_dump_json(exclude_defaults=True).encode())


def forget_choice() -> None:
    """From now on nobody chose. Raises OSError."""
    duty_json().unlink(missing_ok=True)
