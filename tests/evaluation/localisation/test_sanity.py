"""The sanity checks, each beside a slow implementation."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from tiny_models import student

from xlite.classify import Classifier
from xlite.engines.torch_engine import TorchEngine
from xlite.evaluation.localisation.localisation_report import STAGES
from xlite.evaluation.localisation.sanity import STEPS, area, curves, randomised, rank_correlation
from xlite.images import Preprocess
from xlite.models.info import ModelInfo


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_randomisation_forgets_from_the_output_down(stage):
    model, films = student(), torch.randn(8, 3, 96, 96)
    other = randomised(model, stage, films)
    changed = [not torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True)]
    varied = [tensor.unique().numel() > 1 for tensor in model.parameters()]
    count = {"head": 4, "half": len(changed) // 2, "all": len(changed)}[stage]
    assert changed == [at >= len(changed) - count and varies for at, varies in enumerate(varied)]
    for a, b in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(a.flatten().sort()[0], b.flatten().sort()[0])  # the same values elsewhere
    again = randomised(model, stage, films)
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), other.parameters(), strict=True))
    assert not other.training and not any(module.training for module in other.modules())
    if stage == "head":
        return
    f = other.features(films)
    assert f.isfinite().all() and (f.std((2, 3)) > 0).float().mean() > 0.7  # the channels are alive


def test_rank_correlation_is_spearmans():
    rng = np.random.default_rng(0)
    for _ in range(20):
        first, second = rng.integers(0, 5, (2, 4, 4)).astype(np.float32)
        expected = spearmanr(first.ravel(), second.ravel()).statistic
        assert rank_correlation(first, second) == pytest.approx(expected)
    assert rank_correlation(first, first**3) == pytest.approx(1)
    assert np.isnan(rank_correlation(first, np.ones((4, 4))))


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    info = ModelInfo(
        backbone="test_resnet.r160_in1k",
        attention="none",
        hidden=256,
        dropout=0.3,
        preprocess=Preprocess(64),
        split_id="patient-42-0",
        label_version="2020",
    )
    engine = TorchEngine(student().requires_grad_(False), info, torch.device("cpu"))
    return Classifier(engine, info, Path("m"))


def test_deletion_and_insertion_are_those_of_replacing_pixel_by_pixel(classifier):
    rng = np.random.default_rng(2)
    image = rng.integers(0, 256, (64, 64), dtype=np.uint8)
    heat = rng.permutation(64 * 64).reshape(64, 64).astype(np.float32)  # no two alike
    deletion, insertion = curves(classifier, image, 3, heat, rng)
    pixels = sorted(np.ndindex(64, 64), key=lambda pixel: -heat[pixel])
    blurred = cv2.GaussianBlur(image, (3, 3), 5 * 64 / 224)
    for step in (0, 1, 5, STEPS):
        gone, come = image.copy(), blurred.copy()
        for pixel in pixels[: round(step * 4096 / STEPS)]:
            gone[pixel] = round(float(image.mean()))
            come[pixel] = image[pixel]
        assert deletion[step] == pytest.approx(classifier.predict(gone)[3], abs=1e-5)
        assert insertion[step] == pytest.approx(classifier.predict(come)[3], abs=1e-5)
    assert len(deletion) == len(insertion) == STEPS + 1


def test_pixels_alike_in_the_map_go_in_random_order(classifier):
    """An empty map is a random one, not one of the picture's upper rows."""
    image = np.arange(4096).reshape(64, 64).astype(np.uint8)
    flat = np.zeros((64, 64), np.float32)
    first, second = (curves(classifier, image, 3, flat, np.random.default_rng(seed))[0] for seed in (0, 1))
    assert (first[[0, -1]] == pytest.approx(second[[0, -1]])) and (first[1:-1] != second[1:-1]).any()


def test_the_area_under_a_curve():
    assert area(np.full(STEPS + 1, 0.3)) == pytest.approx(0.3)
    assert area(np.linspace(1, 0, STEPS + 1)) == pytest.approx(0.5)
    assert area(np.array([1.0, 0, 0])) == pytest.approx(0.25)
