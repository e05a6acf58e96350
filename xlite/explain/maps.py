"""Heat maps of a model's features, by every kind of METHODS.

Grad-CAM (Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
Localization", ICCV 2017) weights channel k of the last features A for finding c by
alpha_kc = 1/Z sum_ij dy_c / dA_kij (eq. 1) and shows ReLU(sum_k alpha_kc A_k) (eq. 2). Here y_c depends on A
only through its mean over the Z cells, so dy_c / dA_kij is the same in each cell: the head's gradient at the
pooled features, divided by Z. That needs no hook and no second pass through the backbone, and changes nothing
in the model: threads may share it.

Before its ReLU that map sums to the logit, less what the head's biases add: below a probability of one half,
as rare findings usually are, most of it is negative, and often all. LayerCAM (Jiang et al., "LayerCAM:
Exploring Hierarchical Class Activation Maps for Localization", IEEE TIP 2021, eq. 3-5) shows
ReLU(sum_k ReLU(dy_c / dA_kij) A_kij): what speaks for the finding, without what speaks against it. It finds
more boxes (`xlite localise`) and is the default.

The other kinds come from pytorch-grad-cam. The library hooks into the model that it is given and calls
backward on it, so it gets a copy: a shared model has other readers.
"""

import copy
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from xlite.explain.methods import DEFAULT_METHOD, METHODS
from xlite.findings import FINDINGS
from xlite.models.student import Student


def activation_maps(model: Student, x: Tensor, method: str = DEFAULT_METHOD) -> tuple[Tensor, Tensor]:
    """Films (B, 3, S, S), normalised -> logits (B, 14) and maps (B, 14, h, w), >= 0, not scaled.

    Raises ValueError for a method that is none of METHODS, and unless the model is in eval: in training its
    logits are random.
    """
    if model.training:
        raise ValueError("activation maps need the model in eval mode: call model.eval() first")
    with torch.inference_mode(False), torch.no_grad():
        return feature_maps(model, model.features(x.clone() if x.is_inference() else x), method)


@torch.no_grad()
def feature_maps(model: Student, f: Tensor, method: str = DEFAULT_METHOD) -> tuple[Tensor, Tensor]:
    """As `activation_maps`, from the features (B, C, h, w) of the films."""
    if method not in METHODS:
        raise ValueError(f"{method!r} is not a kind of map; expected one of {', '.join(METHODS)}")
    logits, gradient = _head_gradient(model, f.mean((2, 3)))
    if not METHODS[method].library:
        return logits, closed_form(method, gradient, f)
    head = _Head(_frozen_copy(model))
    findings = range(len(FINDINGS)) if METHODS[method].per_finding else range(1)
    maps = torch.stack([_library_map(head, f, finding, method) for finding in findings], dim=1)
    return logits, maps.expand(-1, len(FINDINGS), -1, -1)


class Mapper:
    """Maps of one finding by several methods, of a model's frozen copy that is kept from film to film."""

    def __init__(self, model: Student):
        self.model = _frozen_copy(model)
        self._head = _Head(self.model)

    @torch.no_grad()
    def features(self, x: Tensor) -> Tensor:
        """The last features (B, C, h, w) of films (B, 3, S, S), normalised."""
        return self.model.features(x)

    def maps(self, f: Tensor, finding: int, methods: Iterable[str] = METHODS) -> dict[str, np.ndarray]:
        """Each method's map of a finding, from the features (1, C, h, w) of one film: float32 (h, w), >= 0.

        Those in closed form are not scaled; the library's lie between 0 and 1. In a model that pools by the
        mean HiResCAM is Grad-CAM, and EigenCAM's map is the same for every finding.
        """
        return {method: self._map(f, finding, method) for method in methods}

    def _map(self, f: Tensor, finding: int, method: str) -> np.ndarray:
        if not METHODS[method].library:
            closed: np.ndarray = feature_maps(self.model, f, method)[1][0, finding].cpu().numpy()
            return closed
        by_library: np.ndarray = _library_map(self._head, f, finding, method)[0].cpu().numpy()
        return by_library


def closed_form(method: str, gradient: Tensor, f: Tensor) -> Tensor:
    """Maps (B, 14, h, w) from the gradient (B, 14, C) of each logit at the mean of the features (B, C, h, w).

    A gradient that is the same for all films may be (1, 14, C). Raises ValueError for a method that has no
    closed form here.
    """
    weights = gradient / (f.shape[2] * f.shape[3])
    match method:
        case "layercam":
            weights = weights.relu()
        case "gradcam":
            pass
        case _:
            raise ValueError(f"{method!r} has no closed form: add it to closed_form of xlite.explain.maps")
    # Of operators that exported graphs have: einsum is none of them.
    return (weights @ f.flatten(2)).relu().view(f.shape[0], len(FINDINGS), *f.shape[2:])


def _head_gradient(model: Student, pooled: Tensor) -> tuple[Tensor, Tensor]:
    """The logits (B, 14) of pooled features (B, C), and the gradient of each at them (B, 14, C)."""
    with torch.enable_grad():
        # one copy of the film for each finding: 14 gradients in one backward pass through the head
        copies = pooled.unsqueeze(1).repeat(1, len(FINDINGS), 1).requires_grad_()  # (B, 14, C)
        logits = model.pool_head(copies.flatten(0, 1)).view(*copies.shape[:2], -1)  # (B, 14, 14)
        own = logits.diagonal(dim1=1, dim2=2)  # (B, 14): finding c of copy c
        (gradient,) = torch.autograd.grad(own.sum(), copies)
    return own.detach(), gradient


class _Head(nn.Module):
    """What follows the last features, with a module in front whose output is these features: the library
    hooks into it.
    """

    def __init__(self, model: Student):
        super().__init__()
        self.model, self.last_features = model, nn.Identity()

    def forward(self, f: Tensor) -> Tensor:
        return self.model.head(self.last_features(f))


def _frozen_copy(model: Student) -> Student:
    return copy.deepcopy(model).eval().requires_grad_(False)


def _library_map(head: _Head, f: Tensor, finding: int, method: str) -> Tensor:
    """pytorch-grad-cam's map of a finding, from features (B, C, h, w): float32 (B, h, w), 0-1."""
    import pytorch_grad_cam  # here because it takes a second, and most maps do without
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    library_class = getattr(pytorch_grad_cam, METHODS[method].library)
    with torch.enable_grad(), library_class(head, [head.last_features]) as cam:
        maps = cam(f.clone().requires_grad_(), [ClassifierOutputTarget(finding)] * len(f))
    return torch.from_numpy(maps).to(f.device)
