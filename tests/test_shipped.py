"""The exports that ship beside the model: made from this very file, and answering as it does."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from xlite.classify import Classifier
from xlite.data import published_splits
from xlite.engines.onnx_engine import OnnxEngine
from xlite.errors import CheckpointError
from xlite.evaluation.report import Report
from xlite.examples import examples
from xlite.files import digest_of
from xlite.images import read_image
from xlite.metrics.calibration import apply_calibrator
from xlite.models.available import EXPORT_FILES, MODEL_FILE, SHIPPED, TINY
from xlite.models.info import read_info
from xlite.models.onnx_file import read_onnx

MODELS = [Path(__file__).parents[1] / "checkpoints" / name for name in (SHIPPED, TINY)]
each_model = pytest.mark.parametrize("folder", MODELS, ids=lambda folder: folder.name)
# What `xlite export` fits anew to an int8 file's own answers.
FITTED = {"thresholds", "thresholds_chosen_on", "calibration", "validation"}


@each_model
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_each_export_was_made_from_the_model_that_ships(folder: Path, precision: str) -> None:
    source = folder / MODEL_FILE
    file = read_onnx(folder / EXPORT_FILES[precision])
    assert (file.facts.source, file.facts.source_sha256) == (MODEL_FILE, digest_of(source))
    assert file.facts.precision == precision
    own, info = file.info.model_dump(), read_info(source).model_dump()
    kept = own.keys() - (FITTED if precision == "int8" else set())
    assert {name: own[name] for name in kept} == {name: info[name] for name in kept}
    assert all(own[name] is not None for name in ("thresholds", "calibration", "validation"))


@each_model
def test_the_model_that_ships_is_read_by_onnxruntime(folder: Path) -> None:
    assert Classifier.load(folder / MODEL_FILE).engine.name == "onnxruntime"


@pytest.mark.slow
@each_model
def test_the_export_answers_as_its_weights_do_in_torch(folder: Path) -> None:
    pytest.importorskip("torch")
    from xlite.engines.torch_engine import TorchEngine
    from xlite.export.write import compare

    engine = TorchEngine.load(folder / MODEL_FILE)
    films = np.stack([engine.info.preprocess(read_image(film.path)) for film in examples().values()])
    found = compare(engine, OnnxEngine.load(folder / EXPORT_FILES["fp32"]), films)
    assert found.holds, found.differences()


@each_model
def test_the_small_export_answers_nearly_so(folder: Path) -> None:
    """`xlite export --int8` judged it on many films; here, that it is not another model's."""
    whole = OnnxEngine.load(folder / EXPORT_FILES["fp32"])
    try:
        small = OnnxEngine.load(folder / EXPORT_FILES["int8"])
    except CheckpointError as error:  # 8-bit products may overflow on a processor with AVX2 alone
        pytest.skip(str(error))
    films = [whole.info.preprocess(read_image(film.path))[None] for film in examples().values()]
    first, second = (
        apply_calibrator(np.concatenate([one.logits(x) for x in films]), one.info.calibration)
        for one in (whole, small)
    )
    assert np.abs(first - second).max() < 0.15 and np.abs(first - second).mean() < 0.01


def test_the_picture_of_a_pacs_in_the_docs_is_of_the_model_that_ships() -> None:
    """It was of the model before, in colours of before: docs/pictures.py says how it is taken anew."""
    with Image.open(Path(__file__).parents[1] / "docs" / "img" / "pacs.png") as picture:
        assert picture.info["model"] == digest_of(MODELS[0] / MODEL_FILE)


def test_all_that_ships_is_light() -> None:
    files = [path for folder in MODELS for path in folder.glob("model.*")]
    assert sum(path.stat().st_size for path in files) < 40e6
    assert (MODELS[1] / EXPORT_FILES["int8"]).stat().st_size < 2e6


@each_model
def test_the_films_that_judge_it_are_new_to_all_that_it_learned_from(folder: Path) -> None:
    report = Report.model_validate_json((folder / "evaluation" / "test" / "metrics.json").read_bytes())
    assert report.split.images >= 300 and not report.contaminated
    assert (Path(published_splits.__file__).parent / report.split.id / "test.csv").is_file()
