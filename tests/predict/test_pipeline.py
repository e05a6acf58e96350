"""Many films to files: what is written, in which order, and what a run that was broken off leaves."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from demo_home import save_demo_model
from noise_film import write_film

from xlite.classify import Classifier
from xlite.data.predictions import read_predictions
from xlite.errors import ImageError
from xlite.findings import FINDINGS
from xlite.images import read_image
from xlite.predict.films import Film, find_films
from xlite.predict.pipeline import predict_films


@pytest.fixture
def classifier(own_home: Path) -> Classifier:
    save_demo_model(own_home)
    return Classifier.load("demo0")


def test_an_unreadable_film_is_logged_and_counted_but_raised_if_it_is_alone(
    tmp_path: Path, classifier: Classifier, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = write_film(tmp_path / "good.png"), tmp_path / "bad.png"
    bad.write_bytes(b"\x89PNG\r\n\x1a\n cut")
    steps: list[tuple[int, int]] = []
    done = predict_films(
        classifier,
        [Film(bad, "bad.png"), Film(good, "good.png")],
        tmp_path / "out",
        progress=lambda *step: steps.append(step),
    )
    assert (done.names, done.unreadable, done.unpainted) == (["good.png"], 1, 0)
    assert list(done.by_name()["good.png"]) == list(FINDINGS)
    assert [record.getMessage() for record in caplog.records if str(bad) in record.getMessage()]
    assert steps == [(1, 2), (2, 2)]
    with pytest.raises(ImageError, match=r"bad\.png"):
        predict_films(classifier, [Film(bad, "bad.png")], tmp_path / "out")
    cv2.imwrite(str(bad), np.full((64, 64), 9, np.uint8))
    with pytest.raises(ImageError, match=r"bad\.png: the film shows nothing"):
        predict_films(classifier, [Film(bad, "bad.png")], tmp_path / "out")


def test_what_was_read_is_written_if_the_rest_is_broken_off(
    tmp_path: Path, classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    films = [Film(write_film(tmp_path / name), name) for name in ("a.png", "b.png", "c.png")]

    def read_two(path: Path) -> np.ndarray:
        if path.name == "c.png":
            raise KeyboardInterrupt
        return read_image(path)

    monkeypatch.setattr("xlite.predict.pipeline.read_image", read_two)
    with pytest.raises(KeyboardInterrupt):
        predict_films(classifier, films, tmp_path / "out")
    assert read_predictions(tmp_path / "out" / "predictions.csv").names == ["a.png", "b.png"]


def test_an_overlay_that_cannot_be_written_is_one_line_and_the_batch_goes_on(
    tmp_path: Path, classifier: Classifier, caplog: pytest.LogCaptureFixture
) -> None:
    films = [Film(write_film(tmp_path / name), name) for name in ("a.png", "b.png")]
    [(best, _)] = classifier.read(read_image(films[0].path)).top(1)
    (tmp_path / "out" / f"a_1_{best}.png").mkdir(parents=True)
    done = predict_films(classifier, films, tmp_path / "out", heatmaps=1)
    assert (done.names, done.unreadable, done.unwritten) == (["a.png", "b.png"], 0, 1)
    [told] = [record.getMessage() for record in caplog.records]
    assert told.startswith(f"Error: {films[0].path}: its overlays cannot be written: Is a directory")
    assert read_predictions(tmp_path / "out" / "predictions.csv").names == done.names
    assert (tmp_path / "out" / f"b_1_{best}.png").is_file()


def test_overlays_have_names_of_their_own_that_every_system_takes(
    tmp_path: Path, classifier: Classifier
) -> None:
    stem, chest = "a" * 250, "\u80f8" * 82
    names = [
        f"{stem}1",
        f"{stem}2",
        f"{chest}1.png",
        f"{chest}2.png",
        "name\udce9.png",
        "name\udcea.png",
        "x\n.png",
    ]
    films = [Film(write_film(tmp_path / "film.png"), name) for name in names]
    done = predict_films(classifier, films, tmp_path / "out", heatmaps=14)
    assert done.names == names and done.unwritten == 0
    assert read_predictions(tmp_path / "out" / "predictions.csv").names == names
    overlays = [path.name for path in (tmp_path / "out").glob("*.png")]
    assert len(overlays) == 14 * len(names) and all(name.isprintable() for name in overlays)
    assert max(len(name.encode()) for name in overlays) == 255
    again = find_films([tmp_path], tmp_path / "out").films  # which knows them as its own
    assert [film.name for film in again] == ["film.png"]
