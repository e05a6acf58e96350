"""Class activation maps of all 14 findings from one forward pass, and their overlay on a film.

Grad-CAM (Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
Localization", ICCV 2017) weights channel k of the last feature map A for finding c by
alpha_kc = 1/Z sum_ij dy_c / dA_kij (eq. 1) and shows ReLU(sum_k alpha_kc A_k) (eq. 2). Here y_c depends on A
only through its mean over the Z cells, so dy_c / dA_kij is the same in each cell: the head's gradient at the
pooled features, divided by Z. That needs no hook and no second pass through the backbone, and changes nothing
in the model: threads may share it.
"""

import cv2
import numpy as np
import torch
from torch import Tensor

from xlite.models.student import Student

RED_OF_TURBO = 220  # beyond it the colours darken again, and a peak would look like a hole
STRIP = 64  # rows blended at a time: a film of 64 megapixels takes gigabytes as floats in colour


def activation_maps(model: Student, x: Tensor) -> tuple[Tensor, Tensor]:
    """Films (B, 3, S, S), normalised -> logits (B, 14) and Grad-CAM maps (B, 14, h, w), >= 0, not scaled.

    The model must be in eval; raises ValueError otherwise, for in training its logits are random.
    """
    if model.training:
        raise ValueError("activation maps need the model in eval mode: call model.eval() first")
    with torch.inference_mode(False), torch.no_grad():
        f = model.features(x.clone() if x.is_inference() else x)  # (B, C, h, w)
        logits, gradient = _head_gradient(model, f.mean((2, 3)))
        weights = gradient / (f.shape[2] * f.shape[3])
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
