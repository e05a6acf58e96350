"""Class activation maps of all 14 findings from one forward pass, and their overlay on a film.

Grad-CAM (Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
Localization", ICCV 2017) weights channel k of the last feature map A for finding c by
alpha_kc = 1/Z sum_ij dy_c / dA_kij (eq. 1) and shows ReLU(sum_k alpha_kc A_k) (eq. 2). Here y_c depends on A
only through its mean over the Z cells, so dy_c / dA_kij is the same in each cell: the head's gradient at the
pooled features, divided by Z. That needs no hook and no second pass through the backbone, and changes nothing
in the model: threads may share it.

Before its ReLU that map sums to the logit, less what the head's biases add: below a probability of one half,
where rare findings stay, most of it is negative, and often all. LayerCAM (Jiang et al., "LayerCAM: Exploring
Hierarchical Class Activation Maps for Localization", IEEE TIP 2021, eq. 3-5) shows
ReLU(sum_k ReLU(dy_c / dA_kij) A_kij): what speaks for the finding, without what speaks against it. It finds
more boxes (`xlite localise`) and is the default.
"""

import cv2
import numpy as np
import torch
from torch import Tensor

from xlite.models.student import Student

METHODS = ("layercam", "gradcam")
# The median area of NIH's 984 boxes as a share of the film; the other findings have none.
MEDIAN_BOX = {
    "Atelectasis": 0.0188,
    "Cardiomegaly": 0.1709,
    "Effusion": 0.0557,
    "Infiltration": 0.0566,
    "Mass": 0.0148,
    "Nodule": 0.0046,
    "Pneumonia": 0.0572,
    "Pneumothorax": 0.0358,
}
FAULTS = {  # what follows "the map"
    "empty": "is empty: no single place in the film raises the score",
    "flat": "is flat: every place in the film raises the score alike",
    "outside": "peaks at the rim of the picture, outside the chest",
}
FLAT = 0.1  # a map that varies by less of its peak shows no place
RIM = 0.08  # of a side: 3 of the 984 boxes have their centre there

RED_OF_TURBO = 220  # beyond it the colours darken again, and a peak would look like a hole
STRIP = 64  # rows blended at a time: a film of 64 megapixels takes gigabytes as floats in colour


def activation_maps(model: Student, x: Tensor, method: str = "layercam") -> tuple[Tensor, Tensor]:
    """Films (B, 3, S, S), normalised -> logits (B, 14) and maps (B, 14, h, w), >= 0, not scaled.

    method: one of METHODS. The model must be in eval; raises ValueError otherwise, for in training its logits
    are random.
    """
    if model.training:
        raise ValueError("activation maps need the model in eval mode: call model.eval() first")
    with torch.inference_mode(False), torch.no_grad():
        return feature_maps(model, model.features(x.clone() if x.is_inference() else x), method)


@torch.no_grad()
def feature_maps(model: Student, f: Tensor, method: str = "layercam") -> tuple[Tensor, Tensor]:
    """As `activation_maps`, from the model's features (B, C, h, w) of the films."""
    if method not in METHODS:
        raise ValueError(f"{method!r} is no map with a closed form; expected one of {', '.join(METHODS)}")
    logits, gradient = _head_gradient(model, f.mean((2, 3)))
    weights = gradient / (f.shape[2] * f.shape[3])
    if method == "layercam":
        weights = weights.relu()
    return logits, torch.einsum("bkc,bchw->bkhw", weights, f).relu()


def _head_gradient(model: Student, pooled: Tensor) -> tuple[Tensor, Tensor]:
    """The logits (B, 14) of pooled features (B, C), and the gradient of each at them (B, 14, C)."""
    findings = model.classifier[-1].out_features
    with torch.enable_grad():
        # one copy of the film a finding: 14 gradients in one backward pass through the head
        copies = pooled.unsqueeze(1).repeat(1, findings, 1).requires_grad_()  # (B, 14, C)
        logits = model.pool_head(copies.flatten(0, 1)).unflatten(0, copies.shape[:2])  # (B, 14, 14)
        own = logits.diagonal(dim1=1, dim2=2)  # (B, 14): finding c of copy c
        (gradient,) = torch.autograd.grad(own.sum(), copies)
    return own.detach(), gradient


def upsample_map(coarse: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """A map (h, w) >= 0 in the frame of a film of shape (H, W): float32 (H, W), 0-1 with its peak at 1.

    A map without any activation stays all zero.
    """
    height, width = shape
    fine = cv2.resize(np.asarray(coarse, np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    peak = fine.max()
    if peak > 0:
        fine /= peak
    return fine


def map_fault(coarse: np.ndarray) -> str | None:
    """Which of FAULTS keeps a map (h, w) >= 0 from showing a place in the chest; None where it shows one."""
    top = coarse.max()
    if top <= 0:
        return "empty"
    if top - coarse.min() < FLAT * top:
        return "flat"
    cell = np.unravel_index(coarse.argmax(), coarse.shape)
    middle = (np.array(cell) + 0.5) / coarse.shape
    if min(*middle, *(1 - middle)) < RIM:
        return "outside"
    return None


def shrink(image: np.ndarray, side: int = 1024) -> np.ndarray:
    """A film uint8 (H, W) for the eye: at most `side` px on its longer side, as it is where it is smaller."""
    scale = side / max(image.shape)
    if scale >= 1:
        return image
    height, width = (max(1, round(length * scale)) for length in image.shape)
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def overlay(image: np.ndarray, heat: np.ndarray, opacity: float = 0.45) -> np.ndarray:
    """The film uint8 (H, W) under its map float32 (H, W), 0-1: RGB uint8 (H, W, 3).

    The colour is as opaque as the map is high, at most `opacity`: where nothing was seen the film stays bare.
    """
    if image.shape != heat.shape:
        raise ValueError(f"film {image.shape} and map {heat.shape} must have the same shape")
    picture = np.empty((*image.shape, 3), np.uint8)
    for top in range(0, len(image), STRIP):
        rows = slice(top, top + STRIP)
        seen = np.clip(heat[rows], 0, 1)
        levels = (seen * RED_OF_TURBO).astype(np.uint8)
        colour = cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB)
        alpha = opacity * seen[..., None]
        picture[rows] = ((1 - alpha) * image[rows, :, None] + alpha * colour).round()
    return picture


def draw_cell(picture: np.ndarray, cell: tuple[float, float]) -> None:
    """Outlines one cell of a map, (height, width) in px, in the lower left corner of RGB uint8 (H, W, 3)."""
    height, width = picture.shape[:2]
    line = max(1, round(min(height, width) / 400))
    left, bottom = 3 * line, height - 1 - 3 * line
    corner = (left + round(cell[1]), bottom - round(cell[0]))
    for thickness, colour in ((3 * line, (0, 0, 0)), (line, (255, 255, 255))):
        cv2.rectangle(picture, (left, bottom), corner, colour, thickness)
