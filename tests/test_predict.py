"""Which files are read and what they are called; what is written is tested through `xlite predict`."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from demo_home import save_demo_model

from xlite.classify import Classifier
from xlite.errors import DataError, ImageError
from xlite.findings import FINDINGS
from xlite.predict import Film, find_films, predict_films


def write_film(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.random.default_rng(1).integers(0, 256, (40, 40), dtype=np.uint8))
    return path


def test_films_come_in_the_order_given_and_folders_are_searched(tmp_path: Path) -> None:
    single = write_film(tmp_path / "z.png")
    inside = [write_film(tmp_path / "films" / name) for name in ("b.png", "deep/a.png")]
    (tmp_path / "films" / "readme.txt").write_text("no film")
    assert find_films([single, tmp_path / "films"], tmp_path / "out") == [
        Film(single, "z.png"),
        Film(inside[0], "b.png"),
        Film(inside[1], "a.png"),
    ]


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
