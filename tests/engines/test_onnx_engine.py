"""Exported files that were damaged or tampered with: refused by name, before anything runs."""

import base64
import json

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from xlite.engines.onnx_engine import OnnxEngine
from xlite.errors import CheckpointError
from xlite.explain.methods import METHODS, Method
from xlite.findings import FINDINGS


@pytest.fixture
def tampered(exported, tmp_path):
    """Writes the export after a change to its proto, and returns the path."""

    def write(change):
        proto = onnx.load(exported[1])
        change(proto)
        path = tmp_path / "tampered.onnx"
        path.write_bytes(proto.SerializeToString())
        return path

    return write


def entry(proto, key):
    return next(one for one in proto.metadata_props if one.key == key)


def edit(key, change):
    """A change of one entry of the metadata."""

    def apply(proto):
        one = entry(proto, key)
        value = json.loads(one.value)
        one.value = json.dumps(change(value) or value)

    return apply


def external(proto):
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../etc/passwd")


def external_in_a_node(proto):
    tensor = numpy_helper.from_array(np.zeros(3, np.float32), "k")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    proto.graph.node.insert(0, helper.make_node("Constant", [], ["k"], value=tensor))
    proto.graph.node[0].op_type = "Identity"


def loop(proto):
    proto.graph.node.insert(0, helper.make_node("Loop", ["m", "c"], ["x"], body=proto.graph))


def custom(proto):
    proto.graph.node.insert(0, helper.make_node("PyOp", ["image"], ["x"], domain="ai.onnx.contrib"))


def branch(proto):
    proto.graph.node.insert(0, helper.make_node("Identity", ["image"], ["x"], then_branch=proto.graph))


def function(proto):
    proto.functions.add(name="f", domain="d")


def other_weights(proto):
    for tensor in proto.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and len(tensor.dims) == 4:
            tensor.CopyFrom(numpy_helper.from_array(2 * numpy_helper.to_array(tensor), tensor.name))
            return


def other_output(proto):
    proto.graph.output[0].name = "scores"


def nested_deeply(key):
    """A change of one entry that nests ever deeper."""

    def apply(proto):
        entry(proto, key).value = "[" * 100_000 + "]" * 100_000

    return apply


def huge_film(golden):
    film = cv2.imencode(".png", np.zeros((5000, 5000), np.uint8))[1].tobytes()
    return golden | {"film": base64.b64encode(film).decode()}


def dangling(proto):
    proto.graph.node[0].input[1] = "nowhere"


def terabytes(proto):
    proto.graph.initializer.append(numpy_helper.from_array(np.array([10**6, 10**6, 1, 14]), "sides"))
    last = next(node for node in proto.graph.node if "logits" in node.output)
    last.output[list(last.output).index("logits")] = "before"
    proto.graph.initializer.append(numpy_helper.from_array(np.array([0, 1]), "axes"))
    proto.graph.node.append(helper.make_node("Expand", ["before", "sides"], ["huge"]))
    proto.graph.node.append(helper.make_node("ReduceMean", ["huge", "axes"], ["logits"], keepdims=0))


def other_size(proto):
    proto.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 2**31


def lying_shape(proto):
    proto.graph.initializer[0].dims[0] = 2**40


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (external, "keeps the numbers of .* in another file"),
        (external_in_a_node, "keeps the numbers of k in another file"),
        (loop, "has the operator Loop"),
        (custom, "has the operator ai.onnx.contrib.PyOp"),
        (branch, "has a graph within its graph"),
        (function, "has functions of its own"),
        (other_output, "answers with scores, "),
        (other_size, r"takes image; expected image of \(batch, 3, 96, 96\)"),
        (lying_shape, "cannot be run by onnxruntime: its layers and numbers|does not answer here"),
        (other_weights, "does not answer here as it did"),
        (edit("findings", lambda names: names[::-1]), "answers for other findings, or in another order"),
        (edit("calibration", lambda c: c | {"bias": [1.0] * 14}), r"\(it differs in calibration"),
        (edit("calibration", lambda c: c | {"bias": ["x"] * 14}), "is damaged"),
        (edit("thresholds", lambda _: {"Hernia": 0.5}), "thresholds lack"),
        (edit("golden", lambda g: g | {"film": "no film"}), "is damaged"),
        (edit("golden", lambda g: g | {"logits": [0.0] * 13}), "is damaged"),
        (edit("golden", lambda g: g | {"logits": [float("nan")] * 14}), "does not answer here"),
        (edit("golden", huge_film), "its film is 5,000 x 5,000 pixels, not 96"),
        (nested_deeply("golden"), "is damaged"),
        (nested_deeply("backbone"), "is damaged"),
        (dangling, "cannot be run by onnxruntime: its layers and numbers do not fit together"),
        (terabytes, "cannot be run by onnxruntime: its layers and numbers do not fit together"),
        (edit("source_sha256", lambda _: 7), "is damaged"),
        (lambda proto: proto.metadata_props.remove(entry(proto, "format")), "has no format 'xlite-onnx-1'"),
        (lambda proto: proto.metadata_props.remove(entry(proto, "golden")), "is damaged"),
        (lambda proto: proto.graph.ClearField("node"), "it has no layers"),
    ],
)
def test_what_is_not_an_export_as_it_was_written_is_refused(tampered, change, refusal):
    with pytest.raises(CheckpointError, match=refusal):
        OnnxEngine.load(tampered(change))


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.999])
def test_a_file_that_was_cut_short_is_refused(exported, tmp_path, share):
    content = exported[1].read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointError, match=f"{path}"):
        OnnxEngine.load(path)


@pytest.mark.slow
def test_random_damage_is_refused_or_harmless(exported, tmp_path):
    content, rng = bytearray(exported[1].read_bytes()), np.random.default_rng(0)
    path = tmp_path / "damaged.onnx"
    for _ in range(40):
        damaged = bytearray(content)
        for place in rng.integers(0, len(content), 3):
            damaged[place] ^= int(rng.integers(1, 256))
        path.write_bytes(damaged)
        try:
            engine = OnnxEngine.load(path)
        except CheckpointError as error:
            assert str(path) in str(error)
        else:
            assert engine.info.findings == FINDINGS


def test_an_export_has_the_maps_of_its_graph_and_no_kind_that_was_added_later(exported, monkeypatch):
    monkeypatch.setitem(METHODS, "sumcam", Method("SumCAM", "A new kind."))
    engine = OnnxEngine.load(exported[1])
    assert engine.methods == ("layercam", "gradcam")
    with pytest.raises(
        ValueError, match="'sumcam' is not a map of an exported model: it has layercam, gradcam"
    ):
        engine.output(np.zeros((1, 3, 96, 96), np.float32), "sumcam")
