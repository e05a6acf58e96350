"""Classifier: a model file, and all that pages, the Gradio demo and the command line need to read a film.

classifier = Classifier.load("student")
reading = classifier.read(read_image("film.png"))
for finding, probability in reading.top(3):
    painted, fault = reading.overlay(film, finding), reading.fault(finding)
small, reading = reading.shrunk(film)  # for a page: maps of this size cost little
painted = reading.overlay(small, "Mass")
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from xlite.errors import CheckpointError, ImageError, RunError
from xlite.explain.drawing import OPACITY, SCREEN_SIDE, draw_cell, overlay, shrink, upsample_map
from xlite.explain.faults import FAULTS, map_fault, size_caution
from xlite.explain.maps import activation_maps
from xlite.explain.methods import DEFAULT_METHOD, map_legend
from xlite.findings import FINDINGS, canonical, spoken
from xlite.images import MAX_UPLOAD_MB, check_contrast, read_image
from xlite.metrics.calibration import apply_calibrator
from xlite.metrics.thresholds import ValidationPatients
from xlite.models.available import MODEL_FILE, find_model
from xlite.models.checkpoint import ModelInfo, load_model
from xlite.models.student import ModelSize, Student, describe
from xlite.text import counted, few_patients, labels_of, printable


@dataclass(frozen=True, eq=False)
class Reading:
    """What a model sees in a film of shape (H, W): float32 probabilities (14,) and maps (14, h, w) >= 0.

    `method` is the kind of its maps; `thresholds` are the model's own, by finding, if it has any, None if
    withheld, and `chosen_on` counts the validation patients that chose them, if the model file does.
    """

    probabilities: np.ndarray
    maps: np.ndarray
    shape: tuple[int, int]
    method: str = DEFAULT_METHOD
    thresholds: Mapping[str, float | None] | None = None
    chosen_on: Mapping[str, ValidationPatients] | None = None

    def top(self, count: int = 3) -> list[tuple[str, float]]:
        """The `count` likeliest findings with their probabilities, likeliest first."""
        order = np.argsort(-self.probabilities, kind="stable")[:count]
        return [(FINDINGS[i], float(self.probabilities[i])) for i in order]

    def probability(self, finding: str) -> float:
        """The probability of a finding, 0-1."""
        return float(self.probabilities[FINDINGS.index(canonical(finding))])

    def is_above(self, finding: str) -> bool:
        """Whether a finding reaches the model's threshold; False if it has none."""
        cut = (self.thresholds or {}).get(canonical(finding))
        return cut is not None and self.probability(finding) >= cut

    def is_withheld(self, finding: str) -> bool:
        """Whether the model has thresholds, but none for this finding: too few patients would choose it."""
        return self.thresholds is not None and self.thresholds[canonical(finding)] is None

    def also_above(self, beyond: int = 3) -> list[tuple[str, float]]:
        """The findings that reach their threshold behind the `beyond` likeliest ones, likeliest first."""
        return [(finding, p) for finding, p in self.top(len(FINDINGS))[beyond:] if self.is_above(finding)]

    def threshold_sentence(self, finding: str) -> str | None:
        """`above the model's threshold of 31.0% (25 validation patients)`, or below it.

        `no threshold: 3 validation patients` if it is withheld; None if the model has no thresholds.
        """
        if self.thresholds is None:
            return None
        cut, one = self.thresholds[canonical(finding)], (self.chosen_on or {}).get(canonical(finding))
        if cut is None:
            return "no threshold" + (f": {few_patients(one.positive, one.negative)}" if one else "")
        side = "above" if self.is_above(finding) else "below"
        patients = f" ({counted(one.positive, 'validation patient')})" if one else ""
        return f"{side} the model's threshold of {cut:.1%}{patients}"

    def withheld(self) -> str:
        """`No threshold: Hernia (3 validation patients).`; nothing if each finding has one, or none has."""
        return withheld_sentence(self.thresholds, self.chosen_on)

    def shrunk(self, image: np.ndarray, side: int = SCREEN_SIDE) -> tuple[np.ndarray, "Reading"]:
        """The film uint8 (H, W) with its longer side at most `side` px, and the reading in that frame."""
        small = shrink(image, side)
        return small, self.in_frame(small.shape)

    def in_frame(self, shape: tuple[int, ...]) -> "Reading":
        """The same reading with its maps in a frame of shape (H, W)."""
        height, width = shape
        return replace(self, shape=(height, width))

    def map(self, finding: str) -> np.ndarray:
        """Where a finding was seen: float32 (H, W), 0-1, in the frame of the film."""
        return upsample_map(self._coarse(finding), self.shape)

    def legend(self) -> str:
        """What the colours of the maps mean, and what they do not."""
        return map_legend((self.maps.shape[1], self.maps.shape[2]), self.method)

    def fault(self, finding: str) -> str | None:
        """Why the map of a finding shows no place, as what follows "the map"; None if it shows one."""
        fault = map_fault(self._coarse(finding))
        return FAULTS[fault] if fault else None

    def caution(self, finding: str) -> str | None:
        """A sentence if findings of this kind are mostly smaller than one cell of the map, else None."""
        return size_caution(finding, self.maps.shape[1] * self.maps.shape[2])

    def overlay(self, image: np.ndarray, finding: str, opacity: float = OPACITY) -> np.ndarray:
        """The map of a finding over a film uint8 (H, W) of the reading's frame: RGB uint8 (H, W, 3).

        One cell of the map is outlined in the lower left corner. A map with a fault is not painted: the film
        stays bare.
        """
        if self.fault(finding):
            return np.repeat(image[..., None], 3, axis=2)
        painted = overlay(image, self.map(finding), opacity)
        height, width = self.shape
        draw_cell(painted, (height / self.maps.shape[1], width / self.maps.shape[2]))
        return painted

    def _coarse(self, finding: str) -> np.ndarray:
        coarse: np.ndarray = self.maps[FINDINGS.index(canonical(finding))]
        return coarse


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
        """The run's name, or the file's if it lies in no run's folder."""
        path = self.path
        return printable(path.absolute().parent.name if path.name == MODEL_FILE else path.stem)

    @property
    def about(self) -> str:
        """What the model is, and what its probabilities may be taken for, in two sentences."""
        return (
            f"Model {self.name}: {self.info.backbone}, trained on split {self.info.split_id} "
            f"({labels_of(self.info.label_version)}). Its probabilities come from a research model: they "
            "rank, they do not diagnose."
        )

    def size(self) -> ModelSize:
        """What the model costs on a film of its own size."""
        return describe(self.model, self.info.preprocess.size)

    @cached_property
    def grid(self) -> tuple[int, int]:
        """Cells of a map, down and across: what is smaller than one of them no map can outline."""
        side = self.info.preprocess.size
        with torch.inference_mode():
            f = self.model.features(torch.zeros(1, 3, side, side, device=self.device))
        return f.shape[2], f.shape[3]

    def predict(self, image: np.ndarray) -> np.ndarray:
        """Calibrated probabilities of a film uint8 (H, W): float32 (14,)."""
        probabilities: np.ndarray = self.probabilities(self.predict_batch(self.tensor(image)))[0]
        return probabilities

    def predict_batch(self, x: Tensor) -> np.ndarray:
        """Raw logits of preprocessed films (B, 3, S, S): float32 (B, 14)."""
        with torch.inference_mode():
            logits: np.ndarray = self.model(x.to(self.device)).float().cpu().numpy()
        return logits

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Calibrated probabilities float32 (…, 14) of raw logits (…, 14).

        Raises CheckpointError for logits that are no numbers: weights may be finite and their sums not.
        """
        if not np.isfinite(logits).all():
            raise CheckpointError(
                f"{self.path} answers with values that are not finite: its weights are damaged, and "
                "nothing it says can be used"
            )
        return apply_calibrator(logits, self.info.calibration)

    def read(self, image: np.ndarray, method: str = DEFAULT_METHOD) -> Reading:
        """Probabilities and maps of all 14 findings of a film uint8 (H, W).

        method: one of xlite.explain.METHODS; ValueError otherwise. Those of CLOSED_FORM take one forward
        pass, the others several.
        """
        logits, maps = activation_maps(self.model, self.tensor(image), method)
        probabilities = self.probabilities(logits[0].float().cpu().numpy())
        height, width = image.shape
        cells = maps[0].float().cpu().numpy()
        info = self.info
        return Reading(
            probabilities, cells, (height, width), method, info.thresholds, info.thresholds_chosen_on
        )

    def explain(self, image: np.ndarray, finding: str, method: str = "gradcam") -> np.ndarray:
        """Where a finding is seen in a film uint8 (H, W): float32 (H, W), 0-1, in the film's own frame.

        Grad-CAM as its authors define it, unless another of xlite.explain.METHODS is asked for; pages show
        what `read` gives.
        """
        return self.read(image, method).map(finding)

    def tensor(self, image: np.ndarray) -> Tensor:
        """A film uint8 (H, W) as the model's input, preprocessed, on its device: float32 (1, 3, S, S)."""
        return torch.from_numpy(self.info.preprocess(image))[None].to(self.device)


def withheld_sentence(
    thresholds: Mapping[str, float | None] | None, chosen_on: Mapping[str, ValidationPatients] | None
) -> str:
    """Which findings of a model file have no threshold, and why: nothing is called by them."""
    bare = [finding for finding, cut in (thresholds or {}).items() if cut is None]
    few = {name: f" ({few_patients(one.positive, one.negative)})" for name, one in (chosen_on or {}).items()}
    named = [spoken(finding) + few.get(finding, "") for finding in bare]
    return f"No threshold: {', '.join(named)}." if named else ""


def read_upload(data: bytes, name: str) -> np.ndarray:
    """An uploaded film, uint8 (H, W). Raises ImageError for a file too large, no film or a blank one."""
    if len(data) > MAX_UPLOAD_MB * 2**20:
        raise ImageError(f"{name} has {len(data) / 2**20:.1f} MB: films may have {MAX_UPLOAD_MB} MB at most")
    film = read_image(data)
    check_contrast(film)
    return film
