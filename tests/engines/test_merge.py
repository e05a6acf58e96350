"""Ensembles of exports as one graph."""

import shutil

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from tiny_models import student

from xlite.classify import Classifier
from xlite.engines.merge import merged
from xlite.engines.onnx_engine import OnnxEngine
from xlite.errors import CheckpointError
from xlite.export.ensemble import export_ensemble
from xlite.export.write import export_model
from xlite.metrics.calibration import apply_calibrator
from xlite.models.checkpoint import load_model, save_model
from xlite.models.onnx_file import OnnxFile, read_onnx


@pytest.fixture(scope="module")
def members(exported, tmp_path_factory):
    """Two tiny models of the same kind, exported."""
    folder, info = tmp_path_factory.mktemp("members"), load_model(exported[0])[1]
    save_model(folder / "other.safetensors", student(seed=7), info)
    export_model(folder / "other.safetensors", folder / "other.onnx", [])
    return [exported[1], folder / "other.onnx"]


@pytest.mark.slow
def test_an_ensemble_is_the_mean_of_its_members(members, tmp_path):
    out = tmp_path / "both.onnx"
    info = export_ensemble(members, out, None)
    both, (one, other) = OnnxEngine.load(out), (OnnxEngine.load(path) for path in members)
    x = np.random.default_rng(1).normal(size=(5, 3, 96, 96)).astype(np.float32)
    for method in both.methods:
        logits, maps, apart, features = both.output(x, method)
        (its, its_maps, *_), (others, others_maps, *_) = (engine.output(x, method) for engine in (one, other))
        np.testing.assert_allclose(logits, (its + others) / 2, atol=1e-5)
        np.testing.assert_allclose(maps, (its_maps + others_maps) / 2, atol=1e-5 * maps.max())
        np.testing.assert_allclose(features, one.output(x, method).features, atol=1e-5)
    probabilities = [apply_calibrator(logits, one.info.calibration) for logits in (its, others)]
    np.testing.assert_allclose(apart, np.std(probabilities, axis=0), atol=1e-5)
    assert (info.calibration, info.thresholds) == (None, None)  # those of a member are not its own
    assert one.output(x, "layercam").disagreement is None
    assert both.facts.parameters == one.facts.parameters + other.facts.parameters


def test_models_joined_by_commas_answer_as_the_merged_file(members, tmp_path):
    export_ensemble(members, tmp_path / "both.onnx", None)
    file, joined = Classifier.load(tmp_path / "both.onnx"), Classifier.load(",".join(map(str, members)))
    film = np.random.default_rng(2).integers(0, 256, (120, 100), dtype=np.uint8)
    for method in file.engine.methods:
        one, other = file.read(film, method), joined.read(film, method)
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-6)
        np.testing.assert_allclose(one.maps, other.maps, atol=1e-5 * one.maps.max())
        np.testing.assert_allclose(one.disagreement, other.disagreement, atol=1e-6)
    assert joined.engine.info == file.info and joined.engine.methods == file.engine.methods
    assert joined.engine.size().parameters == file.size().parameters
    x = joined.input(film)
    bare, whole = (joined.output(x, method) for method in (None, "layercam"))
    assert bare.maps.shape == (1, 14, 0, 0)
    np.testing.assert_array_equal(bare.logits, whole.logits)
    np.testing.assert_array_equal(bare.disagreement, whole.disagreement)
    with pytest.raises(CheckpointError, match="cannot be a member of another one"):
        Classifier.load(f"{tmp_path / 'both.onnx'},{members[0]}")


def test_a_reading_carries_the_disagreement(members, tmp_path):
    export_ensemble(members, tmp_path / "both.onnx", None)
    film = np.random.default_rng(0).integers(0, 256, (120, 100), dtype=np.uint8)
    own = [Classifier.load(path).predict(film) for path in members]
    found = Classifier.load(tmp_path / "both.onnx").read(film).disagreement
    np.testing.assert_allclose(found, np.std(own, axis=0), atol=1e-5)
    assert Classifier.load(members[0]).read(film).disagreement is None


def changed(file, **update):
    return OnnxFile(file.content, file.info.model_copy(update=update), file.facts)


def test_members_that_do_not_fit_are_refused(members):
    (one, other), names = map(read_onnx, members), ["one.onnx", "other.onnx"]
    with pytest.raises(CheckpointError, match="at least two members; got one.onnx"):
        merged(["one.onnx"], [one])
    with pytest.raises(CheckpointError, match="the same split_id; one.onnx has patient-42-0"):
        merged(names, [one, changed(other, split_id="patient-43-0")])
    with pytest.raises(CheckpointError, match="the same preprocess"):
        merged(names, [one, changed(other, preprocess=one.info.preprocess.__class__(64))])
    with pytest.raises(CheckpointError, match="cannot be a member of another one"):
        merged(names, [merged(names, [one, other]), one])


def test_a_tampered_ensemble_is_refused(members, tmp_path):
    out = tmp_path / "both.onnx"
    export_ensemble(members, out, None)
    proto = onnx.load(out)
    tensor = next(one for one in proto.graph.initializer if one.name == "refitted bias")
    tensor.CopyFrom(numpy_helper.from_array(np.full(14, -2, np.float32), tensor.name))
    onnx.save(proto, out)
    with pytest.raises(CheckpointError, match="does not answer here as it did .*probabilities, calibration"):
        OnnxEngine.load(out)


def test_the_command_says_that_an_ensemble_is_not_calibrated(xlite, members, tmp_path):
    out = tmp_path / "both.onnx"
    status, said, _ = xlite("ensemble", *members, "--out", out)
    assert status == 0 and "averages 2 members; it has no calibration and no thresholds" in said
    status, _, err = xlite("ensemble", *members, "--out", tmp_path / "both.pt")
    assert status == 2 and "must end in .onnx" in err


@pytest.mark.slow
def test_members_may_be_runs_that_were_exported(members, exported, tmp_path, monkeypatch):
    monkeypatch.setenv("XLITE_HOME", str(tmp_path))
    for run, source in (("one", exported[0]), ("two", exported[0])):
        folder = tmp_path / "checkpoints" / run
        folder.mkdir(parents=True)
        shutil.copyfile(source, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match="one has no export beside it: make one by `xlite export one`"):
        export_ensemble(["one", "two"], tmp_path / "both.onnx", None)
    for run in ("one", "two"):
        export_model(
            tmp_path / "checkpoints" / run / "model.safetensors",
            tmp_path / "checkpoints" / run / "model.onnx",
            [],
        )
    export_ensemble(["one", "two"], tmp_path / "both.onnx", None)
    assert OnnxEngine.load(tmp_path / "both.onnx").is_ensemble
    with pytest.raises(CheckpointError, match="at least two members; got one$"):
        export_ensemble(["one"], tmp_path / "both.onnx", None)


def test_the_shipped_models_are_no_file_but_the_message_says_what_can_be_done(tmp_path):
    with pytest.raises(CheckpointError) as refused:
        export_ensemble(["demo", "tiny"], tmp_path / "both.onnx", None)
    assert str(refused.value) == (
        "maps of members of an ensemble must have the same cells; got 7 x 7 of demo, 14 x 14 of tiny: "
        "without maps `xlite predict A,B` averages their probabilities"
    )
