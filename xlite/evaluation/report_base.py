"""What the typed reports share: models that nothing changes, how intervals were made, and caveats."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, model_validator

from xlite.evaluation.contamination.caveats import Caveat
from xlite.evaluation.old_formats import said_caveats


class Stamp(NamedTuple):
    """What all metrics of a report carry: of which model, on which films, by which edition of the labels.

    training_seed: the seed that the model was trained with, if it is known; data: the name of the folder, if
    all of its films were judged.
    """

    model: str
    split_id: str
    part: str
    label_version: str
    training_seed: int | None = None
    data: str = ""


class ReportModel(BaseModel):
    """What a report is made of: typed values that nothing changes."""

    model_config = ConfigDict(frozen=True)


class Bootstrap(ReportModel):
    """How intervals were made."""

    unit: Literal["patient"] = "patient"
    resamples: int
    seed: int


class WithCaveats(ReportModel):
    """Metrics and what limits their worth, in a file also as the sentences "warnings"."""

    caveats: tuple[Caveat, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _of_old(cls, content: Any) -> Any:
        return said_caveats(content) if isinstance(content, Mapping) else content
