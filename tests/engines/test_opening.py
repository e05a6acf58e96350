"""Which engine opens which file: exports, models with and without an export beside them, and ensembles."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from tiny_models import save_student, student

from xlite.engines.ensemble import Ensemble
from xlite.engines.opening import export_of, open_engine, open_engines
from xlite.errors import CheckpointError, RunError

X = np.random.default_rng(0).normal(size=(1, 3, 96, 96)).astype(np.float32)


@pytest.fixture
def model(exported: tuple[Path, Path], tmp_path: Path) -> Path:
    """A model alone in its folder."""
    return Path(shutil.copy(exported[0], tmp_path / "model.safetensors"))


@pytest.fixture
def pair(exported: tuple[Path, Path], model: Path) -> tuple[Path, Path]:
    """A model with its export beside it."""
    return model, Path(shutil.copy(exported[1], model.with_name("model.onnx")))


def test_a_model_without_an_export_is_read_by_torch(model: Path) -> None:
    assert export_of(model) is None
    assert open_engine(model).name == "torch"


def test_a_model_with_its_export_beside_it_is_read_by_onnxruntime_and_answers_the_same(
    pair: tuple[Path, Path],
) -> None:
    by_export = open_engine(pair[0])
    assert by_export.name == "onnxruntime"
    pair[1].unlink()
    np.testing.assert_allclose(by_export.logits(X), open_engine(pair[0]).logits(X), atol=1e-4)


@pytest.mark.release
@pytest.mark.slow
def test_an_export_of_what_the_model_was_before_is_not_taken(pair: tuple[Path, Path]) -> None:
    """A run that trains on replaces its model, and its export stays."""
    save_student(pair[0], student(seed=1), 96)
    assert export_of(pair[0]) is None and open_engine(pair[0]).name == "torch"
    assert open_engine(pair[1]).name == "onnxruntime"  # which is read if it is named


def test_an_export_reads_on_a_processor_only(pair: tuple[Path, Path]) -> None:
    with pytest.raises(RunError, match="reads on the cpu; got device 'cuda'"):
        open_engine(pair[1], "cuda")
    with pytest.raises(RunError, match="device 'quantum' cannot be used"):
        open_engine(pair[0], "quantum")  # torch reads, and not the export beside it


def test_a_damaged_export_beside_a_model_is_an_error_and_not_passed_over(pair: tuple[Path, Path]) -> None:
    pair[1].write_bytes(pair[1].read_bytes()[:2000])
    with pytest.raises(CheckpointError, match=r"model\.onnx"):
        open_engine(pair[0])
    pair[1].write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"model\.onnx"):
        open_engine(pair[0])


def test_a_model_that_is_gone_is_not_replaced_by_its_export(pair: tuple[Path, Path]) -> None:
    pair[0].unlink()
    with pytest.raises(CheckpointError, match=r"model\.safetensors cannot be read \(No such file"):
        open_engine(pair[0])


def test_a_folder_of_the_exports_name_is_none(model: Path) -> None:
    model.with_name("model.onnx").mkdir()
    assert export_of(model) is None


@pytest.mark.slow
def test_one_model_is_no_ensemble_and_several_are_one(model: Path, tmp_path: Path) -> None:
    assert open_engines(["a"], [model]).name == "torch"
    other = save_student(tmp_path / "other.safetensors", student(seed=1), 96)
    both = open_engines(["a", "b"], [model, other])
    assert isinstance(both, Ensemble)
    alone = [open_engine(path).logits(X) for path in (model, other)]
    np.testing.assert_allclose(both.logits(X), np.mean(alone, axis=0), atol=1e-6)


@pytest.mark.slow
def test_members_that_do_not_fit_are_refused_by_their_names(model: Path, tmp_path: Path) -> None:
    small = save_student(tmp_path / "small.safetensors", student(), 64)
    with pytest.raises(CheckpointError, match="same preprocess; first has .*, second has "):
        open_engines(["first", "second"], [model, small])
