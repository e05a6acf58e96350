"""Classifier: a model file, and all that pages, the Gradio demo and the command line need to read a film.

classifier = Classifier.load("student")
reading = classifier.read(read_image("film.png"))
for finding, probability in reading.top(3):
    painted, fault = reading.overlay(film, finding), reading.fault(finding)
small, reading = reading.shrunk(film)  # for a page: maps of this size cost little
painted = reading.overlay(small, "Mass")
"""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from xlite.engines.engine import Engine, Output
from xlite.engines.flipped import Flipped
from xlite.engines.opening import demand_torch, open_engines
from xlite.errors import CheckpointError, ImageError
from xlite.explain.methods import DEFAULT_METHOD, METHODS
from xlite.files import digest_of
from xlite.findings import spoken
from xlite.guards.verdict import Check
from xlite.images import MAX_UPLOAD_MB, read_image
from xlite.metrics.calibration import apply_calibrator
from xlite.models.available import (
    EXPORT_SUFFIX,
    MEMBERS_JOINED_BY,
    find_models,
    model_name,
)
from xlite.models.info import ModelInfo, ModelSize
from xlite.reading import Reading, averaged_sentence
from xlite.text import labels_of

if TYPE_CHECKING:  # torch, which reading by other engines does without
    from xlite.engines.torch_engine import TorchEngine
    from xlite.models.student import Student

_FEW_BY_HAND = 2


@dataclass(frozen=True, eq=False)
class Classifier:
    """A loaded model, or an ensemble of several. Nothing in it changes after loading: threads may share one.

    `path` is its file, or that of the ensemble's first member; `others` are those of its other members.
    """

    engine: Engine
    info: ModelInfo
    path: Path
    others: tuple[Path, ...] = ()

    @classmethod
    def load(cls, spec: str | Path, device: str = "cpu", has_maps: bool = True) -> "Classifier":
        """The model of a file, or of a run by its name; several joined by commas are an ensemble.

        has_maps: refuse members whose maps have other cells; without it such an ensemble has no maps.
        Raises CheckpointError; RunError for the device.
        """
        path, *others = find_models(str(spec))
        names = [model_name(one) for one in (path, *others)]
        engine = open_engines(names, [path, *others], device, has_maps)
        return cls(engine, engine.info, path, tuple(others))

    def flipped(self) -> "Classifier":
        """The same, which reads each film and its mirror image, and gives the mean of both.

        It has no thresholds, as those of the model are of single readings; its calibrator stays.
        """
        engine = Flipped(self.engine)
        return replace(self, engine=engine, info=engine.info)

    @property
    def tta(self) -> str | None:
        """The test-time augmentation: "flip", or None."""
        return "flip" if isinstance(self.engine, Flipped) else None

    @property
    def has_weights(self) -> bool:
        """Whether the file has weights for torch: neither an export nor an ensemble has."""
        return not self.others and self.path.suffix != EXPORT_SUFFIX

    @property
    def model(self) -> "Student":
        """The student in torch. Raises CheckpointError if the file has no weights for torch."""
        return self._in_torch.model

    @cached_property
    def _in_torch(self) -> "TorchEngine":
        if not self.has_weights:
            kind = "an ensemble" if self.others else "an export"
            one = "one of its members" if self.others else "the model that it was made from"
            maps = f"the maps {', '.join(self.engine.methods)}" if self.engine.methods else "no maps"
            raise CheckpointError(
                f"{self.name} is {kind}, which has logits, probabilities and {maps}; for more name {one}"
            )
        demand_torch(self.path)
        from xlite.engines.torch_engine import TorchEngine

        own = self.engine.engine if isinstance(self.engine, Flipped) else self.engine
        return own if isinstance(own, TorchEngine) else TorchEngine.load(self.path)

    @property
    def name(self) -> str:
        """The run's name, or the file's if it lies in no run's folder; of an ensemble all, with commas."""
        return MEMBERS_JOINED_BY.join(model_name(path) for path in (self.path, *self.others))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the model file; of an ensemble that of its members' digests, one a line."""
        digests = [digest_of(path) for path in (self.path, *self.others)]
        return hashlib.sha256("\n".join(digests).encode()).hexdigest() if self.others else digests[0]

    @property
    def about(self) -> str:
        """What the model is, what its probabilities may be taken for, to what it was adapted, and where its
        thresholds come from.
        """
        what = (
            f"Model {self.name}: {self.info.backbone}, trained on split {self.info.split_id} "
            f"({labels_of(self.info.label_version)}). Its probabilities come from a research model: they "
            "rank, they do not diagnose."
        )
        adapted = self.info.notes.adapted_to
        said = [f"It was {adapted}."] if adapted else []
        if self.info.averaged:
            said.append(averaged_sentence(self.info.averaged))
        return " ".join((what, *said, *_by_hand(self.info)))

    def size(self) -> ModelSize:
        """What the model costs on a film of its own size."""
        return self.engine.size()

    @cached_property
    def grid(self) -> tuple[int, int]:
        """Cells of a map, down and across: what is smaller than one of them no map can outline."""
        side = self.info.preprocess.size
        blank = np.zeros((1, 3, side, side), np.float32)
        maps = self.engine.output(blank, DEFAULT_METHOD).maps
        return maps.shape[2], maps.shape[3]

    def predict(self, image: np.ndarray) -> np.ndarray:
        """Calibrated probabilities of a film uint8 (H, W): float32 (14,)."""
        found: np.ndarray = self.probabilities(self.logits(self.input(image)))[0]
        return found

    def logits(self, x: np.ndarray) -> np.ndarray:
        """Raw logits float32 (B, 14) of preprocessed films float32 (B, 3, S, S)."""
        return self.engine.logits(x)

    def output(self, x: np.ndarray, method: str | None = DEFAULT_METHOD) -> Output:
        """Raw logits and maps of preprocessed films float32 (B, 3, S, S); without a method no maps.

        ValueError unless the method is one of xlite.explain.METHODS; what the engine lacks is made in torch.
        """
        if method is None or method in self.engine.methods:
            return self.engine.output(x, method)
        if method not in METHODS:
            raise ValueError(f"{method!r} is not a kind of map; expected one of {', '.join(METHODS)}")
        engine: Engine = self._in_torch
        return (Flipped(engine) if isinstance(self.engine, Flipped) else engine).output(x, method)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Calibrated probabilities float32 (…, 14) of raw logits (…, 14).

        Raises CheckpointError for logits that are not numbers: weights may be finite and their sums not.
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
        return self.reading(self.output(self.input(image), method).film(0), image.shape, method)

    def reading(self, output: Output, shape: tuple[int, ...], method: str = DEFAULT_METHOD) -> Reading:
        """The reading of a film of shape (H, W) from the network's output for it alone."""
        height, width = shape
        known = self.recalled(self.probabilities(output.logits), output.disagreement)
        return replace(known, maps=output.maps, shape=(height, width), method=method)

    def unlike(self, output: Output) -> Check | None:
        """The reason to call a film unlike those of training, from the network's output for it alone.

        None if it is near enough to them, or the model file does not say how near they are.
        """
        likeness, features = self.info.likeness, output.features
        return None if likeness is None or features is None else likeness.check(features)

    def recalled(
        self, probabilities: np.ndarray, disagreement: np.ndarray | None = None, void: bool = False
    ) -> Reading:
        """The reading, without maps, of a film whose calibrated probabilities (14,) are known."""
        return Reading.by(self.info, probabilities, disagreement, void)

    def explain(self, image: np.ndarray, finding: str, method: str = "gradcam") -> np.ndarray:
        """Where a finding is seen in a film uint8 (H, W): float32 (H, W), 0-1, in the film's own frame.

        Grad-CAM as its authors define it, unless another of xlite.explain.METHODS is asked for.
        """
        # Not DEFAULT_METHOD: whoever asks for one finding means the method that the literature knows. `read`
        # shows all 14, most of them improbable, of which Grad-CAM's maps would be empty.
        return self.read(image, method).map(finding)

    def input(self, image: np.ndarray) -> np.ndarray:
        """A film uint8 (H, W) as the model's input, preprocessed: float32 (1, 3, S, S)."""
        return self.info.preprocess(image)[None]


def _by_hand(info: ModelInfo) -> list[str]:
    """Which thresholds a person chose: a sentence each, or one for many."""
    chosen = info.notes.thresholds_by_hand
    if len(chosen) <= _FEW_BY_HAND:
        return [f"Its threshold of {spoken(name).lower()} was {one}." for name, one in chosen.items()]
    names = ", ".join(spoken(name).lower() for name in chosen)
    return [f"{len(chosen)} of its thresholds were chosen by hand, not by validation films: {names}."]


def read_upload(data: bytes, name: str) -> np.ndarray:
    """An uploaded film, uint8 (H, W), blank or not. Raises ImageError for a file too large or no film."""
    if len(data) > MAX_UPLOAD_MB * 2**20:
        raise ImageError(too_large(name, len(data)))
    return read_image(data)


def too_large(name: str, size: int) -> str:
    """What is said of an upload of so many bytes that is not read."""
    return f"{name} has {size / 2**20:.1f} MB: films may have {MAX_UPLOAD_MB} MB at most"
