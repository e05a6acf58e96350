"""Exported models: one ONNX file, and what its metadata says. No torch.

A file may come from anywhere, so it is looked through before anything runs: only layers that an export
writes, no control flow, no numbers outside the file, and inputs and outputs as they should be. onnxruntime
then gets these very bytes and no path.
"""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from google.protobuf.message import DecodeError
from pydantic import BaseModel, ConfigDict, model_validator
from pydantic import ValidationError as FieldError
from pydantic_core import from_json

from xlite.errors import CheckpointError, ImageError, objection
from xlite.files import read_file, write_atomic
from xlite.findings import FINDINGS
from xlite.formats.png import read_png
from xlite.models.info import ModelInfo, parse_header
from xlite.models.onnx_schema import EXTERNAL, model_class

FORMAT = "xlite-onnx-1"
INPUT = "image"
MAPS = ("layercam", "gradcam")
"""The kinds of map that an exported graph computes beside its answers, in the same pass."""
OUTPUTS = ("logits", "probabilities", *MAPS, "features")
DISAGREEMENT = "disagreement"
"""One more output of an ensemble: the standard deviation of its members' probabilities."""
TOLERANCES = {"fp32": 1e-3, "fp16": 1e-3, "int8": 0.2}
"""By precision, how far a golden answer may differ: sums in another order, and for int8 other rounding, too.

Engines that round a film's int8 values otherwise differ by .05 in logits; a processor that cannot add up
8-bit products without overflow differs by far more.
"""
MAX_BYTES = 2**30
OPERATORS = frozenset(
    (
        *("Add", "AveragePool", "BatchNormalization", "Cast", "Clip", "Concat", "Conv", "Cos"),
        *("DequantizeLinear", "Div", "Erf", "Exp", "Expand", "Flatten", "Gather", "Gelu", "Gemm"),
        *("GlobalAveragePool", "Greater", "GreaterOrEqual", "HardSigmoid", "HardSwish", "Identity"),
        *(
            "LayerNormalization",
            "Less",
            "LessOrEqual",
            "MatMul",
            "Max",
            "MaxPool",
            "Mean",
            "Min",
            "Mul",
            "Neg",
        ),
        *("Pad", "Pow", "QuantizeLinear", "Reciprocal", "ReduceMax", "ReduceMean", "ReduceSum", "Relu"),
        *("Reshape", "Shape", "Sigmoid", "Sin", "Slice", "Softmax", "Split", "Sqrt", "Squeeze", "Sub"),
        *("Tanh", "Transpose", "Unsqueeze", "Where"),
    )
)
"""What exports of all backbones are made of: no control flow, nothing that reads or that only grows."""


class Golden(BaseModel):
    """A film and what the file answers to it: each engine compares its own answer before it is used.

    `film` is a PNG in base64, grey, of the model's own size; logits and probabilities (14,), `layercam`
    (14, h, w). They may differ by `tolerance`, maps by that share of their peak.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    film: str
    logits: list[float]
    probabilities: list[float]
    layercam: list[list[list[float]]]
    tolerance: float

    def image(self) -> np.ndarray:
        """The film uint8 (S, S). Raises ValueError if it is not a PNG."""
        content = base64.b64decode(self.film, validate=True)
        try:
            return read_png(content)
        except ImageError as error:
            raise ValueError(f"its film cannot be read: {error}") from error


class ExportFacts(BaseModel):
    """What an export notes beside ModelInfo.

    `source` and `source_sha256` are name and hash of the file it was made from, `precision` is one of
    TOLERANCES; `parameters` and `multiply_adds` are what a film costs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    source: str
    source_sha256: str
    precision: str
    parameters: int
    multiply_adds: int
    golden: Golden

    @model_validator(mode="after")
    def _golden_answer_binds(self) -> Self:
        """A file may not say itself that any answer is right."""
        if self.precision not in TOLERANCES:
            raise ValueError(f"precision is {self.precision!r:.80}, expected one of {', '.join(TOLERANCES)}")
        if not 0 < self.golden.tolerance <= TOLERANCES[self.precision]:
            raise ValueError(
                f"golden.tolerance is {self.golden.tolerance!r:.80}, expected {TOLERANCES[self.precision]:g} "
                "at most"
            )
        return self


@dataclass(frozen=True, eq=False)
class OnnxFile:
    """A file looked through: its bytes, what they say of the model, and of the export."""

    content: bytes
    info: ModelInfo
    facts: ExportFacts

    def write(self, path: Path) -> None:
        """Writes the file, whole or not at all, and makes its folder if there is none."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, self.content)


def read_onnx(path: Path) -> OnnxFile:
    """An exported model, looked through. Raises CheckpointError, by name, for whatever must not be in it."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CheckpointError(f"{path} is larger than {MAX_BYTES // 2**20} MB: no student is")
        content = read_file(path)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror})") from error
    return look_through(content, path)


def look_through(content: bytes, path: Path) -> OnnxFile:
    """An exported model by its bytes, as `read_onnx`; `path` names it in errors."""
    proto = _parse(content, path)
    header = {entry.key: entry.value for entry in proto.metadata_props}
    known = ExportFacts.model_fields.keys()
    info = parse_header({key: text for key, text in header.items() if key not in known}, path, FORMAT)
    facts = _facts({key: text for key, text in header.items() if key in known}, path)
    _check_graph(proto, info.preprocess.size, path)
    return OnnxFile(content, info, facts)


def metadata(facts: ExportFacts) -> dict[str, str]:
    """The facts as JSON by name, as the file's metadata has them beside the fields of ModelInfo."""
    return {name: json.dumps(value, allow_nan=False) for name, value in facts.model_dump().items()}


def _parse(content: bytes, path: Path) -> Any:
    try:
        model = model_class().FromString(content)
    except DecodeError as error:
        raise CheckpointError(f"{path} is not an ONNX file, or is damaged or cut short") from error
    if not model.graph.node:
        raise CheckpointError(f"{path} is not an ONNX file: it has no layers")
    return model


def _facts(header: dict[str, str], path: Path) -> ExportFacts:
    try:
        values: dict[str, Any] = {key: from_json(text) for key, text in header.items()}
        return ExportFacts.model_validate(values)
    except FieldError as error:
        raise CheckpointError(f"the metadata of {path} is damaged ({objection(error)})") from error
    except ValueError as error:
        raise CheckpointError(f"the metadata of {path} is damaged ({error})") from error


def _check_graph(proto: Any, size: int, path: Path) -> None:
    if proto.functions or proto.training_info or proto.graph.sparse_initializer:
        raise CheckpointError(f"{path} has functions of its own, which no export of X-Lite has")
    for node in proto.graph.node:
        if node.domain not in ("", "ai.onnx") or node.op_type not in OPERATORS:
            name = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
            raise CheckpointError(f"{path} has the operator {name:.80}, which no export of X-Lite has")
        for attribute in node.attribute:
            if attribute.g.node or attribute.graphs:
                raise CheckpointError(f"{path} has a graph within its graph, which no export of X-Lite has")
            if attribute.sparse_tensor or attribute.sparse_tensors:
                raise CheckpointError(f"{path} has sparse numbers, which no export of X-Lite has")
            _check_inside([attribute.t, *attribute.tensors], path)
    _check_inside(proto.graph.initializer, path)
    given = [one.name for one in proto.graph.input]
    if given != [INPUT] or _sides(proto.graph.input[0])[1:] != [3, size, size]:
        raise CheckpointError(
            f"{path} takes {', '.join(given):.80}; expected {INPUT} of (batch, 3, {size}, {size})"
        )
    names = [one.name for one in proto.graph.output]
    if tuple(names) not in (OUTPUTS, (*OUTPUTS, DISAGREEMENT)):
        raise CheckpointError(f"{path} answers with {', '.join(names):.200}; expected {', '.join(OUTPUTS)}")
    if any(_sides(one)[1] != len(FINDINGS) for one in proto.graph.output if one.name != "features"):
        raise CheckpointError(f"{path} does not answer for {len(FINDINGS)} findings")


def _check_inside(tensors: Any, path: Path) -> None:
    for tensor in tensors:
        if tensor.data_location == EXTERNAL or tensor.external_data:
            raise CheckpointError(
                f"{path} keeps the numbers of {tensor.name:.80} in another file; an export of X-Lite is one"
            )


def _sides(value: Any) -> list[int]:
    """The sides of an input or output; 0 for one that may vary."""
    sides = [one.dim_value for one in value.type.tensor_type.shape.dim]
    return sides if len(sides) > 1 else [0, 0, 0, 0]
