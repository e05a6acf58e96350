"""Which files are read and what they are called; what is written is tested through `xlite predict`."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from demo_home import save_demo_model

from xlite.classify import Classifier
from xlite.data.predictions import read_predictions
from xlite.errors import DataError, ImageError
from xlite.findings import FINDINGS
from xlite.images import read_image
from xlite.predict import Film, find_films, predict_films


def write_film(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.random.default_rng(1).integers(0, 256, (40, 40), dtype=np.uint8))
    return path


def test_films_come_in_the_order_given_and_folders_are_searched(tmp_path: Path) -> None:
    single = write_film(tmp_path / "z.png")
    inside = [write_film(tmp_path / "films" / name) for name in ("b.png", "deep/a.png")]
    (tmp_path / "films" / "readme.txt").write_text("no film")
    found = find_films([single, tmp_path / "films"], tmp_path / "out")
    assert found.films == [Film(single, "z.png"), Film(inside[0], "b.png"), Film(inside[1], "a.png")]
    assert found.passed_over == {"not a film": 1}


def test_a_film_is_given_twice_however_its_path_is_written(tmp_path: Path) -> None:
    film = write_film(tmp_path / "films" / "a.png")
    (tmp_path / "link").symlink_to("films")
    for other in (
        tmp_path / "link",
        tmp_path / "link" / "a.png",
        tmp_path / "link" / ".." / "films" / "a.png",
    ):
        with pytest.raises(DataError, match=r"a\.png was given twice"):
            find_films([film, other], tmp_path / "out")


@pytest.mark.parametrize(
    ("given", "match"),
    [(["gone"], "gone"), (["empty"], "empty holds no film"), (["a.png"] * 2, "given twice")],
)
def test_what_is_no_film_or_given_twice_is_refused(tmp_path: Path, given: list[str], match: str) -> None:
    write_film(tmp_path / "a.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=match):
        find_films([tmp_path / name for name in given], tmp_path / "out")


def test_an_unreadable_film_is_logged_and_counted_but_raised_if_it_is_alone(
    tmp_path: Path, own_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save_demo_model(own_home)
    classifier = Classifier.load("demo0")
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


@pytest.fixture
def classifier(own_home: Path) -> Classifier:
    save_demo_model(own_home)
    return Classifier.load("demo0")


def test_what_was_read_is_written_if_the_rest_is_broken_off(
    tmp_path: Path, classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    films = [Film(write_film(tmp_path / name), name) for name in ("a.png", "b.png", "c.png")]

    def read_two(path: Path, window: str | None) -> np.ndarray:
        if path.name == "c.png":
            raise KeyboardInterrupt
        return read_image(path, window)

    monkeypatch.setattr("xlite.predict.read_image", read_two)
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


def test_names_that_differ_in_case_or_in_how_an_accent_is_written_are_numbered(tmp_path: Path) -> None:
    for name in ("Film.png", "film.png", "name\u00e9.png", "namee\u0301.png", "other.png"):
        (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n")
    found = find_films([tmp_path], tmp_path / "out")
    assert [film.name for film in found.films] == [
        *("1_Film.png", "2_film.png", "3_namee\u0301.png", "4_name\u00e9.png", "other.png")
    ]
