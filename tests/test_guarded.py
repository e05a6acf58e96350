"""A classifier behind the gate: what is refused, what is fixed, and what then holds."""

from pathlib import Path

import numpy as np
import pytest
from gates import Played
from tiny_models import save_student, untrained

from xlite.classify import Classifier
from xlite.examples import examples
from xlite.guarded import GuardedReader, judged
from xlite.guards.gate import Gate
from xlite.guards.verdict import Check, Guards, Reason
from xlite.images import read_image

FILM = read_image(examples()["7. No finding"].path)
WRONG = np.ascontiguousarray(np.rot90(255 - FILM, 2))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> GuardedReader:
    return GuardedReader.load(save_student(tmp_path_factory.mktemp("run") / "one.safetensors", untrained()))


def check(reason: Reason) -> Check:
    return Check(reason, "probability", 0.9, 0.5)


def test_a_film_that_passes_is_read_as_the_classifier_reads_it(reader: GuardedReader) -> None:
    answer, plain = reader.read(FILM, "gradcam"), reader.classifier.read(FILM, "gradcam")
    assert (answer.said, answer.fixed, answer.undone) == (reader.gate.judge(FILM), False, ())
    assert answer.said.verdict == "pass" and answer.film is FILM and answer.reading is not None
    np.testing.assert_array_equal(answer.reading.probabilities, plain.probabilities)
    np.testing.assert_array_equal(answer.reading.maps, plain.maps)
    assert (answer.reading.method, answer.reading.void) == ("gradcam", False)


@pytest.mark.parametrize("grey", [0, 90])
def test_nothing_is_read_in_what_is_refused(reader: GuardedReader, grey: int) -> None:
    for fix in (False, True):
        answer = reader.read(np.full((300, 200), grey, np.uint8), fix=fix)
        assert (answer.reading, answer.fixed, answer.said.reasons) == (None, False, ("blank",))


def test_a_turned_and_inverted_film_is_read_as_it_is_and_void(reader: GuardedReader) -> None:
    answer, plain = reader.read(WRONG), reader.classifier.read(WRONG)
    assert answer.film is WRONG and not answer.fixed and answer.reading is not None
    assert {"rotated_180", "inverted"} <= set(answer.said.reasons)
    assert answer.reading.void and not plain.void
    np.testing.assert_array_equal(answer.reading.probabilities, plain.probabilities)


def test_a_film_that_is_fixed_is_read_as_the_right_one_and_says_so(reader: GuardedReader) -> None:
    answer, right = reader.read(WRONG, fix=True), reader.read(FILM)
    np.testing.assert_array_equal(answer.film, FILM)
    assert answer.reading is not None and right.reading is not None
    np.testing.assert_array_equal(answer.reading.probabilities, right.reading.probabilities)
    assert not answer.reading.void
    assert (answer.fixed, answer.undone) == (True, ("inverted", "rotated_180"))
    assert (answer.said.verdict, answer.said.reasons) == ("offer", ("inverted", "rotated_180"))
    assert answer.guards == right.guards and answer.said.sentences == reader.gate.judge(WRONG).sentences[:2]


def test_what_still_holds_of_a_fixed_film_stands_beside_what_was_undone() -> None:
    gate = Played(Guards((check("inverted"), check("lateral"))), Guards((check("child"),)))
    film = judged(gate, FILM, fix=True)
    np.testing.assert_array_equal(film.film, 255 - FILM)
    assert film.undone == ("inverted",)
    assert (film.guards.reasons, film.said.reasons) == (("child",), ("inverted", "child"))
    assert film.is_void and not film.is_refused


def test_what_is_said_twice_is_said_once() -> None:
    film = judged(Played(Guards((check("inverted"),)), Guards((check("inverted"),))), FILM, fix=True)
    assert (film.said, film.undone) == (Guards((check("inverted"),)), ("inverted",))


def test_a_film_that_is_refused_once_it_is_fixed_is_refused() -> None:
    film = judged(Played(Guards((check("rotated_90"),)), Guards((check("not_chest"),))), FILM, fix=True)
    assert film.is_refused and film.said.reasons == ("not_chest",)


def test_only_what_is_offered_is_fixed() -> None:
    caution = Guards((check("mirrored"), check("cut")))
    film = judged(Played(caution), FILM, fix=True)
    assert film.film is FILM and not film.fixed and film.said is caution


def test_it_loads_what_the_classifier_loads(tmp_path: Path) -> None:
    path = save_student(tmp_path / "two.safetensors", untrained())
    loaded = GuardedReader.load(path)
    assert loaded.classifier.path == Classifier.load(path).path and isinstance(loaded.gate, Gate)
