"""What cross-fitted runs say of the folds that they left out, as films that fit a model's calibrator."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from judged import amend, save_tiny_model, write_common_folder

from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.data.split_files import load_split
from xlite.data.train_part import leave_out
from xlite.errors import CheckpointError
from xlite.evaluation.evaluate import judge_model
from xlite.evaluation.films import FilmLogits
from xlite.evaluation.left_out import LeftOut
from xlite.evaluation.options import JudgeOptions
from xlite.evaluation.validation import fit_info
from xlite.images import Preprocess, read_image
from xlite.metrics.calibration import apply_calibrator, fit_calibrator
from xlite.metrics.thresholds import Thresholds
from xlite.models.checkpoint import load_model, save_model
from xlite.models.info import FORMAT, ModelInfo, Pooled, header_of, parse_header
from xlite.models.student import Student

Fold = Callable[[str], str]
BARE = ModelInfo(
    backbone="resnet18", attention="none", hidden=16, dropout=0.1, preprocess=Preprocess(64),
    split_id="patient-42-1a2b3c4d", label_version="2020",
)  # fmt: skip


def drawn(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits, labels and patients of films, with Hernia on six of them."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((count, 14)) < 0.2).astype(np.float32)
    labels[:, -1] = np.arange(count) < 6
    return rng.normal(2 * labels - 6, 1.5), labels, np.arange(count) + count * seed


@pytest.fixture
def folder(own_home: Path, tiny_folder: Path, tmp_path: Path) -> Path:
    return write_common_folder(tmp_path / "common", save_tiny_model(own_home, tiny_folder))


@pytest.fixture
def fold(own_home: Path, folder: Path) -> Fold:
    """Saves a run that left a fold out, with weights of its own, and gives its name."""

    def save(text: str) -> str:
        model, info = load_model(own_home / "checkpoints" / "tiny" / "model.safetensors")
        with torch.no_grad():
            next(model.parameters()).mul_(1 + int(text[0]))
        path = own_home / "checkpoints" / f"fold-{text[0]}-of-{text[2]}" / "model.safetensors"
        path.parent.mkdir()
        save_model(path, model, info.noting(fold=text))
        return path.parent.name

    return save


def test_films_left_out_fit_the_calibrator_and_choose_no_threshold() -> None:
    val, other = drawn(300, 1), drawn(900, 2)
    left_out = LeftOut(FilmLogits(*other), runs=5)
    fitted = fit_info(BARE, *val, left_out=left_out)
    expected = fit_calibrator(*(np.concatenate(pair) for pair in zip(val, other, strict=True)))
    assert fitted.calibration == expected
    assert "Hernia" not in expected.uncalibrated() and "Hernia" in fit_calibrator(*val).uncalibrated()
    chosen = Thresholds.choose(val[1], apply_calibrator(val[0], expected), val[2])
    assert fitted.thresholds == chosen.by_finding() and fitted.thresholds["Hernia"] is None
    assert fitted.validation["Mass"].positive_films == int(val[1][:, 4].sum())
    assert fitted.notes.pooled == Pooled(films=900, patients=900, runs=5)
    assert parse_header(header_of(fitted) | {"format": FORMAT}, Path("m.safetensors")) == fitted
    assert fit_info(fitted, *val).notes.pooled is None


@pytest.mark.slow
def test_each_run_answers_for_the_films_that_it_left_out(folder: Path, fold: Fold) -> None:
    runs = (fold("2/3"), fold("1/3"))
    options = JudgeOptions(resamples=20, calibration="platt", folds=runs)
    found = judge_model("tiny", folder, "patient", "test", options)
    opened = NihFolder.open(folder)
    split = load_split(opened, "patient")
    stems = [leave_out(opened, split, text)[1] for text in ("2/3", "1/3")]
    assert len(stems[0]) > 50 and not {*stems[0]} & {*stems[1]}
    answered = [("tiny", split.stems("val")), *zip(runs, stems, strict=True)]
    logits = np.concatenate([said(name, opened, films) for name, films in answered])
    films = [stem for _, mine in answered for stem in mine]
    expected = fit_calibrator(logits, opened.labels(films), opened.patients(films))
    info = found.classifier.info
    np.testing.assert_allclose(info.calibration.scale, expected.scale, rtol=1e-4)
    np.testing.assert_allclose(info.calibration.bias, expected.bias, atol=1e-4)
    count, patients = len(films) - len(split.stems("val")), {*opened.patients(stems[0] + stems[1])}
    assert info.notes.pooled == Pooled(films=count, patients=len(patients), runs=2)


def said(name: str, folder: NihFolder, stems: list[str]) -> np.ndarray:
    """Logits (N, 14) of a model for films."""
    classifier = Classifier.load(name)
    inputs = [classifier.input(read_image(folder.paths[stem])) for stem in stems]
    return np.concatenate([classifier.logits(one) for one in inputs])


@pytest.mark.slow
def test_runs_that_cannot_stand_in_for_the_model_are_refused(
    folder: Path, fold: Fold, own_home: Path
) -> None:
    def refused(*runs: str, calibration: str | None = "platt") -> str:
        options = JudgeOptions(resamples=20, calibration=calibration, folds=runs)
        with pytest.raises(CheckpointError) as raised:
            judge_model("tiny", folder, "patient", "test", options)
        return str(raised.value)

    first, second, other = fold("1/3"), fold("2/3"), fold("1/2")
    assert refused("tiny") == "tiny left no fold out; expected runs as `xlite sweep crossfit` makes them"
    assert refused(first, first) == (
        "the runs leave out the folds 1/3, 1/3; expected each fold of one cross-fit once"
    )
    assert refused(first, other).startswith("the runs leave out the folds 1/3, 1/2; expected each fold")
    for method in (None, "none", "keep"):
        assert refused(first, calibration=method) == (
            f"{first} would fit a calibrator, and none is fitted: give one by --calibration, as platt"
        )
    file = own_home / "checkpoints" / second / "model.safetensors"
    own = load_model(file)[1].split_id
    amend(file, split_id="mine-1-00000000")
    assert refused(second) == f"{second} learned from split mine-1-00000000; expected the model's own, {own}"


@pytest.mark.slow
def test_another_network_is_refused(folder: Path, fold: Fold, own_home: Path) -> None:
    first, (_, info) = fold("1/3"), load_model(own_home / "checkpoints" / "tiny" / "model.safetensors")
    torch.manual_seed(0)
    other = Student("test_resnet", attention="mhsa", hidden=8)
    changed = info.model_copy(update={"attention": "mhsa"}).noting(fold="1/3")
    save_model(own_home / "checkpoints" / first / "model.safetensors", other, changed)
    options = JudgeOptions(resamples=20, calibration="platt", folds=(first,))
    with pytest.raises(CheckpointError) as raised:
        judge_model("tiny", folder, "patient", "test", options)
    assert str(raised.value) == (
        f"{first} is another network (test_resnet, all stages, attention mhsa), whose logits lie elsewhere; "
        "expected test_resnet, all stages, attention none"
    )
