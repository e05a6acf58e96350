"""Exports with 8-bit layers, from a folder of noise."""

import collections
import json

import numpy as np
import onnx
import pandas as pd
import pytest
from noise_folder import write_noise_folder
from tiny_models import student

from xlite.data.folder import NihFolder
from xlite.data.split_files import load_split, write_split
from xlite.data.splits import make_split
from xlite.engines.onnx_engine import OnnxEngine
from xlite.errors import CheckpointError, DataError
from xlite.export import int8
from xlite.export.int8 import calibration_films, export_int8, spread_over
from xlite.export.quantise import left_in_float, quantise, shift_logits
from xlite.export.write import export_model
from xlite.models.checkpoint import load_model, save_model
from xlite.models.onnx_file import OUTPUTS, read_onnx
from xlite.models.onnx_graph import parsed


@pytest.fixture
def source(tmp_path, exported):
    """A model whose split a folder of noise has, and the folder."""
    folder = NihFolder.open(write_noise_folder(tmp_path / "data", patients=40, size=96))
    split = make_split(folder)
    write_split(folder, split)
    model, info = load_model(exported[0])
    path = tmp_path / "model.safetensors"
    save_model(path, model, info.model_copy(update={"split_id": split.id}))
    return path, folder.root


@pytest.mark.slow
def test_layers_before_pooling_are_quantised_and_no_others(exported):
    file = read_onnx(exported[1])
    films = np.random.default_rng(0).integers(0, 256, (12, 96, 96), dtype=np.uint8)
    proto = quantise(parsed(file.content), films, file.info.preprocess)
    assert {node.domain for node in proto.graph.node} <= {"", "ai.onnx"}
    assert [one.name for one in proto.graph.output] == list(OUTPUTS)
    stored = {one.name: one.data_type for one in proto.graph.initializer}
    convs = [node for node in proto.graph.node if node.op_type == "Conv"]
    assert convs[0].input[1] in stored and stored[convs[0].input[1]] == onnx.TensorProto.FLOAT
    assert all(node.input[1] not in stored for node in convs[1:])  # they come out of a DequantizeLinear
    assert all(stored[node.input[1]] == onnx.TensorProto.FLOAT for node in proto.graph.node
               if node.op_type == "Gemm")  # fmt: skip


def test_the_first_layers_stay_in_float_if_asked(exported):
    graph = parsed(read_onnx(exported[1]).content).graph
    convs = [node.name for node in graph.node if node.op_type == "Conv"]
    for layers in (1, 3):
        assert [name for name in convs if name in left_in_float(graph, layers)] == convs[:layers]


def test_logits_are_shifted_and_nothing_else(exported):
    file = read_onnx(exported[1])
    proto, by = parsed(file.content), np.linspace(-1, 1, 14, dtype=np.float32)
    shift_logits(proto, by)
    shifted = OnnxEngine.draft(proto.SerializeToString(), file.info, file.facts)
    whole = OnnxEngine.load(exported[1])
    x = np.random.default_rng(0).normal(size=(2, 3, 96, 96)).astype(np.float32)
    np.testing.assert_allclose(shifted.logits(x) - whole.logits(x), np.tile(by, (2, 1)), atol=1e-5)


@pytest.mark.release
@pytest.mark.slow
def test_more_layers_are_tried_in_float_if_decisions_suffer_and_logits_keep_their_mean(
    source, tmp_path, monkeypatch
):
    path, data = source
    tried = []
    monkeypatch.setattr(int8, "in_turns", lambda files, **_: [2.0, 1.0])
    monkeypatch.setattr(int8.Loss, "objections", lambda self: tried.append(1) or ["x"] * (len(tried) < 2))
    found = export_int8(path, tmp_path / "x.onnx", data)
    assert (found.layers, len(tried)) == (int8.LAYERS_IN_FLOAT[1], 3)
    export_model(path, tmp_path / "whole.onnx", [])
    small, whole = (OnnxEngine.load(tmp_path / f"{name}.onnx") for name in ("x", "whole"))
    folder = NihFolder.open(data)
    films = calibration_films(folder, load_split(folder, "patient"), small.info.preprocess)
    x = np.stack([small.info.preprocess.normalize(film) for film in films])
    np.testing.assert_allclose(small.logits(x).mean(0), whole.logits(x).mean(0), atol=1e-3)


@pytest.mark.release
@pytest.mark.slow
def test_gates_of_channels_stay_in_float(tmp_path, exported):
    model = student("mobilenetv3_small_100")
    info = load_model(exported[0])[1].model_copy(update={"backbone": "mobilenetv3_small_100"})
    save_model(tmp_path / "m.safetensors", model, info)
    export_model(tmp_path / "m.safetensors", tmp_path / "m.onnx", [])
    graph = onnx.load(tmp_path / "m.onnx").graph
    kept = set(left_in_float(graph))
    kinds = collections.Counter(node.op_type for node in graph.node if node.name in kept)
    gates = sum(type(one).__name__ == "SqueezeExcite" for one in model.modules())
    assert kinds["Conv"] == 1 + 2 * gates  # the first layer and two of each gate


def test_calibration_films_are_of_many_patients_and_both_views():
    table = pd.DataFrame(
        {"patient": [*"aaaabbc", *map(str, range(8))], "view": ["PA"] * 9 + ["AP"] * 6},
    )
    rows = spread_over(table, 8)
    assert len(set(rows)) == 8 and table["patient"].iloc[rows].nunique() == 8
    assert set(table["view"].iloc[rows].value_counts()) <= {3, 4, 5}
    assert sorted(spread_over(table, 99)) == list(range(15))


@pytest.mark.slow
def test_an_int8_export_is_fitted_to_its_own_answers(source, tmp_path, monkeypatch, xlite):
    monkeypatch.setattr(int8, "in_turns", lambda files, **_: [2.0, 1.0])
    monkeypatch.setattr(int8.Loss, "objections", lambda self: [])  # of noise nothing can be asked
    path, data = source
    status, out, _ = xlite("export", path, "--int8", "--data", data, "--json")
    answer = json.loads(out)
    assert status == 0 and answer["file"] == str(tmp_path / "model.int8.onnx")
    engine = OnnxEngine.load(tmp_path / "model.int8.onnx")
    assert engine.facts.precision == "int8" and engine.facts.source == "model.safetensors"
    before = load_model(path)[1]
    assert engine.info.thresholds != before.thresholds and engine.info.thresholds_chosen_on is not None
    assert engine.info.preprocess == before.preprocess
    assert (tmp_path / "model.int8.onnx").stat().st_size < 0.7 * 1e6 * answer["megabytes"][0]


@pytest.mark.release
@pytest.mark.slow
def test_what_is_not_worth_having_is_not_written(source, tmp_path, monkeypatch):
    path, data = source
    monkeypatch.setattr(int8, "in_turns", lambda files: [1.0, 2.0])
    with pytest.raises(CheckpointError, match=r"it is not faster here: 2.0 ms a film, 1.0 in float32"):
        export_int8(path, tmp_path / "out" / "x.onnx", data)
    assert not (tmp_path / "out").exists()
    model, info = load_model(path)
    save_model(path, model, info.model_copy(update={"split_id": "patient-1-0"}))
    with pytest.raises(DataError, match="has no split patient-1-0, on which the model was trained"):
        export_int8(path, tmp_path / "out" / "x.onnx", data)


@pytest.mark.slow
def test_options_that_do_not_go_together_are_refused(exported, xlite, tmp_path):
    status, _, err = xlite("export", exported[0], "--int8", "--fp16")
    assert (status, err) == (
        2,
        "Error: --fp16 and --int8 are two ways to make a file smaller: choose one\n",
    )
    status, _, err = xlite("export", exported[0], "--int8")
    assert (status, err) == (2, "Error: --int8 needs --data DATA, the folder with the model's own split\n")
    status, _, err = xlite("export", exported[1], "--out", tmp_path / "x.onnx")
    assert status == 2 and "is an export already; name the model that it was made from" in err
