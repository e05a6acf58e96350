"""What a model file says about its model, beside the weights: ModelInfo. No torch."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import from_json
from safetensors import SafetensorError, safe_open

from xlite.config import is_fold
from xlite.errors import CheckpointError, objection
from xlite.files import read_whole, write_atomic
from xlite.findings import FINDINGS
from xlite.guards.likeness import Likeness
from xlite.images import Preprocess
from xlite.metrics.calibration import Calibrator
from xlite.metrics.thresholds import ChosenByHand, ValidationPatients
from xlite.metrics.validation_record import ValidationRecord
from xlite.metrics.worth import Averaged
from xlite.models.adapted import AdaptedTo

FORMAT = "xlite-student-1"

# Greys go from 0 to 1, in steps of 1/255: beyond these numbers float32 has no room left for a film.
SMALLEST_STD, LARGEST_STD, LARGEST_MEAN = 1e-6, 1e3, 1e3

Probability = Annotated[float, Field(ge=0, le=1)]
Line = Annotated[str, Field(max_length=200)]


class Pooled(BaseModel):
    """Films that fitted a calibrator beside the validation films.

    `films` of `patients`, each read by the one of `runs` runs that had left its fold of the train part out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    films: Annotated[int, Field(ge=1)]
    patients: Annotated[int, Field(ge=1)]
    runs: Annotated[int, Field(ge=1)]


class ModelNotes(BaseModel):
    """What a model file notes of its model's training; nothing here is needed to serve the model.

    `teacher_knows` are the sources of its teachers, as `evaluation/contamination/sources.py` reads them, and
    `start_knows` those of the model that it started from: if it is noted and empty, it started without one.
    `contamination` is a sentence instead, in older model files. `epoch` is the best of `epochs` by the
    validation films. `fold`: the fold of its train part that was left out, as `2/5`. `balance`: of several
    data folders, whether each `film` was drawn as often, or as many films of each `folder`. `phantoms`: its
    films were drawn. `labels_dropped`, `labels_softened`: how many labels of its training films were in doubt
    and counted for nothing, or for less. `members` are the notes of an ensemble's members; `mirrored`: each
    answer is the mean of a film's and its mirror image's.
    `thresholds_by_hand` are by finding those thresholds that a person chose; the others are of validation
    films. `pooled` says which films beside those fitted the calibrator. `adapted_to` says of which films the
    calibrator and some thresholds are instead.
    Other notes are kept as they are.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    run: str = ""
    train_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    fold: str = ""
    trained_on: str = ""
    phantoms: bool = False
    teacher: str | None = None
    teacher_knows: tuple[dict[str, Any], ...] = ()
    start_knows: tuple[dict[str, Any], ...] = ()
    contamination: str = ""
    loss: str = ""
    sampler: str = ""
    balance: str = ""
    labels_dropped: int = 0
    labels_softened: int = 0
    seed: int | None = None
    started_from: str = ""
    data_fingerprint: str = ""
    xlite: str = ""
    epoch: int | None = None
    epochs: int | None = None
    members: "tuple[ModelNotes, ...]" = ()
    mirrored: bool = False
    thresholds_by_hand: dict[str, ChosenByHand] = {}
    pooled: Pooled | None = None
    adapted_to: AdaptedTo | None = None

    def without_hand(self) -> "ModelNotes":
        """The same for thresholds that are all chosen anew by validation films."""
        chosen = {"thresholds_by_hand", "pooled", "adapted_to"}
        return ModelNotes.model_validate(
            {name: value for name, value in self.model_dump().items() if name not in chosen}
        )

    @field_validator("fold")
    @classmethod
    def _fold_is_one(cls, fold: str) -> str:
        if fold and not is_fold(fold):
            raise ValueError(f"fold is {fold!r:.80}, expected one of several, as 2/5")
        return fold

    @classmethod
    def joint(cls, members: Sequence["ModelNotes"]) -> "ModelNotes":
        """The notes of an ensemble: those of its members, and by what the films of all of them are known."""
        common: dict[str, Any] = {
            "trained_on": ", ".join(dict.fromkeys(one.trained_on for one in members if one.trained_on)),
            "teacher": ", ".join(dict.fromkeys(one.teacher for one in members if one.teacher)),
            "contamination": " ".join(dict.fromkeys(one.contamination for one in members)).strip(),
            "train_share": max(one.train_share for one in members),
            "phantoms": all(one.phantoms for one in members),
            "fold": folds.pop() if len(folds := {one.fold for one in members}) == 1 else "",
        }
        return cls(members=tuple(members), **{name: value for name, value in common.items() if value})

    @model_serializer(mode="wrap")
    def _what_was_noted(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Only what was noted: a default says that nothing is known."""
        return {name: value for name, value in handler(self).items() if name in self.model_fields_set}


class ModelInfo(BaseModel):
    """What a model file says about its model, beside the weights: its header has these fields as JSON.

    A header can say anything, so the values are checked: no others work with a model. `calibration` is the
    calibrator of its probabilities, `thresholds` are the probabilities by finding from which it calls a
    finding present, None if withheld as too few patients chose it; `thresholds_chosen_on` counts these, and
    an old file does not say; the notes name those that a person chose. `validation` is what the validation
    films say of each finding at these thresholds, after this calibrator; an old file has none. `likeness`
    says which films are unlike those of training in the model's features; None if nobody fitted it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    backbone: Line
    attention: Line
    hidden: Annotated[int, Field(ge=0, le=8192)]
    dropout: Annotated[float, Field(ge=0, lt=1)]
    stages: Annotated[int, Field(ge=0, le=64)] = 0
    preprocess: Preprocess
    split_id: Line
    label_version: Line
    thresholds: dict[str, Probability | None] | None = None
    thresholds_chosen_on: dict[str, ValidationPatients] | None = None
    calibration: Calibrator | None = None
    validation: dict[str, ValidationRecord] | None = None
    likeness: Likeness | None = None
    notes: Annotated[ModelNotes, Field(strict=False)] = ModelNotes()
    findings: tuple[str, ...] = FINDINGS

    def noting(self, **notes: Any) -> "ModelInfo":
        """The same with these notes beside the others, or in their place."""
        return self.model_copy(update={"notes": self.notes.model_copy(update=notes)})

    @property
    def averaged(self) -> Averaged | None:
        """Of which readings the answers are means that nothing was fitted to; None of any other model."""
        if self.thresholds is not None:
            return None
        if self.notes.mirrored:
            return "mirror_image"
        return "members" if self.notes.members and self.calibration is None else None

    def of_means(self) -> "ModelInfo":
        """What holds of means over several readings by one model: all but what single ones were held to.

        The logits of means are spread less, so that neither the thresholds, nor what these did on the
        validation films, are theirs. The calibrator stays: it takes means for single readings.
        """
        fitted = ("thresholds", "thresholds_chosen_on", "validation")
        hand = self.notes.model_copy(update={"thresholds_by_hand": {}})
        return self.model_copy(update={name: None for name in fitted} | {"notes": hand})

    @field_validator("preprocess")
    @classmethod
    def _preprocess_is_usable(cls, preprocess: Preprocess) -> Preprocess:
        size, mean, std = preprocess.size, preprocess.mean, preprocess.std
        if not 1 <= size <= 1024:
            raise ValueError(f"preprocess.size is {size!r:.80}, expected 1 to 1024")
        if not all(abs(value) <= LARGEST_MEAN for value in mean):
            raise ValueError(
                f"preprocess.mean is {mean!r:.80}, expected 3 numbers from {-LARGEST_MEAN:g} to "
                f"{LARGEST_MEAN:g}"
            )
        if not all(SMALLEST_STD <= value <= LARGEST_STD for value in std):
            raise ValueError(
                f"preprocess.std is {std!r:.80}, expected 3 numbers from {SMALLEST_STD:g} to {LARGEST_STD:g}"
            )
        return preprocess

    @field_validator("notes")
    @classmethod
    def _notes_can_be_written(cls, notes: ModelNotes) -> ModelNotes:
        """JSON has no NaN, though Python reads one."""
        json.dumps(notes.model_dump(), allow_nan=False)
        return notes

    @model_validator(mode="after")
    def _withheld_thresholds_have_a_reason(self) -> Self:
        for finding, cut in (self.thresholds or {}).items():
            if cut is None and self.thresholds_chosen_on is None:
                raise ValueError(f"thresholds.{finding} is None, and thresholds_chosen_on does not say why")
        return self

    @model_validator(mode="after")
    def _records_are_of_these_thresholds(self) -> Self:
        for finding, one in (self.validation or {}).items():
            cut = (self.thresholds or {}).get(finding)
            if finding in self.notes.thresholds_by_hand and one.sensitivity is None is one.specificity:
                continue  # what it does on the validation films was not to be found out
            for name, rate, films in (
                ("sensitivity", one.sensitivity, one.positive_films),
                ("specificity", one.specificity, one.negative_films),
            ):
                if (rate is not None) != (cut is not None and films > 0):
                    raise ValueError(f"validation.{finding}.{name} is {rate}, but its threshold is {cut}")
        return self

    @field_validator("thresholds", "thresholds_chosen_on", "validation")
    @classmethod
    def _findings_are_all_there(
        cls, values: dict[str, Any] | None, field: ValidationInfo
    ) -> dict[str, Any] | None:
        if values is None:
            return None
        if missing := [finding for finding in FINDINGS if finding not in values]:
            raise ValueError(f"{field.field_name} lack {', '.join(missing)}")
        if unknown := sorted(values.keys() - set(FINDINGS)):
            raise ValueError(f"{field.field_name} know no {', '.join(unknown)}")
        return values


@dataclass(frozen=True)
class ModelSize:
    """What a model costs: parameters, megabytes (10^6 bytes) of its file, multiply-adds of one film."""

    parameters: int
    megabytes: float
    multiply_adds: int

    def __str__(self) -> str:
        """`2.88 M parameters, 11.7 MB, 0.31 G multiply-adds`."""
        return (
            f"{self.parameters / 1e6:.2f} M parameters, {self.megabytes:.1f} MB, "
            f"{self.multiply_adds / 1e9:.2f} G multiply-adds"
        )


def check_channels(info: ModelInfo, channels: int) -> None:
    """ValueError unless its likeness, if there is one, is of features of so many channels."""
    if info.likeness and info.likeness.channels != channels:
        raise ValueError(f"likeness is of {info.likeness.channels} features, and the network has {channels}")


def header_of(info: ModelInfo) -> dict[str, str]:
    """The fields as JSON by name, as the header of a model file has them beside its format.

    Without a likeness, if there is none: earlier versions know no such field.
    """
    fields = info.model_dump(exclude=None if info.likeness else {"likeness"}).items()
    return {name: json.dumps(value, allow_nan=False, separators=(",", ":")) for name, value in fields}


def rewrite_info(path: Path, info: ModelInfo) -> None:
    """Puts another info in the place of a model file's own; its weights stay to the last bit.

    Raises CheckpointError if the file is none, or if no model could be read by that info.
    """
    with named_errors(path):
        content = read_whole(path)
        size = int.from_bytes(content[:8], "little")
        header = from_json(content[8 : 8 + size])
    metadata = header_of(info) | {"format": FORMAT}
    parse_header(metadata, path)
    text = json.dumps({**header, "__metadata__": metadata}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the tensors stay aligned
    write_atomic(path, len(text).to_bytes(8, "little") + text + content[8 + size :])


def read_info(path: Path) -> ModelInfo:
    """The header of a model file, without its weights. Raises CheckpointError as `load_model` does."""
    with named_errors(path), safe_open(path, framework="np") as file:
        return parse_header(file.metadata() or {}, path)


@contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Turns what safetensors raises into a CheckpointError that says what the file is instead."""
    if not Path(path).is_file():
        raise CheckpointError(f"there is no model file {path}")
    try:
        yield
    except LookupError as error:
        raise CheckpointError(f"{path} holds numbers of type {error}, which no model here uses") from error
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path} is not a model file: {_kind(Path(path))}") from error


def parse_header(header: dict[str, str], path: Path, kind: str = FORMAT) -> ModelInfo:
    """The info of a file's header of format `kind`; raises CheckpointError for values no model works with."""
    if header.get("format") != kind:
        raise CheckpointError(
            f"{path} holds tensors but is not an X-Lite model: its header has no format {kind!r}"
        )
    try:
        values = {key: from_json(text) for key, text in header.items() if key != "format"}
        # What has a default in Python has to stand in a header.
        values = {"findings": None} | values
        if isinstance(values.get("preprocess"), dict):
            values["preprocess"] = {"mean": None, "std": None} | values["preprocess"]
        info = ModelInfo.model_validate_json(json.dumps(values))  # JSON, in which tuples are lists
    except ValidationError as error:
        raise CheckpointError(f"the header of {path} is damaged ({objection(error)})") from error
    except ValueError as error:
        raise CheckpointError(f"the header of {path} is damaged ({error})") from error
    if info.findings != FINDINGS:
        raise CheckpointError(
            f"{path} answers for other findings, or in another order ({', '.join(info.findings):.300}); "
            f"expected NIH's 14 in NIH order ({', '.join(FINDINGS)})"
        )
    return info


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
