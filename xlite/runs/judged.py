"""What a run's folder says of how good, large and fast its model is, each from one small file. No torch."""

import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from xlite.errors import DataError
from xlite.files import read_whole
from xlite.metrics.estimate import Estimate
from xlite.runs.results import Experiment

ROW_FILE = "results_row.json"
"""The row of results.csv that a run's folder keeps."""
_NO_PARAMETERS = ("running_mean", "running_var", "num_batches_tracked")
"""How the tensors of a batch norm end that nothing trains."""
_LONGEST_HEADER = 32 * 2**20


@dataclass(frozen=True)
class Judgement:
    """What a report on the test part says in short: the macro AUC, on which films, and who knows them.

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


def read_judgement(path: Path) -> Judgement | None:
    """The short of a metrics.json; None if there is none. DataError if it is damaged.

    Not by `Report`, which checks every metric: a page that lists hundreds of runs would wait for that.
    """
    try:
        content = from_json(read_whole(path))
        split, found = content["split"], content.get("contamination") or {}
        clean = (found.get("clean") or {}).get("macro", {}).get("auc", {}).get("value")
        return Judgement(
            split_id=str(split["id"]),
            label_version=str(split["label_version"]),
            films=int(split["images"]),
            auc=_shown_auc(content),
            known=int(found.get("films", 0)),
            untold=bool(found.get("unknown")),
            clean=_rate(clean),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise DataError(
            f"the evaluation {path.parent} is damaged and left out ({type(error).__name__}: {error!s:.200}); "
            "delete it or evaluate the model again"
        ) from error


def _shown_auc(content: Any) -> Estimate:
    """The macro AUC; with an interval only if Results gives one: if enough patients bear each finding."""
    value, low, high = (_rate(content["macro"]["auc"][name]) for name in ("value", "low", "high"))
    fixed = content.get("macro_fixed", {}).get("auc")
    if fixed is None:  # an old report
        return Estimate(value, low, high)
    if len(fixed["findings"]) != content["macro_findings"]["auc"]:
        return Estimate(value)
    return Estimate(value, *(_rate(fixed["estimate"][name]) for name in ("low", "high")))


def _rate(value: Any) -> float | None:
    if value is not None and not 0 <= value <= 1:
        raise ValueError(f"an AUC is {value!r:.80}, expected a number 0-1")
    return value if value is None else float(value)


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
