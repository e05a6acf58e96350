"""A graph in 8-bit numbers: static QDQ of the layers before pooling, by onnxruntime's own quantiser.

Weights have a scale per output channel and are symmetric; activations have one per tensor, whose ends are
percentiles over real films. Left in float are the first layer, whose input is the film itself, or some more;
squeeze and excitation, whose gates scale whole channels; and all from pooling on: head, maps, calibration.
"""

import contextlib
import io
import logging
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from xlite.files import Steps
from xlite.images import Preprocess
from xlite.models.onnx_file import INPUT
from xlite.models.onnx_graph import drop_unused, maker_of, upstream

log = logging.getLogger(__name__)

QUANTISED = ("Conv", "Add", "Clip", "Relu", "MaxPool", "Concat", "MatMul", "Gemm")
PERCENTILE = 99.999
AT_A_TIME = 10
"""Films whose activations are held at once: those of one film can take 50 MB."""


class _Films(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    """Films uint8 (N, S, S) as inputs, some at a time."""

    def __init__(self, films: np.ndarray, preprocess: Preprocess, steps: Steps):
        self.films, self.preprocess, self.steps = films, preprocess, steps
        self.left: Iterator[np.ndarray] = iter(())

    def __len__(self) -> int:
        return len(self.films)

    def set_range(self, start_index: int, end_index: int) -> None:
        """Which films `get_next` gives from here on."""
        self.left = iter(self.films[start_index:end_index])

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next film as an input; None at the end."""
        film = next(self.left, None)
        if film is None:
            return None
        self.steps.step()
        return {INPUT: self.preprocess.normalize(film)[None]}


def quantise(
    proto: ModelProto,
    films: np.ndarray,
    preprocess: Preprocess,
    layers: int = 1,
    steps: Steps | None = None,
) -> ModelProto:
    """The graph with 8-bit layers; films uint8 (N, S, S) say which values its activations take.

    The first `layers` convolutions stay in float. Activations are unsigned and weights signed, which
    processors multiply fastest. The films beyond a whole number of AT_A_TIME are left out; `steps` gets one
    for each of the others.
    """
    whole = max(1, len(films) // AT_A_TIME) * AT_A_TIME
    reader = _Films(films[:whole], preprocess, steps or Steps())
    with TemporaryDirectory() as folder, _own_words():
        source, ready, done = (str(Path(folder) / f"{name}.onnx") for name in ("source", "ready", "done"))
        onnx.save(proto, source)
        quant_pre_process(source, ready, skip_symbolic_shape=True)
        quantize_static(
            ready,
            done,
            reader,
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(QUANTISED),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=left_in_float(onnx.load(ready).graph, layers),
            calibrate_method=CalibrationMethod.Percentile,
            extra_options={
                "CalibStridedMinMax": min(AT_A_TIME, len(reader)),
                "CalibPercentile": PERCENTILE,
                "WeightSymmetric": True,
            },
        )
        quantised = onnx.load(done)
    del quantised.metadata_props[:], quantised.graph.value_info[:]
    drop_unused(quantised.graph)
    return quantised


def shift_logits(proto: ModelProto, by: np.ndarray) -> None:
    """Adds `by` (14,) to the logits, in the bias of the last layer, in place."""
    last = maker_of(proto.graph, "logits")
    bias = next(tensor for tensor in proto.graph.initializer if tensor.name == last.input[2])
    bias.CopyFrom(numpy_helper.from_array((numpy_helper.to_array(bias) + by).astype(np.float32), bias.name))


def left_in_float(graph: GraphProto, layers: int = 1) -> list[str]:
    """The names of the nodes that stay as they are, the first `layers` convolutions among them."""
    pooled = maker_of(graph, "features")
    before = upstream(graph, [pooled.input[0]])
    first = {node.name for node in [node for node in before if node.op_type == "Conv"][:layers]}
    kept = {node.name for node in graph.node} - {node.name for node in before} | first
    numbers = {one.name for one in graph.initializer}
    products = [node for node in before if node.op_type in ("MatMul", "Gemm")]
    kept |= {node.name for node in products if node.input[1] not in numbers}  # attention's own
    return sorted(kept | _gates(before))


def _gates(nodes: list[onnx.NodeProto]) -> set[str]:
    """The names of nodes between a mean over all cells and the product with the cells: gates of channels."""
    gates, names = set[str](), set[str]()
    for node in nodes:
        if node.op_type in ("ReduceMean", "GlobalAveragePool") or gates & set(node.input):
            names.add(node.name)
            if node.op_type != "Mul" or all(one in gates for one in node.input):
                gates |= set(node.output)
    return names


@contextlib.contextmanager
def _own_words() -> Iterator[None]:
    """What the quantiser prints goes to the log."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        yield
    for line in said.getvalue().splitlines():
        log.debug("onnxruntime.quantization: %s", line)
