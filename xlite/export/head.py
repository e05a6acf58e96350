"""The gradient of a student's head in closed form, as layers that an exporter can write down.

A head is a chain of layers from pooled features to logits. Backwards through it, each layer turns the
gradient at its output into the one at its input by its own Jacobian: a linear layer by its weights, an
activation by its slope, a layer norm as in Ba et al., "Layer Normalization", 2016. Autograd gives the same
numbers, but no graph that onnxruntime could run.
"""

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

from xlite.errors import CheckpointError
from xlite.findings import FINDINGS
from xlite.models.student import Student


def hard_swish_slope(x: Tensor) -> Tensor:
    """The slope of x * clip(x + 3, 0, 6) / 6: 0 below -3, 1 above 3, (2x + 3) / 6 between."""
    return torch.where(x <= -3, torch.zeros_like(x), torch.where(x >= 3, torch.ones_like(x), (2 * x + 3) / 6))


def silu_slope(x: Tensor) -> Tensor:
    """The slope of x * sigmoid(x)."""
    s = torch.sigmoid(x)
    return s * (1 + x * (1 - s))


SLOPES: dict[type[nn.Module], Callable[[Tensor], Tensor]] = {
    nn.ReLU: lambda x: (x > 0).to(x.dtype),
    nn.Hardswish: hard_swish_slope,
    nn.SiLU: silu_slope,
}

# torch's own layers for timm's activations, which may be others of the same name
PLAIN: dict[str, type[nn.Module]] = {
    "ReLU": nn.ReLU,
    "Hardswish": nn.Hardswish,
    "HardSwish": nn.Hardswish,
    "SiLU": nn.SiLU,
}


class HeadGradient(nn.Module):
    """Pooled features (B, C) -> logits (B, 14) and the gradient of each at the features (B, 14, C).

    If the whole head is linear the gradient is the same for every film: (1, 14, C).
    Raises CheckpointError for a backbone whose step before the classifier is not of a kind known here.
    """

    own: Tensor

    def __init__(self, model: Student):
        super().__init__()
        self.steps = nn.ModuleList(_steps(model))
        self.register_buffer("own", torch.eye(len(FINDINGS)))

    def forward(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and gradients of pooled features (B, C)."""
        inputs = []
        x = pooled
        for step in self.steps:
            inputs.append(x)
            x = step(x)
        gradient = self.own.unsqueeze(0)  # (1 or B, 14, width of the step's output)
        for step, given in zip(reversed(self.steps), reversed(inputs), strict=True):
            gradient = _pull_back(step, given, gradient)
        return x, gradient


def _steps(model: Student) -> list[nn.Module]:
    """The chain from pooled features to logits, without what does nothing in eval."""
    layers = cast(list[nn.Module], [*pre_logits(model), *model.classifier])
    return [layer for layer in layers if not isinstance(layer, nn.Dropout | nn.Identity | nn.Flatten)]


def pre_logits(model: Student) -> list[nn.Module]:
    """What the backbone does to pooled features before its classifier would read them."""
    if _hands_on(model):
        return []
    backbone: Any = model.backbone
    head: Any = getattr(backbone, "head", None)
    if type(head).__name__ == "NormMlpClassifierHead":  # ConvNeXt
        norm = head.norm
        layer = nn.LayerNorm(norm.normalized_shape, eps=norm.eps, elementwise_affine=norm.weight is not None)
        layer.load_state_dict(norm.state_dict())
        return [layer, *([] if isinstance(head.pre_logits, nn.Identity) else [head.pre_logits])]
    # MobileNetV3 and V4: a 1x1 convolution, a norm or none, an activation
    plain = type(backbone).__name__ == "MobileNetV3" and isinstance(backbone.norm_head, nn.Identity)
    if not plain or type(backbone.act2).__name__ not in PLAIN:
        raise _unknown(model)
    return [_as_linear(backbone.conv_head), PLAIN[type(backbone.act2).__name__]()]


@torch.no_grad()
def _hands_on(model: Student) -> bool:
    """Whether the classifier would read the pooled features as they are."""
    pooled = torch.linspace(-1, 1, 2 * model.feature_channels).view(2, -1)
    return model.num_features == model.feature_channels and torch.equal(model.pre_logits(pooled), pooled)


def _as_linear(conv: nn.Conv2d) -> nn.Linear:
    """A convolution of 1x1 cells as the same linear layer."""
    linear = nn.Linear(conv.in_channels, conv.out_channels, bias=conv.bias is not None)
    linear.weight.data = conv.weight.data.flatten(1)
    if conv.bias is not None:
        linear.bias.data = conv.bias.data
    return linear


def _pull_back(step: nn.Module, given: Tensor, gradient: Tensor) -> Tensor:
    """The gradient (B, 14, in) at a step's input (B, in), from that at its output (1 or B, 14, out)."""
    if isinstance(step, nn.Linear):
        return gradient @ step.weight
    if isinstance(step, nn.LayerNorm):
        return _through_norm(step, given, gradient)
    if slope := SLOPES.get(type(step)):
        return gradient * slope(given).unsqueeze(1)
    raise CheckpointError(f"the head has a {type(step).__name__}, whose gradient is not known in closed form")


def _through_norm(norm: nn.LayerNorm, given: Tensor, gradient: Tensor) -> Tensor:
    """Through (x - mean) / deviation * weight + bias: less its mean, less its share along the output."""
    centred = given - given.mean(-1, keepdim=True)
    inverse = torch.rsqrt(centred.square().mean(-1, keepdim=True) + norm.eps)
    normed = (centred * inverse).unsqueeze(1)
    g = gradient * norm.weight
    along = (g * normed).mean(-1, keepdim=True)
    through: Tensor = (g - g.mean(-1, keepdim=True) - normed * along) * inverse.unsqueeze(1)
    return through


def _unknown(model: Student) -> CheckpointError:
    return CheckpointError(
        f"{model.backbone_name} cannot be exported: what it does between its features and its classifier has "
        "no gradient in closed form here; train one of the backbones that `xlite export --help` names"
    )
