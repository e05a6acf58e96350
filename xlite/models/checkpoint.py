"""Model files: safetensors with all that serving needs in the header; replaced whole, and never unpickled."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor

from xlite.config import check_run_name
from xlite.errors import CheckpointError, RunError
from xlite.files import write_atomic
from xlite.findings import FINDINGS
from xlite.images import Preprocess
from xlite.metrics.calibration import Calibrator, from_dict
from xlite.models.available import MODEL_FILE, model_files, model_folders
from xlite.models.student import Student

FORMAT = "xlite-student-1"


@dataclass(frozen=True)
class ModelInfo:
    """What a model file says about its model, beside the weights.

    `thresholds` are probabilities by finding, `calibration` is as `fit_calibration` returns it, `notes` any
    JSON.
    """

    backbone: str
    attention: str
    hidden: int
    dropout: float
    preprocess: Preprocess
    split_id: str
    label_version: str
    thresholds: dict[str, float] | None = None
    calibration: Calibrator | None = None
    notes: dict[str, Any] = field(default_factory=dict)
    findings: tuple[str, ...] = FINDINGS

    def model_copy(self, *, update: dict[str, Any]) -> "ModelInfo":
        """The info with some of it changed."""
        return replace(self, **update)


def save_model(path: Path, model: Student, info: ModelInfo) -> None:
    """Writes weights and info as one file that is either whole or not there."""
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    _write(path, weights, info)


def load_model(path: Path) -> tuple[Student, ModelInfo]:
    """The model of a file, on the CPU and in eval, and its info.

    Raises CheckpointError where the file is of another kind, damaged, or not what its own header says.
    """
    header, weights = read_tensors(path)
    info = _parse(header, path)
    try:
        student = Student(info.backbone, info.attention, info.hidden, info.dropout)
    except RunError as error:
        raise CheckpointError(f"{path} cannot be rebuilt: {error}") from error
    check_same_tensors(weights, student.state_dict(), path)
    student.load_state_dict(weights)
    return student.eval(), info


def read_tensors(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """The metadata and tensors of a safetensors file; raises CheckpointError where it is something else."""
    # Read in one go: a run that trains may replace the file at any time, and safe_open opens it twice.
    with _named_errors(path):
        content = Path(path).read_bytes()
        weights = load(content)
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return header.get("__metadata__") or {}, weights


def read_info(path: Path) -> ModelInfo:
    """The header of a model file, without its weights. Raises CheckpointError as `load_model` does."""
    with _named_errors(path), safe_open(path, framework="pt") as file:
        return _parse(file.metadata() or {}, path)


@contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    if not Path(path).is_file():
        raise CheckpointError(f"there is no model file {path}")
    try:
        yield
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is no model file: {_kind(Path(path))}") from error


def _parse(header: dict[str, str], path: Path) -> ModelInfo:
    if header.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} holds tensors but is no X-Lite model: its header has no format {FORMAT!r}"
        )
    try:
        values = {key: json.loads(text) for key, text in header.items() if key != "format"}
        size, mean, std = (values["preprocess"][key] for key in ("size", "mean", "std"))
        values["preprocess"] = Preprocess(size, tuple(mean), tuple(std))
        if values.get("calibration") is not None:
            values["calibration"] = from_dict(values["calibration"])
        info = ModelInfo(**values | {"findings": tuple(values["findings"])})
        _check_values(info)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"the header of {path} is damaged ({error})") from error
    if info.findings != FINDINGS:
        raise CheckpointError(
            f"{path} answers for other findings, or in another order ({', '.join(map(str, info.findings))}); "
            f"expected NIH's 14 in NIH order ({', '.join(FINDINGS)})"
        )
    return info


def _check_values(info: ModelInfo) -> None:
    """Raises ValueError for values that no model works with: a header can say anything."""
    whole = {"hidden": (info.hidden, 8192), "size": (info.preprocess.size, 1024)}
    for name, (value, largest) in whole.items():
        if not isinstance(value, int) or not 1 <= value <= largest:
            raise ValueError(f"{name} is {value!r}, expected 1 to {largest}")
    if not isinstance(info.dropout, int | float) or not 0 <= info.dropout < 1:
        raise ValueError(f"dropout is {info.dropout!r}, expected 0 to 1")
    if not isinstance(info.backbone, str) or not isinstance(info.attention, str):
        raise ValueError(f"backbone {info.backbone!r} and attention {info.attention!r} must be names")
    _check_numbers("mean", info.preprocess.mean, 3)
    _check_numbers("std", info.preprocess.std, 3, positive=True)
    if not isinstance(info.notes, dict):
        raise ValueError(f"notes are {info.notes!r}, expected names with values")
    if info.thresholds is not None:
        _check_thresholds(info.thresholds)


def _check_thresholds(thresholds: Any) -> None:
    if not isinstance(thresholds, dict):
        raise ValueError(f"thresholds are {thresholds!r:.80}, expected one for each of the 14 findings")
    if missing := [finding for finding in FINDINGS if finding not in thresholds]:
        raise ValueError(f"thresholds lack {', '.join(missing)}")
    if unknown := sorted(thresholds.keys() - set(FINDINGS)):
        raise ValueError(f"thresholds know no {', '.join(unknown)}")
    for finding, value in thresholds.items():
        if not _is_number(value) or not 0 <= value <= 1:
            raise ValueError(f"threshold of {finding} is {value!r}, expected 0 to 1")


def _check_numbers(name: str, values: Any, count: int, positive: bool = False) -> None:
    kind = "numbers above 0" if positive else "numbers"
    fits = isinstance(values, list | tuple) and len(values) == count and all(map(_is_number, values))
    if not fits or (positive and min(values) <= 0):
        raise ValueError(f"{name} is {values!r:.80}, expected {count} finite {kind}")


def _is_number(value: Any) -> bool:
    """Whether it is a finite number that a float can hold: JSON has NaN, and whole numbers of any length."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) <= sys.float_info.max


def check_same_tensors(weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor], path: Path | str) -> None:
    """Raises CheckpointError naming the first tensors that are missing, left over, or of another shape."""
    missing = sorted(wanted.keys() - weights.keys())
    unknown = sorted(weights.keys() - wanted.keys())
    shapes = [
        f"{name} {tuple(weights[name].shape)} where {tuple(wanted[name].shape)} was expected"
        for name in sorted(wanted.keys() & weights.keys())
        if weights[name].shape != wanted[name].shape
    ]
    for what, names in (("lacks", missing), ("has unknown", unknown), ("has", shapes)):
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise CheckpointError(f"{path} does not fit its model: it {what} {', '.join(names[:3])}{more}")


def find_model(spec: str) -> Path:
    """The model file that a path or a run's name stands for.

    A file or a run's folder first, then a model by its name. Raises CheckpointError with the runs there are.
    """
    if not spec:
        raise CheckpointError(f"no model named; {_known_runs()}")
    given = Path(spec)
    for path in (given, given / MODEL_FILE):
        if path.is_file():
            return path
    try:
        name = check_run_name(spec)
    except RunError as error:
        raise CheckpointError(f"there is no model file {spec}; {_known_runs()}") from error
    files = model_files()
    if name in files:
        return files[name]
    if any(folder.name == name for folder in model_folders()):
        raise CheckpointError(f"run {name!r} has no model yet; it gets one at the end of its first epoch")
    raise CheckpointError(f"{spec!r} is neither a model file nor a run; {_known_runs()}")


def _known_runs() -> str:
    names = ", ".join(sorted(model_files()))
    return f"the runs with a model are {names}" if names else "no run has a model yet"


def _kind(path: Path) -> str:
    """In words, what a file that is not safetensors seems to be."""
    with path.open("rb") as file:
        start = file.read(16)
    if start[:2] == b"PK" or start[:1] == b"\x80":
        return "it is a pickle, which could run code when opened; X-Lite reads safetensors only"
    if not start:
        return "it is empty"
    if start[8:9] == b"{":
        return "it is a safetensors file, but damaged or cut short"
    return "it is not in the safetensors format"


def _write(path: Path, weights: dict[str, Tensor], info: ModelInfo) -> None:
    values = asdict(info) | {"calibration": info.calibration and info.calibration.model_dump()}
    header = {name: json.dumps(value, allow_nan=False) for name, value in values.items()}
    write_atomic(path, save(weights, header | {"format": FORMAT}))
