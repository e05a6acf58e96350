"""Exports written by torch's own exporter, and read by onnxruntime."""

import hashlib
import json
import re
from itertools import product
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
import torch
from tiny_models import save_student, student

from xlite.classify import Classifier
from xlite.engines.engine import Output
from xlite.engines.onnx_engine import OnnxEngine
from xlite.engines.torch_engine import TorchEngine
from xlite.errors import CheckpointError
from xlite.explain.methods import CLOSED_FORM
from xlite.export import write
from xlite.export.half import TOLERANCE, export_half
from xlite.export.write import export_model
from xlite.findings import FINDINGS
from xlite.metrics.calibration import Platt
from xlite.models.student import ATTENTIONS

CALIBRATION = Platt(scale=(1.5,) * 14, bias=(-1.0,) * 14)
FILMS = [np.random.default_rng(seed).integers(0, 256, (120, 100), dtype=np.uint8) for seed in range(2)]


def test_an_export_says_all_that_serving_needs(exported):
    source, file = exported
    entries = {entry.key: entry.value for entry in onnx.load(file).metadata_props}
    assert entries.pop("format") == "xlite-onnx-1"
    header = {key: json.loads(text) for key, text in entries.items()}
    assert header["findings"] == list(FINDINGS)
    assert header["calibration"]["method"] == "platt"
    assert header["split_id"] == "patient-42-0" and header["label_version"] == "2020"
    assert header["source_sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert (header["source"], header["precision"]) == ("model.safetensors", "fp32")
    assert b"/home" not in file.read_bytes() and b"site-packages" not in file.read_bytes()


def test_an_export_answers_for_any_number_of_films(exported):
    source, file = exported
    torch_engine, onnx_engine = TorchEngine.load(source), OnnxEngine.load(file)
    assert onnx_engine.info == torch_engine.info
    x = np.random.default_rng(1).normal(size=(5, 3, 96, 96)).astype(np.float32)
    for method in onnx_engine.methods:
        for films in (x[:1], x):
            logits, maps, *_ = onnx_engine.output(films, method)
            expected_logits, expected, *_ = torch_engine.output(films, method)
            np.testing.assert_allclose(logits, expected_logits, atol=1e-5)
            np.testing.assert_allclose(maps, expected, atol=1e-5 * expected.max())
    np.testing.assert_array_equal(onnx_engine.logits(x), logits)
    with pytest.raises(ValueError, match="'eigencam' is not a map of an exported model"):
        onnx_engine.output(x, "eigencam")


def test_rounding_of_maps_whose_terms_cancel_refuses_no_export():
    maps = {"layercam": np.full((1, 14, 2, 2), 0.2), "gradcam": np.full((1, 14, 2, 2), 0.0003)}
    logits = np.full((1, 14), -5.0)
    rounded = {"logits": logits, "probabilities": 1 / (1 + np.exp(-logits))}
    exported = SimpleNamespace(outputs=lambda x: rounded | {name: one + 6e-8 for name, one in maps.items()})
    info = SimpleNamespace(calibration=None)
    engine = SimpleNamespace(info=info, output=lambda x, method: Output(logits, maps[method]))
    parity = write.compare(engine, exported, np.zeros((1, 3, 4, 4)))
    assert parity.maps == pytest.approx(6e-8 / 0.2) and parity.holds
    maps["gradcam"][0, 3, 1, 1] += 0.001  # no rounding
    moved = {name: np.array(one) for name, one in maps.items()}
    moved["gradcam"][0, 3, 1, 1] -= 0.001
    exported = SimpleNamespace(outputs=lambda x: rounded | moved)
    parity = write.compare(engine, exported, np.zeros((1, 3, 4, 4)))
    assert parity.maps == pytest.approx(0.005) and not parity.holds


def test_a_model_is_read_by_its_export_as_long_as_it_is_the_same(exported, tmp_path):
    source, file = exported
    model, beside = tmp_path / "run" / "model.safetensors", tmp_path / "run" / "model.onnx"
    model.parent.mkdir()
    model.write_bytes(source.read_bytes())
    in_torch = Classifier.load(model)
    beside.write_bytes(file.read_bytes())
    by_export = Classifier.load(model)
    assert (in_torch.engine.name, by_export.engine.name) == ("torch", "onnxruntime")
    assert Classifier.load(beside).name == by_export.name == "run"
    one, other = in_torch.read(FILMS[0]), by_export.read(FILMS[0])
    np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-6)
    np.testing.assert_allclose(one.maps, other.maps, atol=1e-5 * one.maps.max())
    # maps of the library come from the weights, which an export alone has not
    by_library = [classifier.read(FILMS[0], "eigencam").maps for classifier in (by_export, in_torch)]
    np.testing.assert_array_equal(*by_library)
    with pytest.raises(CheckpointError, match="is an export, which has logits, probabilities and the maps"):
        Classifier.load(beside).read(FILMS[0], "eigencam")
    save_student(model, student(seed=7), 96, calibration=CALIBRATION)
    assert Classifier.load(model).engine.name == "torch"


def test_a_file_that_answers_otherwise_is_not_written(exported, tmp_path, monkeypatch):
    source = save_student(tmp_path / "model.safetensors", student(seed=7), 96, calibration=CALIBRATION)
    out = tmp_path / "out" / "model.onnx"
    monkeypatch.setattr(write, "_graph", lambda engine: onnx.load(exported[1]))  # another model's graph
    said = rf"^{re.escape(str(out))} does not answer here as it did when it was exported"
    with pytest.raises(CheckpointError, match=said):
        export_model(source, out, FILMS)
    assert not out.parent.exists()


@pytest.mark.parametrize("export", [export_model, export_half])
def test_a_refused_graph_is_told_by_the_name_asked_for(exported, tmp_path, monkeypatch, export):
    graph = onnx.load(exported[1])
    graph.graph.node[0].op_type = "NonZero"
    monkeypatch.setattr(write, "_graph", lambda engine: graph)
    out = tmp_path / "out" / "model.onnx"
    with pytest.raises(CheckpointError) as refused:
        export(exported[0], out, [])
    assert str(refused.value) == f"{out} has the operator NonZero, which no export of X-Lite has"
    assert not out.parent.exists()


@pytest.mark.parametrize("export", [export_model, export_half])
def test_a_head_of_one_linear_layer_answers_alike(tmp_path, export):
    model = student("test_efficientnet", hidden=0)
    source = save_student(tmp_path / "model.safetensors", model, 96, calibration=CALIBRATION)
    parity = export(source, tmp_path / "model.onnx", FILMS)
    assert parity.within(TOLERANCE if export is export_half else write.TOLERANCE) and parity.films == 3
    by_export, in_torch = OnnxEngine.load(tmp_path / "model.onnx"), TorchEngine.load(source)
    x = np.random.default_rng(1).normal(size=(3, 3, 96, 96)).astype(np.float32)
    for method in CLOSED_FORM:
        (logits, maps, *_), (own, cells, *_) = (one.output(x, method) for one in (by_export, in_torch))
        np.testing.assert_allclose(logits, own, atol=TOLERANCE)
        np.testing.assert_allclose(maps, cells, atol=TOLERANCE * cells.max())


BACKBONES = (
    *("efficientnet_b0", "tf_efficientnet_lite0", "mobilenetv2_100", "mobilenetv3_small_100"),
    *("mobilenetv3_large_100", "resnet18", "convnext_tiny", "densenet121"),
)
"""Others of their families go, too, if their parity holds."""
ALWAYS = {
    ("resnet18", "none"),
    ("mobilenetv3_small_100", "performer"),
}
"""One without attention and one with; the others are exported before a release."""
PAIRS = [
    pytest.param(*pair, marks=() if pair in ALWAYS else pytest.mark.release)
    for pair in product(BACKBONES, ATTENTIONS)
]


@pytest.mark.slow
@pytest.mark.parametrize(("backbone", "attention"), PAIRS)
def test_every_backbone_answers_alike(backbone, attention, tmp_path):
    model = student(backbone, attention)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim < 2:
                parameter.add_(torch.randn_like(parameter) * 0.05)
    source = save_student(tmp_path / "model.safetensors", model, 224, calibration=CALIBRATION)
    out = tmp_path / "model.onnx"
    parity = export_model(source, out, FILMS)
    assert parity.holds and parity.films == 3
    assert Classifier.load(source).engine.name == "onnxruntime"


@pytest.mark.slow
@pytest.mark.parametrize(("export", "units"), [(export_model, 4), (export_half, 7)])
def test_an_export_says_how_far_it_is(exported, tmp_path, export, units):
    told = []
    export(exported[0], tmp_path / "model.onnx", FILMS, lambda *done: told.append(done))
    assert len(FILMS) == 2 and told == [(done, units) for done in range(units + 1)]
