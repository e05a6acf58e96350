"""The shipped gate, on drawn films and pictures; on real ones if they are here."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest

from xlite.errors import CheckpointError
from xlite.examples import examples
from xlite.guards.gate import Gate
from xlite.guards.verdict import fixed
from xlite.images import read_image
from xlite.places import bundled

FILMS = [read_image(example.path) for example in examples().values()]


@pytest.fixture(scope="module")
def gate() -> Gate:
    return Gate.load()


def page_of_text() -> np.ndarray:
    page = np.full((1400, 1000), 255, np.uint8)
    for y in range(80, 1350, 34):
        words = "The patient was seen on Monday and sent home well"
        cv2.putText(page, words, (70, y), cv2.FONT_HERSHEY_SIMPLEX, 1, 20, 2, cv2.LINE_AA)
    return page


@pytest.mark.parametrize("film", FILMS)
def test_bundled_films_are_read(gate: Gate, film: np.ndarray) -> None:
    assert gate.judge(film).verdict in {"pass", "caution"}


@pytest.mark.parametrize(("quarters", "reason"), [(3, "rotated_90"), (2, "rotated_180"), (1, "rotated_270")])
def test_turned_and_inverted_films_are_found_and_fixed(gate: Gate, quarters: int, reason: str) -> None:
    for film in FILMS:
        wrong = np.rot90(255 - film, quarters)
        guards = gate.judge(wrong)
        assert guards.verdict == "offer"
        assert {reason, "inverted"} <= set(guards.reasons)
        assert np.array_equal(fixed(wrong, guards), film)


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_blank_pictures_are_refused(gate: Gate, grey: int) -> None:
    assert gate.judge(np.full((700, 500), grey, np.uint8)).reasons == ("blank",)


@pytest.mark.parametrize(
    "image",
    [
        page_of_text(),
        255 - page_of_text(),
        np.kron(np.indices((8, 8)).sum(0) % 2, np.full((64, 64), 255)).astype(np.uint8),
        np.broadcast_to(np.linspace(0, 255, 400), (400, 400)).astype(np.uint8),
    ],
    ids=["page", "dark page", "chessboard", "gradient"],
)
def test_pictures_of_other_things_are_refused(gate: Gate, image: np.ndarray) -> None:
    assert gate.judge(image).reasons == ("not_chest",)


def test_threads_get_the_answers_of_one(gate: Gate) -> None:
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(gate.judge, FILMS * 4))
    assert together == [gate.judge(film) for film in FILMS] * 4


def test_the_shipped_network_is_small_and_needs_no_other_file() -> None:
    path = bundled("checkpoints", "gate", "gate.onnx")
    assert path.stat().st_size <= 3 * 2**20
    assert not any(tensor.external_data for tensor in onnx.load(path).graph.initializer)


def test_what_is_no_gate_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "gate.onnx"
    with pytest.raises(CheckpointError, match=f"{path} cannot be read"):
        Gate.load(path)
    for content in (b"", b"no network", bundled("checkpoints", "gate", "gate.onnx").read_bytes()[:-5000]):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=f"{path} is not a gate network"):
            Gate.load(path)


@pytest.mark.parametrize("change", ["limits", "outputs"])
def test_a_gate_of_another_version_is_refused(tmp_path: Path, change: str) -> None:
    model = onnx.load(bundled("checkpoints", "gate", "gate.onnx"))
    if change == "limits":
        onnx.helper.set_model_props(model, {"xlite.gate.limits": '{"other": 0.5}'})
    else:
        del model.graph.output[2]
    onnx.save(model, tmp_path / "gate.onnx")
    with pytest.raises(CheckpointError, match="is not a gate network of this version"):
        Gate.load(tmp_path / "gate.onnx")


@pytest.mark.slow
def test_real_films_turned_by_mistake_are_found(gate: Gate, shared_data: Path) -> None:
    films = shared_data / "nih_all" / "images"
    assert gate.judge(read_image(films / "00003490_011.jpg")).reasons == ("rotated_180",)
    assert "inverted" in gate.judge(read_image(films / "00017999_000.jpg")).reasons


@pytest.mark.slow
def test_real_films_of_any_size_are_read(gate: Gate, shared_data: Path) -> None:
    uploads = sorted((shared_data / "uploads").glob("*.png"))
    assert [gate.judge(read_image(path)).verdict for path in uploads] == ["pass"] * len(uploads)
    elsewhere = sorted((shared_data / "films_of_other_kinds" / "frontal_elsewhere").iterdir())
    assert "refuse" not in {gate.judge(read_image(path)).verdict for path in elsewhere}
