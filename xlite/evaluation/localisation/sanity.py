"""Whether a map depends on the model, and whether the score depends on what the map marks."""

import copy

import cv2
import numpy as np
import torch
from torch import nn

from xlite.classify import Classifier
from xlite.data.dataset import model_input
from xlite.models.student import Student

STEPS = 14
_BLUR_KERNEL, _BLUR_SIGMA, _BLUR_SIDE = 11, 5.0, 224


def randomised(model: Student, stage: str, films: torch.Tensor, seed: int = 0) -> Student:
    """A copy that has forgotten what it learned, from the output down to one of STAGES.

    These are the classifier ("head"), the later half of all parameter tensors, or all of them.

    The cascading randomisation of Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018, section 3.
    They draw new values. We shuffle those of each tensor, and batch norms measure their statistics anew on
    the films (B, 3, S, S), normalised: in every layer the activations keep their size, and none dies.
    """
    other = copy.deepcopy(model).eval()
    tensors = list(other.parameters())  # the classifier's are the last
    lost = {"head": len(list(other.classifier.parameters())), "half": len(tensors) // 2, "all": len(tensors)}
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in tensors[-lost[stage] :]:
            order = torch.randperm(tensor.numel(), generator=generator).to(tensor.device)
            tensor.copy_(tensor.flatten()[order].view_as(tensor))
        if stage != "head":
            _measure_norms(other, films)
    return other


def _measure_norms(model: Student, films: torch.Tensor) -> None:
    norms = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean of what it sees
        norm.train()
    model.features(films)
    model.eval()


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's, of the cells of two maps, ties by their mean rank; NaN if a map has one value."""
    from scipy.stats import rankdata  # takes nearly a second to import, and few need it

    ranks = [rankdata(heat) - (heat.size + 1) / 2 for heat in (first, second)]
    below = np.sqrt((ranks[0] ** 2).sum() * (ranks[1] ** 2).sum())
    return float(ranks[0] @ ranks[1] / below) if below else np.nan


def curves(
    classifier: Classifier, image: np.ndarray, finding: int, heat: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The probability of a finding as its map's pixels go, and as they come: both (STEPS + 1,).

    Deletion and insertion of Petsiuk et al., "RISE", BMVC 2018, section 4.1, in the model's own frame:
    image and heat (S, S). The highest pixels come first, equal ones in random order. Deleted pixels take the
    image's mean grey; insertion starts from the image blurred by a Gaussian of sigma 5 px in 11 x 11 at
    224 px, scaled with S.
    """
    order = np.lexsort((rng.random(heat.size), -heat.ravel()))
    kernel = round(_BLUR_KERNEL * heat.shape[0] / _BLUR_SIDE) // 2 * 2 + 1
    sigma = _BLUR_SIGMA * heat.shape[0] / _BLUR_SIDE
    blurred = cv2.GaussianBlur(image, (kernel, kernel), sigma)
    grey = np.full_like(image, round(float(image.mean())))
    films = np.concatenate([_replaced(image, grey, order), _replaced(blurred, image, order)])
    x = model_input(torch.from_numpy(films), classifier.info.preprocess)
    probabilities = classifier.probabilities(classifier.logits(x.numpy()))[:, finding]
    return probabilities[: STEPS + 1], probabilities[STEPS + 1 :]


def _replaced(image: np.ndarray, by: np.ndarray, order: np.ndarray) -> np.ndarray:
    """The image (S, S) with none, 1 / STEPS … all of its pixels replaced in that order: (STEPS + 1, S, S)."""
    films = np.repeat(image[None], STEPS + 1, axis=0).reshape(STEPS + 1, -1)
    for film, done in zip(films, np.linspace(0, order.size, STEPS + 1).round().astype(int), strict=True):
        film[order[:done]] = by.ravel()[order[:done]]
    return films.reshape(-1, *image.shape)


def area(curve: np.ndarray) -> float:
    """The area under a curve (STEPS + 1,) over a share of pixels from 0 to 1, by trapezoids."""
    return float(np.trapezoid(curve, dx=1 / (len(curve) - 1)))
