"""Exports with float16 weights."""

import numpy as np
import onnx
import pytest

from xlite.engines.onnx_engine import OnnxEngine
from xlite.engines.stamp import answering
from xlite.errors import CheckpointError
from xlite.export import half
from xlite.export.half import export_half, halve
from xlite.models.onnx_file import read_onnx
from xlite.models.onnx_graph import parsed


@pytest.fixture
def halved(exported):
    file = read_onnx(exported[1])
    proto = parsed(file.content)
    halve(proto)
    return file, proto


def test_weights_take_half_the_bytes_and_answer_alike(exported, halved, tmp_path):
    file, proto = halved
    kept = {one.data_type for one in proto.graph.initializer if len(one.dims) < 2}
    assert onnx.TensorProto.FLOAT16 not in kept  # biases and calibration
    one = answering(proto, file.info, file.facts.model_copy(update={"precision": "fp16"}))
    assert len(one.content) < 0.7 * len(file.content)
    x = np.random.default_rng(1).normal(size=(3, 3, 96, 96)).astype(np.float32)
    whole, small = OnnxEngine.of(file, exported[1]), OnnxEngine.of(one, tmp_path)
    np.testing.assert_allclose(small.logits(x), whole.logits(x), atol=half.TOLERANCE)
    assert small.facts.golden.logits != whole.facts.golden.logits


@pytest.mark.slow
@pytest.mark.parametrize("value", [1e30, pytest.param(np.nan, marks=pytest.mark.release)])
def test_weights_that_no_float16_holds_are_refused(exported, tmp_path, monkeypatch, value):
    def spoilt(proto):
        halve(proto)
        tensor = next(one for one in proto.graph.initializer if one.data_type == onnx.TensorProto.FLOAT16)
        values = onnx.numpy_helper.to_array(tensor).copy()
        with np.errstate(over="ignore"):
            values.flat[0] = value
        tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))

    monkeypatch.setattr(half, "halve", spoilt)
    with pytest.raises(CheckpointError, match="cannot be exported with float16 weights: the file answers"):
        export_half(exported[0], tmp_path / "out" / "model.onnx", [])
    assert not (tmp_path / "out").exists()
