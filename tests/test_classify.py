import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from xlite.classify import Classifier, read_upload
from xlite.engines.torch_engine import TorchEngine
from xlite.errors import CheckpointError, ImageError, RunError
from xlite.explain import METHODS, Mapper, draw_cell, overlay, upsample_map
from xlite.findings import FINDINGS
from xlite.images import Preprocess, read_image
from xlite.metrics.calibration import Calibrator, Platt, apply_calibrator
from xlite.metrics.thresholds import ChosenByHand, ValidationPatients
from xlite.models.adapted import AdaptedTo
from xlite.models.checkpoint import save_model
from xlite.models.info import ModelInfo
from xlite.models.student import Student
from xlite.reading import Reading
from xlite.report.worth import threshold_sentence

CALIBRATOR = Platt(scale=tuple(0.5 + 0.1 * i for i in range(14)), bias=tuple(-1 + 0.2 * i for i in range(14)))
PREPROCESS = Preprocess(64, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))


def write_model(
    path: Path, backbone: str = "test_resnet.r160_in1k", preprocess: Preprocess = PREPROCESS
) -> Path:
    torch.manual_seed(0)
    model = Student(backbone, "mhsa")
    path.parent.mkdir(parents=True, exist_ok=True)
    save_model(path, model, info(backbone, "mhsa", preprocess, calibrator=CALIBRATOR))
    return path


def info(
    backbone: str,
    attention: str,
    preprocess: Preprocess,
    hidden: int = 256,
    calibrator: Calibrator | None = None,
) -> ModelInfo:
    return ModelInfo(
        backbone=backbone,
        attention=attention,
        hidden=hidden,
        dropout=0.3,
        preprocess=preprocess,
        split_id="patient-42-0",
        label_version="2020",
        calibration=calibrator,
    )


@pytest.fixture(scope="module")
def classifier(tmp_path_factory) -> Classifier:
    return Classifier.load(write_model(tmp_path_factory.mktemp("run") / "demo" / "model.safetensors"))


@pytest.fixture
def film() -> np.ndarray:
    """A film that is wider than high."""
    return np.random.default_rng(0).integers(0, 256, (90, 140), dtype=np.uint8)


@pytest.mark.slow
def test_finite_weights_whose_answer_is_not_are_refused_by_name(tmp_path, film):
    path = write_model(tmp_path / "huge.safetensors")
    loaded = Classifier.load(path)
    loaded.model.classifier[0].weight.data.fill_(3e38)
    save_model(path, loaded.model, loaded.info)
    broken = Classifier.load(path)
    for read in (broken.predict, broken.read):
        with pytest.raises(CheckpointError, match=f"{path} answers with values that are not finite"):
            read(film)


def test_a_film_is_read_as_training_would_see_it(classifier, film):
    """Preprocess, model, calibration, by hand."""
    x = torch.from_numpy(PREPROCESS.normalize(PREPROCESS.resize(film)))[None]
    with torch.no_grad():
        logits = classifier.model(x).numpy()
    expected = apply_calibrator(logits, CALIBRATOR)[0]
    np.testing.assert_allclose(classifier.logits(x.numpy()), logits, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(classifier.predict(film), expected, rtol=1e-5)
    assert classifier.predict(film).dtype == np.float32 and classifier.predict(film).shape == (14,)
    assert abs(expected - apply_calibrator(logits, None)[0]).max() > 0.1  # the calibration matters


def test_a_reading_is_prediction_and_explanation_at_once(classifier, film):
    reading = classifier.read(film)
    np.testing.assert_allclose(reading.probabilities, classifier.predict(film), rtol=1e-4)
    assert (reading.maps.shape, reading.maps.dtype, reading.shape) == ((14, 2, 2), np.float32, (90, 140))
    for i, finding in enumerate(FINDINGS):
        heat = classifier.explain(film, finding, "layercam")
        assert (heat.shape, heat.dtype) == ((90, 140), np.float32)
        np.testing.assert_array_equal(heat, reading.map(finding))
        np.testing.assert_array_equal(heat, upsample_map(reading.maps[i], (90, 140)))


@pytest.mark.parametrize("method", METHODS)
def test_a_film_is_read_with_the_maps_of_each_method(classifier, method):
    image = np.random.default_rng(4).integers(0, 256, (90, 140), dtype=np.uint8)
    reading, plain = classifier.read(image, method), classifier.read(image)
    np.testing.assert_array_equal(reading.probabilities, plain.probabilities)
    mapper = Mapper(classifier.model)
    f = mapper.features(torch.from_numpy(classifier.input(image)))
    maps = [mapper.maps(f, finding, [method])[method] for finding in range(14)]
    np.testing.assert_allclose(reading.maps, maps, rtol=1e-5, atol=1e-7)
    assert (reading.shape, reading.method) == ((90, 140), method)
    assert reading.map("Mass").shape == (90, 140)
    assert not any(module._forward_hooks for module in classifier.model.modules())


def test_a_reading_says_what_is_above_the_models_thresholds():
    probabilities = np.linspace(0.1, 0.75, 14, dtype=np.float32)  # Hernia is the likeliest
    thresholds = dict.fromkeys(FINDINGS, 0.5) | {"Hernia": 0.8}
    maps = np.zeros((14, 2, 2), np.float32)
    reading = Reading(probabilities, maps, (10, 10), thresholds=thresholds)
    above = [finding for finding in FINDINGS if reading.is_above(finding)]
    assert above == [f for f, p in zip(FINDINGS, probabilities, strict=True) if p >= 0.5][:-1]
    assert [finding for finding, _ in reading.also_above()] == above[::-1][
        2:
    ]  # the likeliest is none of them
    assert reading.also_above(14) == []
    assert threshold_sentence(reading.worth("Hernia")) == "below the model's threshold of 80.0%"
    assert threshold_sentence(reading.worth("Pleural Thickening")) == "above the model's threshold of 50.0%"
    bare = Reading(probabilities, maps, (10, 10))
    assert bare.also_above() == [] and threshold_sentence(bare.worth("Mass")) is None


def test_a_withheld_threshold_calls_nothing_and_says_why():
    probabilities, maps = np.full(14, 0.9, np.float32), np.ones((14, 2, 2), np.float32)
    chosen_on = dict.fromkeys(FINDINGS, ValidationPatients(25, 90)) | {"Hernia": ValidationPatients(3, 112)}
    thresholds = dict.fromkeys(FINDINGS, 0.5) | {"Hernia": None}
    reading = Reading(probabilities, maps, (10, 10), thresholds=thresholds, chosen_on=chosen_on)
    assert not reading.is_above("Hernia") and len(reading.also_above(0)) == 13
    assert threshold_sentence(reading.worth("Hernia")) == "no threshold: 3 validation patients"
    said = "above the model's threshold of 50.0% (25 validation patients)"
    assert threshold_sentence(reading.worth("Mass")) == said
    assert reading.withheld() == "No threshold: Hernia (3 validation patients)."


def test_an_upload_is_read_unless_it_is_too_large_or_no_film(film):
    png = cv2.imencode(".png", film)[1].tobytes()
    np.testing.assert_array_equal(read_upload(png, "film.png"), film)
    with pytest.raises(ImageError, match=r"huge.png has 64.0 MB: .* 64 MB"):
        read_upload(b"\0" * (64 * 2**20 + 1), "huge.png")
    with pytest.raises(ImageError, match="not a PNG, JPEG, TIFF"):
        read_upload(b"this is no picture", "fake.png")
    blank = cv2.imencode(".png", np.full_like(film, 7))[1].tobytes()
    np.testing.assert_array_equal(read_upload(blank, "blank.png"), np.full_like(film, 7))  # the gate says so


def test_maps_are_explained_by_grad_cam_unless_asked_otherwise(classifier, film):
    reading = classifier.read(film, "gradcam")
    np.testing.assert_array_equal(classifier.explain(film, "Mass"), reading.map("Mass"))


def test_a_reading_of_a_shrunk_film_differs_in_its_frame_only(classifier, film):
    reading = classifier.read(film)
    small = reading.in_frame((30, 50))
    np.testing.assert_array_equal(small.map("Mass"), upsample_map(reading.maps[4], (30, 50)))
    assert small.probabilities is reading.probabilities and reading.map("Mass").shape == (90, 140)
    shrunk, for_the_eye = reading.shrunk(film, 70)
    assert shrunk.shape == for_the_eye.shape == (45, 70)
    assert for_the_eye.overlay(shrunk, "Mass").shape == (45, 70, 3)


def test_a_map_with_a_fault_is_named_and_not_painted():
    maps = np.zeros((14, 7, 7), np.float32)
    maps[4, 3, 2] = maps[5, 3, 2] = maps[1, 3, 2] = maps[2, 0, 0] = 1
    reading = Reading(np.zeros(14, np.float32), maps, (70, 140))
    film = np.full((70, 140), 90, np.uint8)
    assert [reading.fault(finding) is None for finding in ("Mass", "Effusion", "Edema")] == [
        True,
        False,
        False,
    ]
    assert reading.fault("Effusion") == "peaks at the rim of the picture, outside the chest"
    assert (reading.overlay(film, "Effusion") == 90).all() and (reading.overlay(film, "Edema") == 90).all()
    painted = reading.overlay(film, "Mass")
    expected = overlay(film, maps[4])
    draw_cell(expected, (10, 20))
    np.testing.assert_array_equal(painted, expected)
    with pytest.raises(
        ValueError, match=r"film \(70, 141\) and reading \(70, 140\) must have the same frame"
    ):
        reading.overlay(np.zeros((70, 141), np.uint8), "Mass")


def test_findings_smaller_than_a_cell_are_flagged():
    reading = Reading(np.zeros(14, np.float32), np.zeros((14, 7, 7), np.float32), (70, 140))
    fine = Reading(reading.probabilities, np.zeros((14, 16, 16), np.float32), (70, 140))
    flagged = [finding for finding in FINDINGS if reading.caution(finding)]
    assert flagged == ["Atelectasis", "Mass", "Nodule"]
    assert [finding for finding in FINDINGS if fine.caution(finding)] == []
    caution = reading.caution("Nodule") or ""
    assert [part for part in ("2.0% of the film", "nodule", "below 0.5%") if part not in caution] == []


def test_a_classifier_knows_the_cells_of_its_maps(classifier, film):
    assert classifier.grid == classifier.read(film).maps.shape[1:] == (2, 2)


def test_the_likeliest_findings_come_first():
    probabilities = np.linspace(0.1, 0.75, 14, dtype=np.float32)
    probabilities[3] = 0.9
    reading = Reading(probabilities, np.zeros((14, 2, 2), np.float32), (10, 10))
    assert [finding for finding, _ in reading.top(3)] == ["Infiltration", "Hernia", "Pleural_Thickening"]
    assert reading.top(1) == [("Infiltration", pytest.approx(0.9))]
    assert len(reading.top(99)) == 14


def test_other_spellings_name_a_finding_and_unknown_ones_are_refused(classifier, film):
    np.testing.assert_array_equal(
        classifier.explain(film, "Infiltrate"), classifier.explain(film, "Infiltration")
    )
    with pytest.raises(ValueError, match="'Gout' is not one of the 14 findings"):
        classifier.explain(film, "Gout")


def test_a_map_lies_where_its_film_changes(tmp_path):
    """A model that sees only how bright a cell is marks the bright corner, in the frame of the film."""
    torch.manual_seed(0)
    model = Student("test_convnext", hidden=1)
    brightness = torch.nn.AvgPool2d(32)
    model.backbone.forward_features = lambda x: brightness(x).repeat(1, 64 // 3 + 1, 1, 1)[:, :64]
    model.backbone.forward_head = lambda pooled, pre_logits: pooled
    torch.nn.init.ones_(model.classifier[0].weight)
    torch.nn.init.ones_(model.classifier[3].weight)
    header = info("test_convnext", "none", Preprocess(128, (0, 0, 0), (1, 1, 1)), hidden=1)
    classifier = Classifier(TorchEngine(model.eval(), header, torch.device("cpu")), header, tmp_path)
    film = np.zeros((100, 300), np.uint8)
    film[:25, 225:] = 255  # the upper right of 4 x 4 cells
    rows, columns = np.nonzero(classifier.explain(film, "Mass") > 0.9)
    assert rows.max() < 25 and columns.min() >= 225


@pytest.mark.slow
def test_eight_threads_on_one_classifier_read_what_one_thread_reads(classifier):
    rng = np.random.default_rng(0)
    films = [rng.integers(0, 256, (60 + i, 80), dtype=np.uint8) for i in range(40)]
    alone = [classifier.read(film) for film in films]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(classifier.read, films))
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_allclose(a.probabilities, b.probabilities, rtol=1e-5)
        np.testing.assert_allclose(a.maps, b.maps, rtol=1e-4, atol=1e-8)
        assert a.shape == b.shape


def test_reading_touches_neither_torchs_settings_nor_the_film(classifier, film):
    before, threads, seed = film.copy(), torch.get_num_threads(), torch.initial_seed()
    state = torch.get_rng_state()
    classifier.read(film)
    assert torch.equal(torch.get_rng_state(), state)
    assert (torch.get_num_threads(), torch.initial_seed()) == (threads, seed)
    assert torch.is_grad_enabled() and (film == before).all()
    assert not any(p.requires_grad for p in classifier.model.parameters())


@pytest.mark.slow
def test_a_run_is_loaded_by_its_name_and_knows_it(own_home, film):
    write_model(own_home / "checkpoints" / "first" / "model.safetensors")
    by_name = Classifier.load("first")
    assert (by_name.name, by_name.info.split_id) == ("first", "patient-42-0")
    assert by_name.path == own_home / "checkpoints" / "first" / "model.safetensors"
    by_file = Classifier.load(write_model(own_home / "elsewhere.safetensors"))
    assert by_file.name == "elsewhere"
    np.testing.assert_array_equal(by_name.predict(film), by_file.predict(film))


@pytest.mark.slow
def test_unknown_models_and_devices_are_refused(tmp_path):
    with pytest.raises(CheckpointError, match="'nowhere' is neither a model file nor a run"):
        Classifier.load("nowhere")
    path = write_model(tmp_path / "model.safetensors")
    for device in ("toaster", "cuda:99"):
        with pytest.raises(RunError, match=f"device '{device}' cannot be used"):
            Classifier.load(path, device)


COLD = """
import sys, time
import numpy, torch
from xlite.classify import Classifier
from xlite.engines.torch_engine import TorchEngine
start = time.monotonic()
Classifier.load(sys.argv[1]).read(numpy.zeros((1024, 1024), numpy.uint8))
print(time.monotonic() - start)
"""


@pytest.mark.slow
@pytest.mark.alone
def test_loading_and_the_first_reading_take_less_than_two_seconds(tmp_path):
    path = write_model(tmp_path / "model.safetensors", "efficientnet_b0", Preprocess(224))
    seconds = subprocess.run(
        [sys.executable, "-c", COLD, str(path)], capture_output=True, check=True, text=True
    )
    assert float(seconds.stdout) < 2


def test_real_uploads_are_read(classifier, shared_data):
    for path in sorted((shared_data / "uploads").glob("*.png"))[:3]:
        film = read_image(path)
        reading = classifier.read(film)
        assert reading.map("Mass").shape == film.shape
        assert ((reading.probabilities > 0) & (reading.probabilities < 1)).all()


def test_what_is_said_of_a_model_names_the_thresholds_that_a_person_chose(classifier: Classifier):
    chosen = ChosenByHand("patient-42-0", "val", 20, 80, "2026-11-28", 0.5)

    def about(*names: str) -> str:
        info = classifier.info.noting(thresholds_by_hand=dict.fromkeys(names, chosen))
        return replace(classifier, info=info).about.removeprefix(classifier.about)

    day = "chosen by hand on the val part of split patient-42-0 on 2026-11-28"
    assert about() == ""
    assert about("Mass", "Hernia") == (
        f" Its threshold of mass was {day}. Its threshold of hernia was {day}."
    )
    assert about("Mass", "Hernia", "Pleural_Thickening") == (
        " 3 of its thresholds were chosen by hand, not by validation films: mass, hernia, pleural thickening."
    )


def test_what_is_said_of_a_model_names_the_films_that_it_was_adapted_to(classifier: Classifier):
    adapted = AdaptedTo(
        data="ward", day="2026-11-28", films=60, patients=30, findings=("Mass",), film_marks=("0",)
    )
    info = classifier.info.noting(adapted_to=adapted)
    assert replace(classifier, info=info).about.removeprefix(classifier.about) == (
        " It was adapted to 60 films of 30 patients of ward on 2026-11-28."
    )
