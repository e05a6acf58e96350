"""What turns a graph into an exported file: its metadata, with the golden answer of this very graph."""

import base64

import cv2
import numpy as np
import onnx

from xlite.engines.onnx_engine import open_session
from xlite.models.info import ModelInfo, header_of
from xlite.models.onnx_file import FORMAT, INPUT, TOLERANCES, ExportFacts, Golden, OnnxFile, metadata

_ASKED = ("logits", "probabilities", "layercam")


def stamped(proto: onnx.ModelProto, info: ModelInfo, facts: ExportFacts) -> bytes:
    """The file's content: the graph and all that serving needs."""
    header: dict[str, str] = {"format": FORMAT} | header_of(info) | metadata(facts)
    onnx.helper.set_model_props(proto, header)
    content: bytes = proto.SerializeToString()
    return content


def answering(proto: onnx.ModelProto, info: ModelInfo, facts: ExportFacts) -> OnnxFile:
    """The graph as a file whose golden answer is its own: to the film of `facts`, as precise as they say."""
    film = facts.golden.image()
    session = open_session(proto.SerializeToString(), threads=1)
    found = session.run(list(_ASKED), {INPUT: info.preprocess.normalize(film)[None]})
    logits, probabilities, layercam = (answer[0] for answer in found)
    own = golden(film, logits, probabilities, layercam, TOLERANCES[facts.precision])
    facts = facts.model_copy(update={"golden": own})
    return OnnxFile(stamped(proto, info, facts), info, facts)


def golden(
    film: np.ndarray, logits: np.ndarray, probabilities: np.ndarray, layercam: np.ndarray, tolerance: float
) -> Golden:
    """A film uint8 (S, S) and what a model answers to it: (14,), (14,), (14, h, w)."""
    return Golden(
        film=base64.b64encode(cv2.imencode(".png", film)[1].tobytes()).decode(),
        logits=[round(float(value), 6) for value in logits],
        probabilities=[round(float(value), 6) for value in probabilities],
        layercam=[[[float(f"{cell:.6g}") for cell in row] for row in one] for one in layercam],
        tolerance=tolerance,
    )
