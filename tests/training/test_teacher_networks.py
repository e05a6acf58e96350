"""An exported model as a teacher: the logits of its model, no features, and what it has seen."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from judged import amend, save_tiny_model
from tiny_runs import config, run_to_end

from xlite.data.folder import NihFolder
from xlite.data.split_files import load_split
from xlite.engines.onnx_engine import OnnxEngine
from xlite.errors import CheckpointError, RunError
from xlite.evaluation.contamination.sources import Source
from xlite.export.write import export_model
from xlite.images import Preprocess
from xlite.models.checkpoint import load_model
from xlite.training.job import check_job, open_job
from xlite.training.teacher_networks import ExportTeacher, NetworkTeacher
from xlite.training.teachers import open_teacher

ONE = (["a"], np.zeros((1, 14)), np.array(["1"]))


def test_an_export_teaches_what_its_model_does(exported: tuple[Path, Path]) -> None:
    """At another size than the student's, too."""
    network, info = load_model(exported[0])
    students = Preprocess(64, mean=(0.5,) * 3, std=(0.25,) * 3)
    model = NetworkTeacher(network, info.preprocess, students)
    export = ExportTeacher(OnnxEngine.load(exported[1]), students)
    x = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    answer = export(x.requires_grad_())
    torch.testing.assert_close(answer.logits, model(x).logits, rtol=0, atol=1e-4)
    assert (answer.features, export.feature_channels, answer.logits.requires_grad) == (None, 0, False)


def test_an_export_is_opened_by_its_file(exported: tuple[Path, Path], tmp_path: Path) -> None:
    path = exported[1]
    teacher, file_logits = open_teacher(str(path), Preprocess(64), *ONE)
    assert file_logits is None and teacher.feature_channels == 0
    assert [info.split_id for info in teacher.infos] == [OnnxEngine.load(path).info.split_id]
    assert f"{path} (test_resnet.r160_in1k at 96 px, split " in teacher.sentence
    assert teacher.sentence.endswith("; an export, read by onnxruntime on the processor)")
    assert teacher.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    both, _ = open_teacher(f"{path},{exported[0]}", Preprocess(64), *ONE)
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    silent = torch.full((2, 14), torch.nan)
    averaged, alone = both(x, silent), teacher(x, silent)
    torch.testing.assert_close(averaged.logits, alone.logits, rtol=0, atol=1e-4)
    (tmp_path / "cut.onnx").write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"cut\.onnx is not an ONNX file, or is damaged or cut short"):
        open_teacher(str(tmp_path / "cut.onnx"), Preprocess(64), *ONE)


@pytest.fixture
def taught(films: Path, tmp_path: Path) -> Path:
    """The export of a model that was trained on another split of the folder."""
    source = save_tiny_model(tmp_path, films)
    amend(source, split_id=load_split(NihFolder.open(films), "official").id, notes={"start_knows": []})
    export_model(source, tmp_path / "teacher.onnx", [])
    return tmp_path / "teacher.onnx"


@pytest.mark.release
@pytest.mark.slow
def test_what_an_export_has_seen_is_counted_as_that_of_a_model_file(films: Path, taught: Path) -> None:
    settings = config(films, "pupil", teacher=str(taught))
    source = taught.parent / "checkpoints" / "tiny" / "model.safetensors"
    by_export, by_model = (
        open_job(settings.model_copy(update={"teacher": str(path)}), None, lambda *counts: None)
        for path in (taught, source)
    )
    (known,) = by_export.info.notes.teacher_knows
    assert by_export.info.notes.teacher == "teacher.onnx"
    assert by_export.info.notes.teacher_knows == by_model.info.notes.teacher_knows
    assert Source.model_validate(known).split == load_split(NihFolder.open(films), "official").id


@pytest.mark.slow
def test_features_of_an_export_cannot_be_met(films: Path, taught: Path) -> None:
    said = f"--teacher '{taught}' is an export, which gives none: name the model that it was made from"
    with pytest.raises(RunError, match=re.escape(said)):
        check_job(config(films, "pupil", teacher=str(taught), feature_weight=1.0))


@pytest.mark.slow
@pytest.mark.usefixtures("quick_report")
def test_a_student_learns_from_an_export(films: Path, taught: Path) -> None:
    run, result = run_to_end(config(films, "pupil", teacher=str(taught), alpha=1.0))
    metrics = run.read_metrics()
    assert result.reason == "finished" and np.isfinite(metrics["soft_loss"]).all()
    assert (metrics["soft_loss"] > 0).all()
