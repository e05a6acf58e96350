"""What a page keeps of films: views of them, maps of another kind, and the files it hands out."""

import csv
import io
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from demo_home import save_demo_model
from gates import Played

from xlite.classify import Classifier
from xlite.examples import examples
from xlite.explain import METHODS
from xlite.findings import FINDINGS
from xlite.guarded import GuardedReader
from xlite.guards.gate import Gate
from xlite.guards.verdict import Check, Guards
from xlite.images import read_image
from xlite.metrics.worth import COLUMNS
from xlite.report.worth import worth_sentences
from xlite.serving.viewer import (
    FilmView,
    films_csv,
    films_json,
    map_methods,
    view,
    view_upload,
    with_own_names,
)

FILM = read_image(examples()["7. No finding"].path)
WRONG = np.ascontiguousarray(np.rot90(FILM, 2))
OFFER = Guards((Check("rotated_180", "probability", 0.9, 0.5),))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> GuardedReader:
    return GuardedReader(Classifier.load(save_demo_model(tmp_path_factory.mktemp("home"))), Gate.load())


def png(image: np.ndarray) -> bytes:
    return bytes(cv2.imencode(".png", image)[1].tobytes())


def test_what_is_kept_of_a_film_says_what_the_whole_film_does(reader: GuardedReader) -> None:
    seen, whole = view_upload(reader, "film.png", png(FILM), 300).answer, reader.read(FILM)
    assert seen is not None and seen.reading is not None and whole.reading is not None
    assert max(seen.film.shape) == 300 and seen.reading.shape == seen.film.shape
    np.testing.assert_array_equal(seen.reading.probabilities, whole.reading.probabilities)
    film, reading = whole.reading.shrunk(FILM, 300)
    np.testing.assert_array_equal(seen.reading.overlay(seen.film, "Mass"), reading.overlay(film, "Mass"))


def test_films_of_one_name_are_told_apart_as_they_come_and_go() -> None:
    names = ["a.png", "b.png", "a.png", "a.png (2)", "a.png"]
    films = with_own_names({str(place): FilmView(name) for place, name in enumerate(names)})
    assert [film.name for film in films.values()] == [
        "a.png", "b.png", "a.png (2)", "a.png (2) (2)", "a.png (3)",
    ]  # fmt: skip
    assert list(films) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("method", METHODS)
def test_maps_of_another_kind_are_those_of_the_whole_film(reader: GuardedReader, method: str) -> None:
    seen = view(reader, "film.png", FILM).with_maps(reader.classifier, method).answer
    whole = reader.classifier.read(FILM, method)
    assert seen is not None and seen.reading is not None
    assert seen.reading.method == method
    np.testing.assert_array_equal(seen.reading.maps, whole.maps)
    np.testing.assert_array_equal(seen.reading.probabilities, whole.probabilities)


def test_an_offered_film_is_turned_by_one_call_and_back_by_another(reader: GuardedReader) -> None:
    film, right = view(reader, "film.png", WRONG), view(reader, "film.png", FILM)
    came, turned, back = film.answer, film.turned().answer, film.turned().turned().answer
    assert came is back and came is not None and turned is not None
    assert came.reading is not None and turned.reading is not None
    assert (came.fixed, came.reading.void) == (False, True)
    assert (turned.fixed, turned.undone, turned.reading.void) == (True, ("rotated_180",), False)
    assert right.answer is not None and right.answer.reading is not None
    np.testing.assert_array_equal(turned.film, right.answer.film)
    np.testing.assert_array_equal(turned.reading.probabilities, right.answer.reading.probabilities)
    assert right.mended is None and right.turned().answer is right.answer


def test_the_gate_is_asked_once_of_each_picture(
    reader: GuardedReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[np.ndarray] = []
    judge = Gate.judge

    def counted(self: Gate, image: np.ndarray) -> Guards:
        asked.append(image)
        return judge(self, image)

    monkeypatch.setattr(Gate, "judge", counted)
    view(reader, "film.png", WRONG)
    assert [one.tolist() for one in asked] == [WRONG.tolist(), FILM.tolist()]


def test_maps_of_another_kind_leave_a_withdrawn_guarantee_withdrawn(reader: GuardedReader) -> None:
    film = view(reader, "film.png", WRONG)
    for one in (film, film.turned()):
        before, after = one.answer, one.with_maps(reader.classifier, "gradcam").answer
        assert before is not None and before.reading is not None
        assert after is not None and after.reading is not None
        assert after.reading.void == before.reading.void and after.fixed == before.fixed


def test_a_file_that_is_no_film_says_why(reader: GuardedReader) -> None:
    film = view_upload(reader, "fake.png", b"no picture")
    assert film.answer is None and (film.error or "").startswith("The file is not a PNG")
    assert film.with_maps(reader.classifier, "gradcam").error == film.error


def test_a_refused_film_has_no_probabilities_in_any_file(reader: GuardedReader) -> None:
    film = view_upload(reader, "blank.png", png(np.full((200, 200), 9, np.uint8)))
    header, row = csv.reader(io.StringIO(films_csv([film])))
    assert header == ["image", "verdict", "reasons", "fixed", *COLUMNS]
    assert row == ["blank.png", "refuse", "blank", "", *[""] * len(COLUMNS)]
    [facts] = json.loads(films_json(reader.classifier, [film]))["films"]
    assert (facts["probabilities"], facts["worth"], facts["guards"]["verdict"]) == (None, None, "refuse")


def test_csv_and_json_say_what_the_page_says(reader: GuardedReader) -> None:
    films = [
        view(reader, "=1+1", FILM),
        view(replace(reader, gate=Played(OFFER, OFFER)), "b.png", FILM).turned(),
        FilmView("c.png", error="The file is empty"),
    ]
    rows = list(csv.DictReader(io.StringIO(films_csv(films))))
    assert [(row["image"], row["finding"]) for row in rows] == [
        (name, finding) for name in ("'=1+1", "b.png") for finding in FINDINGS
    ]
    assert {(row["verdict"], row["reasons"], row["fixed"]) for row in rows} == {
        ("pass", "", ""),
        ("offer", "rotated_180", "rotated_180"),
    }
    answer = json.loads(films_json(reader.classifier, films))
    assert answer["model"]["name"] == reader.classifier.name
    first, second, third = answer["films"]
    assert (third["name"], third["error"], third["guards"]) == ("c.png", "The file is empty", None)
    assert (first["name"], second["guards"]["fixed"]) == ("=1+1", ["rotated_180"])
    seen = films[0].answer
    assert seen is not None and seen.reading is not None
    for row, (finding, facts) in zip(rows[:14], sorted(first["worth"].items(), key=_place), strict=True):
        worth = seen.reading.worth(finding)
        assert (facts["threshold"], facts["says"]) == (worth.threshold, worth_sentences(worth))
        assert float(row["probability"]) == pytest.approx(worth.probability, abs=1e-8)


def _place(item: tuple[str, object]) -> int:
    return FINDINGS.index(item[0])


def test_an_export_offers_the_maps_it_has(reader: GuardedReader) -> None:
    assert map_methods(reader.classifier) == list(METHODS)
    member = replace(reader.classifier, others=(reader.classifier.path,))
    assert map_methods(member) == [name for name in METHODS if name in reader.classifier.engine.methods]
