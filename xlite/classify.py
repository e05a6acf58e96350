"""Classifier: a model file, and all that pages, the Gradio demo and the command line need to read a film.

classifier = Classifier.load("student")
reading = classifier.read(read_image("film.png"))
for finding, probability in reading.top(3):
    picture, fault = reading.overlay(film, finding), reading.fault(finding)
small = shrink(film)  # for a page: maps of its size cost little
picture = reading.in_frame(small.shape).overlay(small, "Mass")
"""

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from xlite.errors import RunError
from xlite.explain import FAULTS, MEDIAN_BOX, activation_maps, draw_cell, map_fault, overlay, upsample_map
from xlite.findings import FINDINGS, canonical, spoken
from xlite.metrics.calibration import apply_calibrator
from xlite.models.checkpoint import MODEL_FILE, ModelInfo, find_model, load_model
from xlite.models.student import Student


@dataclass(frozen=True, eq=False)
class Reading:
    """What a model sees in a film of shape (H, W): float32 probabilities (14,) and maps (14, h, w) >= 0."""

    probabilities: np.ndarray
    maps: np.ndarray
    shape: tuple[int, int]

    def top(self, count: int = 3) -> list[tuple[str, float]]:
        """The `count` likeliest findings with their probabilities, likeliest first."""
        order = np.argsort(-self.probabilities, kind="stable")[:count]
        return [(FINDINGS[i], float(self.probabilities[i])) for i in order]

    def in_frame(self, shape: tuple[int, int]) -> "Reading":
        """The same reading with its maps in a frame of shape (H, W), as of the film shrunk for a page."""
        return replace(self, shape=shape)

    def map(self, finding: str) -> np.ndarray:
        """Where a finding was seen: float32 (H, W), 0-1, in the frame of the film."""
        return upsample_map(self._coarse(finding), self.shape)

    def fault(self, finding: str) -> str | None:
        """Why the map of a finding shows no place, as what follows "the map"; None where it shows one."""
        fault = map_fault(self._coarse(finding))
        return FAULTS[fault] if fault else None

    def caution(self, finding: str) -> str | None:
        """A sentence where findings of this kind are mostly smaller than one cell of the map, else None."""
        cells = self.maps.shape[1] * self.maps.shape[2]
        median = MEDIAN_BOX.get(canonical(finding), 1)
        if median * cells >= 1:
            return None
        return (
            f"One cell of this map is {1 / cells:.1%} of the film, and half of the boxes that radiologists "
            f"drew for {spoken(finding).lower()} are below {median:.1%}: the map shows surroundings only."
        )

    def overlay(self, image: np.ndarray, finding: str, opacity: float = 0.45) -> np.ndarray:
        """The map of a finding over a film uint8 (H, W) of the reading's frame: RGB uint8 (H, W, 3).

        One cell of the map is outlined in the lower left corner. A map with a fault is not painted: the film
        stays bare.
        """
        if self.fault(finding):
            return np.repeat(image[..., None], 3, axis=2)
        picture = overlay(image, self.map(finding), opacity)
        height, width = self.shape
        draw_cell(picture, (height / self.maps.shape[1], width / self.maps.shape[2]))
        return picture

    def _coarse(self, finding: str) -> np.ndarray:
        return self.maps[FINDINGS.index(canonical(finding))]


@dataclass(frozen=True, eq=False)
class Classifier:
    """A loaded model. Nothing in it changes after loading: threads and sessions may share one."""

    model: Student = field(repr=False)
    info: ModelInfo
    path: Path
    device: torch.device

    @classmethod
    def load(cls, spec: str | Path, device: str = "cpu") -> "Classifier":
        """The model of a file, or of a run by its name. Raises CheckpointError; RunError for the device."""
        path = find_model(str(spec))
        model, info = load_model(path)
        try:
            place = torch.device(device)
            model.to(place)
        except (RuntimeError, AssertionError) as error:
            raise RunError(
                f"device {device!r} cannot be used ({str(error).splitlines()[0]}); try cpu"
            ) from error
        return cls(model.requires_grad_(False), info, path, place)

    @property
    def name(self) -> str:
        """The run's name, or the file's where it lies in no run's folder."""
        return self.path.absolute().parent.name if self.path.name == MODEL_FILE else self.path.stem

    @cached_property
    def grid(self) -> tuple[int, int]:
        """Cells of a map, down and across: what is smaller than one of them no map can outline."""
        side = self.info.preprocess.size
        with torch.inference_mode():
            f = self.model.features(torch.zeros(1, 3, side, side, device=self.device))
        return f.shape[2], f.shape[3]

    def predict(self, image: np.ndarray) -> np.ndarray:
        """Calibrated probabilities of a film uint8 (H, W): float32 (14,)."""
        return self.probabilities(self.predict_batch(self.tensor(image)))[0]

    def predict_batch(self, x: Tensor) -> np.ndarray:
        """Raw logits of preprocessed films (B, 3, S, S): float32 (B, 14)."""
        with torch.inference_mode():
            return self.model(x.to(self.device)).float().cpu().numpy()

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Calibrated probabilities float32 (…, 14) of raw logits (…, 14)."""
        return apply_calibrator(logits, self.info.calibration)

    def read(self, image: np.ndarray, method: str = "layercam") -> Reading:
        """Probabilities and maps of all 14 findings of a film uint8 (H, W), from one forward pass.

        method: one of xlite.explain.METHODS; ValueError otherwise.
        """
        logits, maps = activation_maps(self.model, self.tensor(image), method)
        probabilities = self.probabilities(logits[0].float().cpu().numpy())
        return Reading(probabilities, maps[0].float().cpu().numpy(), image.shape)

    def explain(self, image: np.ndarray, finding: str, method: str = "gradcam") -> np.ndarray:
        """Where a finding is seen in a film uint8 (H, W): float32 (H, W), 0-1, in the film's own frame.

        Grad-CAM as its authors define it, unless another of xlite.explain.METHODS is asked for; pages show
        what `read` gives.
        """
        return self.read(image, method).map(finding)

    def tensor(self, image: np.ndarray) -> Tensor:
        """A film uint8 (H, W) as the model's input, preprocessed, on its device: float32 (1, 3, S, S)."""
        return torch.from_numpy(self.info.preprocess(image))[None].to(self.device)
