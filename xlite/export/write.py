"""`xlite export`: a student of a model file as one ONNX file that is written only if it answers alike."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch

from xlite.data.phantom.draw import draw_film
from xlite.data.phantom.labels import draw_labels
from xlite.engines.engine import Engine
from xlite.engines.onnx_engine import OnnxEngine
from xlite.engines.stamp import golden, stamped
from xlite.engines.torch_engine import TorchEngine
from xlite.errors import CheckpointError
from xlite.export.graph import ServingGraph
from xlite.files import Progress, Steps, digest_of
from xlite.metrics.calibration import apply_calibrator
from xlite.models.onnx_file import INPUT, MAPS, OUTPUTS, TOLERANCES, ExportFacts, OnnxFile, look_through
from xlite.models.student import describe

log = logging.getLogger(__name__)

OPSET = 18
TOLERANCE = 1e-4  # of logits, and of maps as a share of LayerCAM's peak


@dataclass(frozen=True)
class Parity:
    """How far the file's answers lie from torch's on `films` films: the largest differences.

    Maps, of any method, are compared as shares of the film's LayerCAM peak: the size of what is summed.
    """

    films: int
    logits: float
    probabilities: float
    maps: float

    @property
    def holds(self) -> bool:
        """Whether file and model are the same for every use."""
        return self.within(TOLERANCE)

    def within(self, tolerance: float) -> bool:
        """Whether no difference is larger than the tolerance, or no number."""
        return all(value <= tolerance for value in (self.logits, self.probabilities, self.maps))

    def differences(self) -> str:
        """What follows "the file answers differently": by how much."""
        return (
            f"the file answers differently (logits by {self.logits:.1g}, probabilities by "
            f"{self.probabilities:.1g}, maps by {self.maps:.1g} of their peak in LayerCAM)"
        )


def export_model(
    source: Path, out: Path, films: list[np.ndarray], progress: Progress | None = None
) -> Parity:
    """Writes the model file `source` as ONNX to `out`; parity is checked on `films`, each uint8 (H, W).

    Raises CheckpointError, and writes nothing, if the answers differ by more than TOLERANCE.
    """
    file, parity = exported(source, out, films, Steps(progress, units_of(films)))
    file.write(out)
    return parity


def units_of(films: list[np.ndarray]) -> int:
    """The steps that `exported` takes: the graph, the golden film, and each of these."""
    return len(films) + 2


def exported(
    source: Path, out: Path, films: list[np.ndarray], steps: Steps | None = None
) -> tuple[OnnxFile, Parity]:
    """What `export_model` writes, and how it answers; `out` names it in errors, and nothing is written.

    `steps` takes `units_of` these films: one for the graph, and one for each film that is compared.
    """
    steps = steps or Steps()
    engine = TorchEngine.load(source)
    proto = _graph(engine)
    steps.step()
    golden_film = _golden_film(engine.info.preprocess.size)
    preprocess = engine.info.preprocess
    inputs = np.stack([preprocess(film) for film in [golden_film, *films]])
    file = look_through(_with_metadata(proto, engine, source, golden_film, inputs[:1]), out)
    parity = compare(engine, OnnxEngine.of(file, out), inputs, steps)
    if not parity.holds:
        raise CheckpointError(
            f"{source} cannot be exported: {parity.differences()}; at most {TOLERANCE:g} is right"
        )
    return file, parity


def _graph(engine: TorchEngine) -> onnx.ModelProto:
    """The graph as torch's exporter writes it, with any number of films at once."""
    side = engine.info.preprocess.size
    serving = ServingGraph(engine.model, engine.info.calibration).eval().requires_grad_(False)
    with _exporters_own_words():
        program = torch.onnx.export(
            serving,
            (torch.zeros(2, 3, side, side),),
            dynamo=True,
            dynamic_shapes={INPUT: {0: torch.export.Dim("batch")}},
            input_names=[INPUT],
            output_names=list(OUTPUTS),
            opset_version=OPSET,
            optimize=True,
            verbose=False,
        )
    assert program is not None  # with dynamo the exporter returns one, or raises
    return program.model_proto


@contextmanager
def _exporters_own_words() -> Iterator[None]:
    """What torch's exporter says of torch and of its own future goes to the log, not to the user."""
    own = logging.getLogger("torch.onnx")
    level = own.level
    own.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(record=True, action="always") as caught:
            yield
    finally:
        own.setLevel(level)
    for warning in caught:
        log.debug("torch.onnx: %s", warning.message)


def _with_metadata(
    proto: onnx.ModelProto, engine: TorchEngine, source: Path, film: np.ndarray, x: np.ndarray
) -> bytes:
    """The file's content: the graph without the exporter's notes, and all that serving needs."""
    size = describe(engine.model, engine.info.preprocess.size)
    logits, maps, *_ = engine.output(x, "layercam")
    calibrated = apply_calibrator(logits, engine.info.calibration)
    facts = ExportFacts(
        source=source.name,
        source_sha256=digest_of(source),
        precision="fp32",
        parameters=size.parameters,
        multiply_adds=size.multiply_adds,
        golden=golden(film, logits[0], calibrated[0], maps[0], TOLERANCES["fp32"]),
    )
    _strip(proto)
    return stamped(proto, engine.info, facts)


def _strip(proto: onnx.ModelProto) -> None:
    """Takes out where each layer came from: paths of this machine, and a third of a small file."""
    del proto.metadata_props[:]
    proto.graph.doc_string = proto.doc_string = ""
    del proto.graph.value_info[:], proto.graph.metadata_props[:]
    for node in proto.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value in (*proto.graph.input, *proto.graph.output, *proto.graph.initializer):
        del value.metadata_props[:]


def _golden_film(side: int) -> np.ndarray:
    """A phantom, uint8 (S, S): always the same film."""
    return draw_film(draw_labels(1, 1, 0)[0], side, seed=0).image


def compare(engine: Engine, exported: OnnxEngine, x: np.ndarray, steps: Steps | None = None) -> Parity:
    """How far the export's answers to films (N, 3, S, S) lie from the engine's."""
    logits, probabilities, maps = 0.0, 0.0, 0.0
    for film in x:
        found = exported.outputs(film[None])
        # Grad-CAM's terms may cancel until rounding is all that is left; LayerCAM adds positive ones alone.
        peak = max(float(engine.output(film[None], "layercam")[1].max()), 1e-6)
        for method in MAPS:
            own, cells, *_ = engine.output(film[None], method)
            maps = largest(maps, (cells - found[method]) / peak)
        logits = largest(logits, own - found["logits"])
        calibrated = apply_calibrator(own, engine.info.calibration)
        probabilities = largest(probabilities, found["probabilities"] - calibrated)
        if steps:
            steps.step()
    return Parity(len(x), logits, probabilities, maps)


def largest(so_far: float, differences: np.ndarray) -> float:
    """The largest difference yet; NaN as soon as one is not a number."""
    return float(np.maximum(so_far, np.abs(differences).max()))
