"""What an exported graph computes, before it is written."""

import numpy as np
import pytest
import torch
from tiny_models import student

from xlite.explain.maps import activation_maps
from xlite.export.graph import ServingGraph
from xlite.findings import FINDINGS
from xlite.metrics.calibration import Isotonic, Platt, Temperature, apply_calibrator

KNOTS = ((-2.0, -1.0, -1.0 + 1e-9, 0.5, 4.0), (0.0, 1.0))
HEIGHTS = ((0.1, 0.2, 0.4, 0.4, 0.9), (0.3, 0.6))
CALIBRATORS = [
    None,
    Temperature(temperature=1.7),
    Platt(scale=tuple(np.linspace(0.4, 2, 14)), bias=tuple(np.linspace(-2, 1, 14))),
    Isotonic(logits=(*KNOTS, *[()] * 12), probabilities=(*HEIGHTS, *[()] * 12)),
]


@pytest.mark.parametrize("calibrator", CALIBRATORS)
def test_probabilities_are_those_of_the_calibrator(calibrator):
    graph = ServingGraph(student(), calibrator)
    logits = np.random.default_rng(0).normal(0, 3, (50, 14)).astype(np.float32)
    logits[0] = -30
    logits[1] = 30
    found = graph.calibration(torch.from_numpy(logits)).numpy()
    np.testing.assert_allclose(found, apply_calibrator(logits, calibrator), atol=2e-6)


@torch.no_grad()
def test_all_answers_come_from_one_pass():
    model = student()
    x = torch.randn(3, 3, 96, 96, generator=torch.Generator().manual_seed(2))
    logits, probabilities, layercam, gradcam, features = ServingGraph(model, None)(x)
    for found, method in ((layercam, "layercam"), (gradcam, "gradcam")):
        expected_logits, expected = activation_maps(model, x, method)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(logits, expected_logits, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(probabilities, torch.sigmoid(logits))
    torch.testing.assert_close(features, model.features(x).mean((2, 3)))
    assert logits.shape == (3, len(FINDINGS))
