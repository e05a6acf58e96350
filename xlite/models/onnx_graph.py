"""Graphs of exported models as nodes: what an output is made of, and another calibration. No torch."""

from collections.abc import Iterable

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, helper, numpy_helper

from xlite.findings import FINDINGS
from xlite.metrics.calibration import Platt


def upstream(graph: GraphProto, names: Iterable[str]) -> list[NodeProto]:
    """The nodes that the tensors named are computed by, in the graph's order."""
    needed, found = set(names), []
    for node in reversed(graph.node):  # ONNX demands that nodes come after what they read
        if needed & set(node.output):
            needed |= set(node.input)
            found.append(node)
    return found[::-1]


def maker_of(graph: GraphProto, name: str) -> NodeProto:
    """The node that computes a tensor. Raises StopIteration if none does."""
    made: NodeProto = next(node for node in graph.node if name in node.output)
    return made


def drop_unused(graph: GraphProto, missing: str = "") -> None:
    """Takes out nodes and numbers that no output needs; the output `missing` has no node yet."""
    kept = upstream(graph, [one.name for one in graph.output if one.name != missing])
    read = {name for node in kept for name in node.input}
    numbers = [one for one in graph.initializer if one.name in read]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(kept)
    graph.initializer.extend(numbers)


def recalibrate(proto: ModelProto, calibration: Platt | None) -> None:
    """Lets `probabilities` be sigmoid(scale * logits + bias), or the plain sigmoid, whatever they were."""
    graph = proto.graph
    drop_unused(graph, missing="probabilities")
    ones, zeros = (1.0,) * len(FINDINGS), (0.0,) * len(FINDINGS)
    line = Platt(scale=ones, bias=zeros) if calibration is None else calibration
    for name in ("scale", "bias"):
        values = np.asarray(getattr(line, name), np.float32)
        graph.initializer.append(numpy_helper.from_array(values, f"refitted {name}"))
    graph.node.extend(
        (
            helper.make_node("Mul", ["logits", "refitted scale"], ["scaled logits"]),
            helper.make_node("Add", ["scaled logits", "refitted bias"], ["calibrated logits"]),
            helper.make_node("Sigmoid", ["calibrated logits"], ["probabilities"]),
        )
    )


def parsed(content: bytes) -> ModelProto:
    """The graph of a file's content, without what its metadata says."""
    proto = onnx.load_from_string(content)
    del proto.metadata_props[:]
    return proto
