"""FilmReader: the same answers as Classifier.read, whatever the file and whoever else asks."""

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from demo_home import BACKBONE, SPLIT, save_demo_model
from gates import Played

from xlite.classify import Classifier
from xlite.errors import ImageError
from xlite.examples import examples
from xlite.findings import FINDINGS
from xlite.guarded import GuardedFilm, GuardedReader
from xlite.guards.gate import Gate
from xlite.guards.verdict import Guards
from xlite.images import read_image
from xlite.reading import Reading
from xlite.report.worth import threshold_sentence, worth_json
from xlite.serving.answers import FilmAnswer, GuardsAnswer
from xlite.serving.films import FilmReader


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return Classifier.load(save_demo_model(tmp_path_factory.mktemp("home")))


@pytest.fixture
def reader(classifier: Classifier) -> GuardedReader:
    """The classifier behind a gate that lets noise pass."""
    return GuardedReader(classifier, Played())


def films(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (count, 12, 10), dtype=np.uint8)
    return [cv2.resize(one, (100, 120), interpolation=cv2.INTER_CUBIC) for one in coarse]


def png(film: np.ndarray) -> bytes:
    return cv2.imencode(".png", film)[1].tobytes()


def run(guarded: GuardedReader, act: Callable[[FilmReader], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        reader = FilmReader(guarded)
        async with reader.working():
            return await asyncio.wait_for(act(reader), 60)

    return asyncio.run(main())


@pytest.mark.slow
def test_twenty_at_once_get_their_own_answers(reader: GuardedReader) -> None:
    images = films(20)

    async def act(reader: FilmReader) -> list[FilmAnswer]:
        return await asyncio.gather(
            *(reader.read(png(film), f"{place}.png", place % 3) for place, film in enumerate(images))
        )

    for place, (film, answer) in enumerate(zip(images, run(reader, act), strict=True)):
        reading = reader.classifier.read(film)
        assert answer.name == f"{place}.png" and answer.error is None
        assert answer.guards == GuardsAnswer(verdict="pass", reasons=[], fixed=[], sentences=[])
        assert answer.probabilities == pytest.approx(
            {finding: reading.probability(finding) for finding in FINDINGS}, abs=1e-6
        )
        assert answer.thresholds == dict.fromkeys(FINDINGS, 0.5)
        assert answer.threshold_sentences == {one: threshold_sentence(reading.worth(one)) for one in FINDINGS}
        assert answer.worth is not None
        assert answer.worth["Mass"].model_dump() == worth_json([reading.worth("Mass")])["Mass"] | {
            "probability": answer.probabilities["Mass"]
        }
        assert [one.finding for one in answer.overlays] == [name for name, _ in reading.top(place % 3)]
        for one in answer.overlays:
            painted = cv2.imdecode(np.frombuffer(base64.b64decode(one.png), np.uint8), cv2.IMREAD_COLOR_RGB)
            wanted = reading.overlay(film, one.finding)
            assert np.abs(painted.astype(int) - wanted).max() <= 2
            assert (one.fault, one.caution) == (reading.fault(one.finding), reading.caution(one.finding))
        assert answer.legend == (reading.legend() if place % 3 else None)


def test_a_large_film_is_shown_as_a_screen_shows_it(reader: GuardedReader) -> None:
    film = cv2.resize(films(1)[0], (1500, 3000))

    async def act(reader: FilmReader) -> FilmAnswer:
        return await reader.read(png(film), "large.png", 1)

    [overlay] = run(reader, act).overlays
    assert cv2.imdecode(np.frombuffer(base64.b64decode(overlay.png), np.uint8), 0).shape == (1024, 512)


def test_what_is_no_film_is_refused_and_the_next_one_read(reader: GuardedReader) -> None:
    async def act(reader: FilmReader) -> FilmAnswer:
        for data, sentence in ((b"nothing", "not a PNG"), (b"", "empty"), (png(films(1)[0])[:-40], "cut")):
            with pytest.raises(ImageError, match=sentence):
                await reader.read(data, "film")
        return await reader.read(png(films(1)[0]), "film")

    assert run(reader, act).error is None


def test_the_model_says_which_file_it_is(reader: GuardedReader) -> None:
    async def act(reader: FilmReader) -> dict[str, Any]:
        return reader.model.model_dump()

    assert run(reader, act) == {
        "name": "demo0",
        "sha256": hashlib.sha256(Path(reader.classifier.path).read_bytes()).hexdigest(),
        "backbone": BACKBONE,
        "image_size": 64,
        "split_id": SPLIT,
        "label_version": "2020",
        "about": reader.classifier.about,
    }


def test_what_the_guards_refuse_is_not_read(reader: GuardedReader) -> None:
    async def act(reader: FilmReader) -> FilmAnswer:
        return await reader.read(png(np.full((300, 300), 9, np.uint8)), "blank.png", 3, True)

    sentence = "The picture is blank: it shows nothing (contrast 0, the least that passes is 10)."
    bare = {"probabilities": None, "thresholds": None, "threshold_sentences": None, "worth": None}
    assert run(reader, act).model_dump() == bare | {
        "name": "blank.png",
        "error": sentence,
        "overlays": [],
        "legend": None,
        "guards": {"verdict": "refuse", "reasons": ["blank"], "fixed": [], "sentences": [sentence]},
    }


@pytest.mark.parametrize("fix", [False, True])
def test_a_wrong_film_is_put_right_if_that_is_asked_for(classifier: Classifier, fix: bool) -> None:
    film = read_image(examples()["7. No finding"].path)
    wrong = np.rot90(255 - film, 2)
    reader = GuardedReader(classifier, Gate.load())

    async def act(reader: FilmReader) -> FilmAnswer:
        return await reader.read(png(wrong), "wrong.png", 1, fix)

    answer = run(reader, act)
    known = reader.read(wrong, fix=fix)
    assert known.reading is not None
    guards = answer.guards
    reasons = ["inverted", "rotated_180"]
    assert (guards.verdict, guards.reasons, guards.fixed) == ("offer", reasons, reasons if fix else [])
    last = "It was turned upright or inverted back before it was read."
    assert guards.sentences == [*reader.gate.judge(wrong).sentences, *([last] if fix else [])]
    assert answer.error is None and answer.probabilities == pytest.approx(
        {finding: known.reading.probability(finding) for finding in FINDINGS}, abs=1e-6
    )
    assert {one.void for one in answer.worth.values()} == {not fix}
    [overlay] = answer.overlays
    painted = cv2.imdecode(np.frombuffer(base64.b64decode(overlay.png), np.uint8), cv2.IMREAD_COLOR_RGB)
    shown, reading = known.reading.shrunk(known.film)
    assert np.abs(painted.astype(int) - reading.overlay(shown, overlay.finding)).max() <= 2


def test_a_model_without_thresholds_says_so() -> None:
    reading = Reading(np.full(14, 0.25, np.float32), np.empty((14, 0, 0), np.float32), (9, 9))
    answer = FilmAnswer.of("a.png", GuardedFilm(np.empty((0, 0), np.uint8), Guards()), reading)
    assert answer.model_dump() == {
        "name": "a.png",
        "error": None,
        "probabilities": dict.fromkeys(FINDINGS, 0.25),
        "thresholds": None,
        "threshold_sentences": None,
        "worth": worth_json(reading.worths()),
        "overlays": [],
        "legend": None,
        "guards": {"verdict": "pass", "reasons": [], "fixed": [], "sentences": []},
    }
