"""What benchmarks of reading share: films as bytes, ways to read them, and fresh processes that take turns.

Each way is timed in a process of its own, as torch and onnxruntime in one process disturb each other; this
file is what such a process runs. The ways take turns: a machine that slows down slows all of them.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

WARM_UP = 5
FILMS = 10
SHOWN = 3  # findings whose maps are painted over a film

Act = Callable[[bytes], object]


@dataclass(frozen=True)
class Way:
    """A process to time: how it reads, with which model, threads and films; a film every so many s."""

    name: str
    films: str
    model: str = ""
    threads: int = 1
    repeats: int = 50
    every: float = 0.0


def times(way: Way) -> list[float]:
    """How long each film took, in ms, in a fresh process."""
    limits = {"OMP_NUM_THREADS": str(way.threads), "OMP_WAIT_POLICY": "PASSIVE"}
    words = [sys.executable, __file__, json.dumps(asdict(way))]
    done = subprocess.run(words, check=True, env={**os.environ, **limits}, stdout=subprocess.PIPE)
    found: list[float] = json.loads(done.stdout)
    return found


def percentiles(found: Sequence[float]) -> tuple[float, float]:
    """p50 and p95."""
    p50, p95 = np.percentile(found, (50, 95))
    return float(p50), float(p95)


@contextmanager
def film_folder(given: Path | None) -> Iterator[str]:
    """The folder given, or one of drawn films of 1024 px."""
    if given is not None:
        yield str(given)
        return
    from xlite.data.phantom.draw import draw_film
    from xlite.data.phantom.labels import draw_labels

    with tempfile.TemporaryDirectory() as folder:
        for number, film in enumerate(draw_labels(FILMS, FILMS, 0)):
            cv2.imwrite(f"{folder}/{number}.png", draw_film(film, 1024, seed=0).image)
        yield folder


def bare_network(export: Path, out: Path) -> Path:
    """An export without its maps and probabilities: what any reader has to compute."""
    import onnx.utils

    from xlite.models.onnx_file import INPUT

    onnx.utils.extract_model(str(export), str(out), [INPUT], ["logits"])
    return out


def _pixels(data: bytes) -> np.ndarray:
    film = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert film is not None, "a film of the benchmark cannot be read"
    return film


def _decode(way: Way) -> Act:
    return _pixels


def _limit(way: Way) -> Act:
    """Decoding, resizing and the bare network in onnxruntime, without a check of anything."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = way.threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(way.model, options, providers=["CPUExecutionProvider"])
    [asked] = session.get_inputs()
    side = asked.shape[-1]

    def act(data: bytes) -> object:
        film = _pixels(data)
        small = cv2.resize(film, (side, side), interpolation=cv2.INTER_AREA)
        x = np.repeat((small.astype(np.float32) / 255 - 0.45)[None, None] / 0.22, 3, axis=1)
        return session.run(None, {asked.name: x})

    return act


def _read(way: Way) -> Act:
    """A reading without the gate: checks, calibrated probabilities, overlays of the likeliest findings."""
    from xlite.classify import Classifier, read_upload

    classifier = Classifier.load(way.model)

    def act(data: bytes) -> object:
        film = read_upload(data, "film.png")
        reading = classifier.read(film)
        return [reading.overlay(film, finding) for finding, _ in reading.top(SHOWN)]

    return act


def _guarded(way: Way) -> Act:
    """All that a page does: the same behind the gate."""
    from xlite.classify import read_upload
    from xlite.guarded import GuardedReader

    reader = GuardedReader.load(way.model)

    def act(data: bytes) -> object:
        answer = reader.read(read_upload(data, "film.png"))
        if (reading := answer.reading) is None:
            return answer
        return [reading.overlay(answer.film, finding) for finding, _ in reading.top(SHOWN)]

    return act


def _peer(way: Way) -> Act:
    """DenseNet121 in torch and pytorch-grad-cam, as its documentation has it."""
    import timm
    import torch
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.image import show_cam_on_image
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    model = timm.create_model("densenet121", num_classes=14).eval()
    cam = GradCAM(model, [model.features])

    def act(data: bytes) -> object:
        film = _pixels(data)
        small = cv2.resize(film, (224, 224), interpolation=cv2.INTER_AREA).astype(np.float32)
        x = torch.from_numpy(small / 255 - 0.45)[None, None].repeat(1, 3, 1, 1) / 0.22
        with torch.inference_mode():
            model(x).sigmoid()
        colour = cv2.cvtColor(film, cv2.COLOR_GRAY2RGB).astype(np.float32) / 255
        height, width = film.shape
        pictures = []
        for finding in range(SHOWN):
            heat = cam(x, [ClassifierOutputTarget(finding)])[0]
            pictures.append(show_cam_on_image(colour, cv2.resize(heat, (width, height)), use_rgb=True))
        return pictures

    return act


WAYS: dict[str, Callable[[Way], Act]] = {
    "decode": _decode,
    "limit": _limit,
    "read": _read,
    "guarded": _guarded,
    "peer": _peer,
}


def _time(way: Way) -> list[float]:
    """Reads films one after the other, or one every so many seconds; ms of each after WARM_UP."""
    if hasattr(os, "sched_setaffinity"):  # one thread of everything: of OpenCV, onnxruntime and torch
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: way.threads])
    cv2.setNumThreads(way.threads)
    films = [path.read_bytes() for path in sorted(Path(way.films).glob("*.png"))[:FILMS]]
    act, found = WAYS[way.name](way), []
    for number in range(WARM_UP + way.repeats):
        began = time.perf_counter()
        act(films[number % len(films)])
        found.append(1000 * (time.perf_counter() - began))
        time.sleep(max(0.0, way.every - found[-1] / 1000))
    return found[WARM_UP:]


if __name__ == "__main__":
    json.dump(_time(Way(**json.loads(sys.argv[1]))), sys.stdout)
