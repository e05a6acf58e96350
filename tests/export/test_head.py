"""The head's gradient in closed form, against autograd."""

import pytest
import torch
from tiny_models import untrained

from xlite.errors import CheckpointError
from xlite.explain.maps import _head_gradient
from xlite.export.head import HeadGradient, hard_swish_slope, silu_slope


def spread(model, seed=0):
    """The student with biases and norms that are not at their start."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim < 2:
                parameter.add_(torch.randn_like(parameter) * 0.3)
    return model


@pytest.mark.parametrize(("hidden", "stages"), [(256, 0), (0, 0), (0, 3)])
@pytest.mark.parametrize(
    "backbone", ["test_resnet", "test_efficientnet", "mobilenetv3_small_050", "test_convnext"]
)
def test_the_closed_form_is_autograds_gradient(backbone, hidden, stages):
    model = spread(untrained(backbone, hidden=hidden, stages=stages))
    pooled = 2 * torch.randn(3, model.feature_channels, generator=torch.Generator().manual_seed(1))
    logits, gradient = HeadGradient(model)(pooled)
    expected_logits, expected = _head_gradient(model, pooled)
    torch.testing.assert_close(logits, expected_logits, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(gradient.expand_as(expected), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("slope", "function"), [(hard_swish_slope, torch.nn.Hardswish()), (silu_slope, torch.nn.SiLU())]
)
def test_slopes_are_those_of_their_activations(slope, function):
    x = torch.tensor([-7.0, -3.1, -2.9, -1.5, -0.1, 0, 0.1, 1.5, 2.9, 3.1, 7.0], dtype=torch.float64)
    given = x.clone().requires_grad_()
    (expected,) = torch.autograd.grad(function(given).sum(), given)
    torch.testing.assert_close(slope(x), expected)


def test_a_head_of_another_kind_is_refused():
    model = untrained("test_resnet")
    model.backbone.forward_head = lambda pooled, pre_logits: pooled.sin()
    with pytest.raises(CheckpointError, match="test_resnet cannot be exported: what it does between"):
        HeadGradient(model)
