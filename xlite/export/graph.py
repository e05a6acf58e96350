"""What an exported file computes: logits, calibrated probabilities and all maps, in one forward pass."""

import torch
from torch import Tensor, nn

from xlite.explain.maps import closed_form
from xlite.export.head import HeadGradient
from xlite.findings import FINDINGS
from xlite.metrics.calibration import Calibrator, Isotonic, Platt, Temperature
from xlite.models.onnx_file import MAPS
from xlite.models.student import Student


class ServingGraph(nn.Module):
    """Films float32 (B, 3, S, S), normalised -> what `OUTPUTS` of `xlite.models.onnx_file` names.

    Logits (B, 14), probabilities (B, 14), each of MAPS (B, 14, h, w) as `xlite.explain.maps` has it, and the
    pooled features (B, C).
    """

    def __init__(self, model: Student, calibration: Calibrator | None):
        super().__init__()
        self.model, self.head = model, HeadGradient(model)
        self.calibration = _calibrated(calibration)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """All answers to films (B, 3, S, S), in the order of OUTPUTS."""
        f = self.model.features(image)
        pooled = f.mean((2, 3))
        logits, gradient = self.head(pooled)
        maps = [closed_form(method, gradient, f) for method in MAPS]
        return logits, self.calibration(logits), *maps, pooled


class ScaledSigmoid(nn.Module):
    """sigmoid(scale * logit + bias), per finding; 1 and 0 for a model without calibration."""

    scale: Tensor
    bias: Tensor

    def __init__(self, scale: Tensor, bias: Tensor):
        super().__init__()
        self.register_buffer("scale", scale)
        self.register_buffer("bias", bias)

    def forward(self, logits: Tensor) -> Tensor:
        """Probabilities of logits, both (B, 14)."""
        return torch.sigmoid(logits * self.scale + self.bias)


class Steps(nn.Module):
    """Straight lines between the knots of each finding, level outside them: as numpy.interp has it.

    A sum of ramps, one between each two knots: height * clip((x - knot) / width, 0, 1). A finding without
    knots keeps the plain sigmoid.
    """

    left: Tensor
    slope: Tensor
    rise: Tensor
    lowest: Tensor
    fitted: Tensor

    def __init__(self, isotonic: Isotonic):
        super().__init__()
        most = max(2, *map(len, isotonic.logits))
        knots, heights, fitted = [], [], []
        for at, level in zip(isotonic.logits, isotonic.probabilities, strict=True):
            padded = [*at, *([at[-1] if at else 0.0] * (most - len(at)))]
            knots.append(padded)
            heights.append([*level, *([level[-1] if level else 0.0] * (most - len(level)))])
            fitted.append(float(bool(at)))
        k, h = torch.tensor(knots, dtype=torch.float64), torch.tensor(heights, dtype=torch.float64)
        width = (k[:, 1:] - k[:, :-1]).clamp_min(1e-12)
        self.register_buffer("left", k[:, :-1].float())
        self.register_buffer("slope", (1 / width).float())
        self.register_buffer("rise", (h[:, 1:] - h[:, :-1]).float())
        self.register_buffer("lowest", h[:, 0].float())
        self.register_buffer("fitted", torch.tensor(fitted))

    def forward(self, logits: Tensor) -> Tensor:
        """Probabilities of logits, both (B, 14)."""
        ramps = ((logits.unsqueeze(-1) - self.left) * self.slope).clamp(0, 1) * self.rise
        return self.fitted * (self.lowest + ramps.sum(-1)) + (1 - self.fitted) * torch.sigmoid(logits)


def _calibrated(calibration: Calibrator | None) -> nn.Module:
    ones, zeros = torch.ones(len(FINDINGS)), torch.zeros(len(FINDINGS))
    match calibration:
        case Platt(scale=scale, bias=bias):
            return ScaledSigmoid(torch.tensor(scale), torch.tensor(bias))
        case Temperature(temperature=temperature):
            return ScaledSigmoid(ones / temperature, zeros)
        case Isotonic():
            return Steps(calibration)
        case _:
            return ScaledSigmoid(ones, zeros)
