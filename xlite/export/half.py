"""`xlite export --fp16`: weights stored in half the bytes, and computed with in float32 as before."""

from pathlib import Path

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from xlite.engines.onnx_engine import OnnxEngine
from xlite.engines.stamp import answering
from xlite.errors import CheckpointError
from xlite.export.write import Parity, compare, exported, units_of
from xlite.files import Progress, Steps
from xlite.models.onnx_graph import parsed, upstream

TOLERANCE = 0.05
"""Of logits, probabilities and maps as shares of LayerCAM's peak: a float16 has 11 binary digits."""
_FEW = 256


def export_half(source: Path, out: Path, films: list[np.ndarray], progress: Progress | None = None) -> Parity:
    """Writes the model file `source` as ONNX with float16 weights, if it answers as the model does.

    A processor computes no faster with it: the weights become float32 when the file is loaded. Raises
    CheckpointError, and writes nothing, if the answers differ by more than TOLERANCE.
    """
    steps = Steps(progress, units_of(films) + len(films) + 1)
    file, _ = exported(source, out, films, steps)
    proto = parsed(file.content)
    halve(proto)
    facts = file.facts.model_copy(update={"precision": "fp16"})
    half = OnnxEngine.draft(proto.SerializeToString(), file.info, facts)
    x = np.stack([file.info.preprocess(film) for film in [facts.golden.image(), *films]])
    parity = compare(OnnxEngine.of(file, out), half, x, steps)
    if not parity.within(TOLERANCE):
        raise CheckpointError(
            f"{source} cannot be exported with float16 weights: {parity.differences()}; at most "
            f"{TOLERANCE:g} is right"
        )
    answering(proto, file.info, facts).write(out)
    return parity


def halve(proto: ModelProto) -> None:
    """Stores the weights behind the logits as float16, each with a cast back to float32.

    Biases, scales and the calibration stay: they are few, and small errors of theirs move all cells at once.
    """
    graph = proto.graph
    behind = {name for node in upstream(graph, ["logits"]) for name in node.input}
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.name in behind and values.dtype == np.float32 and values.ndim > 1 and values.size >= _FEW:
            name, stored = tensor.name, f"{tensor.name} float16"
            with np.errstate(over="ignore"):  # what is too large for a float16 shows in the comparison
                tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), stored))
            casts.append(helper.make_node("Cast", [stored], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
