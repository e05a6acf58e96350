"""What a run's folder says of how good, large and fast its model is, each from one small file. No torch."""

import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic_core import from_json

from xlite.errors import DataError, sentence
from xlite.evaluation.files import METRICS_FILE
from xlite.files import read_whole
from xlite.metrics.estimate import Estimate
from xlite.runs.results import Experiment

REPORT_FILE = f"evaluation/test/{METRICS_FILE}"
"""The report on the test part."""
ROW_FILE = "results_row.json"
"""The row of results.csv that a run's folder keeps."""
_NO_PARAMETERS = ("running_mean", "running_var", "num_batches_tracked")
"""How the tensors of a batch norm end that nothing trains."""
_LONGEST_HEADER = 32 * 2**20


@dataclass(frozen=True)
class Judgement:
    """What a report on the test part says in short: the mean AUC, on which films, and who knows them.

    known: how many of the films what it learned from knows; untold: there may be more, and nobody can tell;
    clean: the AUC on the others, None if there is none.
    """

    split_id: str
    label_version: str
    films: int
    auc: Estimate
    known: int = 0
    untold: bool = False
    clean: float | None = None

    @property
    def group(self) -> tuple[str, str]:
        """What has to be equal before two AUCs may be compared: split and edition of the labels."""
        return self.split_id, self.label_version


Share = Annotated[float, Field(ge=0, le=1)]


class _Auc(BaseModel):
    value: Share | None
    low: Share | None = None
    high: Share | None = None


class _Mean(BaseModel):
    auc: _Auc


class _FixedAuc(BaseModel):
    findings: list[str]
    estimate: _Auc


class _FixedMean(BaseModel):
    auc: _FixedAuc | None = None


class _Findings(BaseModel):
    auc: int


class _Split(BaseModel):
    id: str
    label_version: str
    images: int


class _Clean(BaseModel):
    macro: _Mean


class _Contamination(BaseModel):
    films: int
    unknown: list[Any] = []
    clean: _Clean | None = None


class _Short(BaseModel):
    """The fields of a metrics.json that a list of runs shows; an old report lacks those with a default.

    Not `Report`, which checks every metric: a page that lists hundreds of runs would wait for that.
    """

    split: _Split
    macro: _Mean
    macro_findings: _Findings | None = None
    macro_fixed: _FixedMean = _FixedMean()
    contamination: _Contamination | None = None

    def shown_auc(self) -> Estimate:
        """The mean AUC; with an interval only if Results gives one: if enough patients bear each finding."""
        auc, fixed = self.macro.auc, self.macro_fixed.auc
        if fixed is None:
            return Estimate(auc.value, auc.low, auc.high)
        if self.macro_findings is None or len(fixed.findings) != self.macro_findings.auc:
            return Estimate(auc.value)
        return Estimate(auc.value, fixed.estimate.low, fixed.estimate.high)


def read_judgement(path: Path) -> Judgement | None:
    """The short of a metrics.json; None if there is none. DataError if it is damaged."""
    try:
        short = _Short.model_validate_json(read_whole(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DataError(
            f"the evaluation {path.parent} is damaged and left out ({sentence(error):.200}); "
            "delete it or evaluate the model again"
        ) from error
    found = short.contamination
    return Judgement(
        split_id=short.split.id,
        label_version=short.split.label_version,
        films=short.split.images,
        auc=short.shown_auc(),
        known=found.films if found else 0,
        untold=bool(found and found.unknown),
        clean=found.clean.macro.auc.value if found and found.clean else None,
    )


def read_row(path: Path) -> Experiment | None:
    """The row of results.csv that a run's folder keeps; None if there is none, or it is damaged.

    A damaged one costs nothing but the latency: the log has the row, and a resumed run writes it anew.
    """
    try:
        return TypeAdapter(Experiment).validate_json(read_whole(path))
    except (FileNotFoundError, ValidationError):
        return None


def read_parameters(path: Path) -> int | None:
    """How many parameters the weights in a model file are, by its header; None if it is no such file."""
    try:
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = from_json(file.read(min(length, _LONGEST_HEADER)))
        shapes = {name: one["shape"] for name, one in header.items() if name != "__metadata__"}
        counts = [prod(shape) for name, shape in shapes.items() if not name.endswith(_NO_PARAMETERS)]
        return int(sum(counts))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, struct.error):
        return None
