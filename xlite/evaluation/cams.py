"""Maps of one finding by several methods, and the maps that know nothing: at random, and the centre's."""

import copy
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from xlite import explain
from xlite.classify import Classifier, Reading
from xlite.findings import FINDINGS
from xlite.models.student import Student

_LIBRARY = {"gradcam++": "GradCAMPlusPlus", "hirescam": "HiResCAM", "eigencam": "EigenCAM"}
METHODS = (*explain.METHODS, *_LIBRARY)


class _Head(nn.Module):
    """What follows the last feature map, and that map as a module for the library's hooks."""

    def __init__(self, model: Student):
        super().__init__()
        self.model, self.last_map = model, nn.Identity()

    def forward(self, f: Tensor) -> Tensor:
        return self.model.head(self.last_map(f))


class Mapper:
    """Maps of a model of its own: the library hooks into what it is given, and a shared model has readers."""

    def __init__(self, model: Student):
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self._head = _Head(self.model)

    @torch.no_grad()
    def features(self, x: Tensor) -> Tensor:
        """The last feature map (B, C, h, w) of films (B, 3, S, S), normalised."""
        return self.model.features(x)

    def maps(self, f: Tensor, finding: int, methods: Sequence[str] = METHODS) -> dict[str, np.ndarray]:
        """Of the features (1, C, h, w) of one film, each method's map of a finding: float32 (h, w), >= 0.

        layercam and gradcam have a closed form, unscaled; the library's lie between 0 and 1. In a model that
        pools by the mean HiResCAM is Grad-CAM, and EigenCAM's map is the same for every finding.
        """
        return {method: self._map(f, finding, method) for method in methods}

    def _map(self, f: Tensor, finding: int, method: str) -> np.ndarray:
        if method in explain.METHODS:
            return explain.feature_maps(self.model, f, method)[1][0, finding].cpu().numpy()
        import pytorch_grad_cam  # here, for it takes a second, and most maps do without
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

        with getattr(pytorch_grad_cam, _LIBRARY[method])(self._head, [self._head.last_map]) as cam:
            return cam(f.clone().requires_grad_(), [ClassifierOutputTarget(finding)])[0]


def read_film(classifier: Classifier, image: np.ndarray, method: str) -> Reading:
    """As `Classifier.read`, with maps by any of METHODS; those of the library take several passes."""
    if method in explain.METHODS:
        return classifier.read(image, method)
    mapper = Mapper(classifier.model)
    f = mapper.features(classifier.tensor(image))
    findings = [0] if method == "eigencam" else range(len(FINDINGS))  # its map is the same for each of them
    maps = np.stack([mapper.maps(f, finding, [method])[method] for finding in findings])
    reading = classifier.read(image)
    return replace(reading, maps=np.broadcast_to(maps, reading.maps.shape))


def random_map(grid: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A map of independent uniform cells, float32 (h, w) in 0-1."""
    return rng.random(grid, dtype=np.float32)


def centre_map(grid: tuple[int, int]) -> np.ndarray:
    """A Gaussian at the centre of the picture, of a quarter of each side, float32 (h, w): what a map knows
    that knows only that findings lie in the chest.
    """
    down, across = (((np.arange(cells) + 0.5) / cells - 0.5) / 0.25 for cells in grid)
    return np.exp(-(down[:, None] ** 2 + across[None] ** 2) / 2).astype(np.float32)
