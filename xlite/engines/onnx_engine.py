"""The engine for processors: an exported model in onnxruntime. No torch."""

import logging
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from xlite.engines.engine import Output, no_maps
from xlite.errors import CheckpointError
from xlite.explain.methods import METHODS
from xlite.metrics.calibration import apply_calibrator
from xlite.models.info import ModelInfo, ModelSize, check_channels
from xlite.models.onnx_file import DISAGREEMENT, INPUT, OUTPUTS, TOLERANCES, ExportFacts, OnnxFile, read_onnx
from xlite.processors import processors

log = logging.getLogger(__name__)

_REFUSED = (
    *(ort_errors.Fail, ort_errors.InvalidArgument, ort_errors.InvalidGraph, ort_errors.InvalidProtobuf),
    *(ort_errors.NotImplemented, ort_errors.RuntimeException, RuntimeError),
)
"""What onnxruntime raises for a graph that it cannot open or compute, or has no memory for."""


@dataclass(frozen=True, eq=False)
class OnnxEngine:
    """A session of onnxruntime that has given its golden answer."""

    session: onnxruntime.InferenceSession = field(repr=False)
    info: ModelInfo
    facts: ExportFacts
    file_bytes: int
    name: str = "onnxruntime"

    @classmethod
    def load(cls, path: Path, threads: int | None = None) -> "OnnxEngine":
        """An exported model. Raises CheckpointError if it is not whole, or answers otherwise than it says."""
        return cls.of(read_onnx(path), path, threads)

    @classmethod
    def of(cls, file: OnnxFile, path: Path, threads: int | None = None) -> "OnnxEngine":
        """The engine of a file that was looked through; `path` names it in errors."""
        try:
            session = open_session(file.content, threads)
        except _REFUSED as error:
            raise _not_run(path, error) from error
        engine = cls(session, file.info, file.facts, len(file.content))
        engine._check_golden(path)
        return engine

    @classmethod
    def draft(cls, content: bytes, info: ModelInfo, facts: ExportFacts) -> "OnnxEngine":
        """The engine of a graph in the making, whose metadata is not written yet."""
        return cls(open_session(content), info, facts, len(content))

    @property
    def methods(self) -> tuple[str, ...]:
        """Those that the file computes in its one pass."""
        return tuple(name for name in METHODS if name in self._answers)

    @property
    def is_ensemble(self) -> bool:
        """Whether the file is several models, and so says how far they differ."""
        return DISAGREEMENT in self._answers

    @property
    def _answers(self) -> list[str]:
        return [one.name for one in self.session.get_outputs()]

    def size(self) -> ModelSize:
        """What the file says that its network costs, and the file's own size."""
        return ModelSize(self.facts.parameters, self.file_bytes / 1e6, self.facts.multiply_adds)

    def outputs(self, x: np.ndarray, *names: str) -> dict[str, np.ndarray]:
        """The named ones of OUTPUTS, all if none is named, for preprocessed films float32 (B, 3, S, S)."""
        wanted = names or OUTPUTS
        return dict(zip(wanted, self.session.run(wanted, {INPUT: x}), strict=True))

    def logits(self, x: np.ndarray) -> np.ndarray:
        """Raw logits float32 (B, 14) of preprocessed films float32 (B, 3, S, S)."""
        return self.outputs(x, "logits")["logits"]

    def output(self, x: np.ndarray, method: str | None) -> Output:
        """Raw logits and maps of preprocessed films, by one of `methods`; an ensemble's disagreement, too."""
        if method not in (*self.methods, None):
            raise ValueError(
                f"{method!r} is not a map of an exported model: it has {', '.join(self.methods)}"
            )
        has = [DISAGREEMENT] if self.is_ensemble else []
        found = self.outputs(x, "logits", "features", *([method] if method else []), *has)
        maps = found[method] if method else no_maps(len(x))
        return Output(found["logits"], maps, found.get(DISAGREEMENT), found["features"])

    def _check_golden(self, path: Path) -> None:
        """Another engine or processor may compute wrongly without a word, and a file may be tampered with."""
        golden = self.facts.golden
        try:
            film, side = golden.image(), self.info.preprocess.size
            if film.shape != (side, side):
                raise ValueError(f"its film is {film.shape[1]:,} x {film.shape[0]:,} pixels, not {side}")
            x = self.info.preprocess.normalize(film)[None]
            found = self.outputs(x)
            calibrated = apply_calibrator(found["logits"], self.info.calibration)
            check_channels(self.info, found["features"].shape[1])
            differences = {
                "logits": _apart(found["logits"][0], golden.logits),
                "probabilities": _apart(found["probabilities"][0], golden.probabilities),
                "calibration": _apart(found["probabilities"], calibrated),
                "maps": _apart(found["layercam"][0], golden.layercam, relative=True),
            }
        except ValueError as error:
            raise CheckpointError(f"the metadata of {path} is damaged ({error})") from error
        except _REFUSED as error:
            raise _not_run(path, error) from error
        limits = {name: golden.tolerance for name in differences} | {"calibration": TOLERANCES["fp32"]}
        wrong = [name for name, apart in differences.items() if not apart <= limits[name]]
        if wrong:
            by, limit = differences[wrong[0]], limits[wrong[0]]
            raise CheckpointError(
                f"{path} does not answer here as it did when it was exported (it differs in "
                f"{', '.join(wrong)}, by {by:.2g}; expected {limit:g} at most): export it again"
            )


def _not_run(path: Path, error: Exception) -> CheckpointError:
    log.debug("%s: %s", path, error)
    return CheckpointError(
        f"{path} cannot be run by onnxruntime: its layers and numbers do not fit together, or need more "
        "memory than there is; export it again"
    )


def _apart(found: np.ndarray, expected: object, relative: bool = False) -> float:
    """The largest difference; relative to the largest expected value if asked for."""
    wanted = np.asarray(expected, np.float64)
    if found.shape != wanted.shape:
        raise ValueError(f"an answer of {found.shape}, and its golden answer has {wanted.shape}")
    scale = max(float(np.abs(wanted).max()), 1e-6) if relative else 1.0
    return float(np.abs(found - wanted).max()) / scale


def open_session(content: bytes, threads: int | None = None) -> onnxruntime.InferenceSession:
    """A session on the processor, as `_options` has it. Raises what onnxruntime raises."""
    return onnxruntime.InferenceSession(content, _options(threads), providers=["CPUExecutionProvider"])


def _options(threads: int | None) -> onnxruntime.SessionOptions:
    """As many threads as this process may use, which sleep while nothing is to be read.

    Threads that wait by spinning take the processor from whatever else runs: a training, a page, a film.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or processors()
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = 3
    return options
