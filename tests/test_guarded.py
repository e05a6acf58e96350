"""A classifier behind the gate: what is refused, what is fixed, and what then holds."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gates import Played
from tiny_models import likeness_of, save_student, untrained

from xlite.classify import Classifier
from xlite.engines.stamp import stamped
from xlite.errors import CheckpointError
from xlite.examples import examples
from xlite.export.ensemble import export_ensemble
from xlite.export.write import export_model
from xlite.guarded import GuardedReader, judged
from xlite.guards.gate import Gate
from xlite.guards.verdict import Check, Guards, Reason
from xlite.images import read_image
from xlite.models.checkpoint import save_model
from xlite.models.onnx_file import read_onnx
from xlite.models.onnx_graph import parsed

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


@pytest.fixture(scope="module")
def strict(reader: GuardedReader) -> GuardedReader:
    """Finds every film unlike those of its training."""
    classifier = reader.classifier
    channels = classifier.model.feature_channels
    info = classifier.info.model_copy(update={"likeness": likeness_of(channels, limit=1e-3)})
    return replace(reader, classifier=replace(classifier, info=info))


def test_a_film_unlike_those_of_training_is_read_with_caution(strict: GuardedReader) -> None:
    answer, plain = strict.read(FILM), strict.classifier.read(FILM)
    assert (answer.said.verdict, answer.said.reasons) == ("caution", ("unlike",))
    said = answer.said.sentences[0].replace("The film is unlike the films that the model learned from ", "")
    assert re.fullmatch(r"\(distance [\d.e+]+, the limit is 0\.001\)\.", said)
    assert answer.reading is not None and answer.reading.void
    np.testing.assert_array_equal(answer.reading.probabilities, plain.probabilities)


def test_it_is_said_once_and_of_nothing_that_is_refused(strict: GuardedReader) -> None:
    hardly = Guards((check("unlike"),))
    assert replace(strict, gate=Played(hardly)).read(FILM).said == hardly
    assert strict.read(np.full((300, 200), 9, np.uint8)).said.reasons == ("blank",)


def test_a_film_that_is_put_right_is_measured_as_it_is_read(strict: GuardedReader) -> None:
    came, fixed = strict.read(WRONG), strict.read(WRONG, fix=True)
    assert came.said.reasons == ("inverted", "rotated_180", "unlike") == fixed.said.reasons
    assert (came.undone, fixed.undone) == ((), ("inverted", "rotated_180"))
    assert fixed.said.checks[-1] == strict.read(FILM).said.checks[-1] != came.said.checks[-1]
    again = strict.mended(came)
    assert (again.said, again.undone) == (fixed.said, fixed.undone)


@pytest.mark.release
@pytest.mark.slow
def test_all_engines_find_the_same_distance(strict: GuardedReader, tmp_path: Path) -> None:
    info = strict.classifier.info
    save_model(tmp_path / "one.safetensors", strict.classifier.model, info)
    export_model(tmp_path / "one.safetensors", tmp_path / "one.onnx", [])
    (tmp_path / "two.onnx").write_bytes((tmp_path / "one.onnx").read_bytes())
    (tmp_path / "other").mkdir()
    export_ensemble([tmp_path / "one.onnx", tmp_path / "two.onnx"], tmp_path / "other" / "both.onnx", None)
    wanted = strict.read(FILM).said.checks[0].value
    for spec in ("one.safetensors", "one.onnx", "other/both.onnx"):
        loaded = GuardedReader.load(tmp_path / spec)
        assert loaded.classifier.info.likeness == info.likeness
        assert loaded.read(FILM).said.checks[0].value == pytest.approx(wanted, rel=1e-5)
    joined = GuardedReader.load(f"{tmp_path}/one.onnx,{tmp_path}/two.onnx")
    assert joined.read(FILM).said.checks[0].value == pytest.approx(wanted, rel=1e-5)
    flipped = replace(strict, classifier=strict.classifier.flipped())
    assert flipped.read(FILM).said.checks[0].value == pytest.approx(wanted, rel=1e-5)


@pytest.mark.release
@pytest.mark.slow
def test_a_likeness_of_other_features_is_refused(strict: GuardedReader, tmp_path: Path) -> None:
    info = strict.classifier.info
    wrong = info.model_copy(
        update={"likeness": likeness_of(strict.classifier.model.feature_channels + 1, 1.0)}
    )
    save_model(tmp_path / "one.safetensors", strict.classifier.model, wrong)
    with pytest.raises(
        CheckpointError, match=r"header of .*one.safetensors is damaged \(likeness is of \d+ feat"
    ):
        Classifier.load(tmp_path / "one.safetensors")
    save_model(tmp_path / "two.safetensors", strict.classifier.model, info)
    export_model(tmp_path / "two.safetensors", tmp_path / "two.onnx", [])
    file = read_onnx(tmp_path / "two.onnx")
    (tmp_path / "two.onnx").write_bytes(stamped(parsed(file.content), wrong, file.facts))
    with pytest.raises(
        CheckpointError, match=r"metadata of .*two.onnx is damaged \(likeness is of \d+ features"
    ):
        Classifier.load(tmp_path / "two.onnx")


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


@pytest.mark.slow
def test_it_loads_what_the_classifier_loads(tmp_path: Path) -> None:
    path = save_student(tmp_path / "two.safetensors", untrained())
    loaded = GuardedReader.load(path)
    assert loaded.classifier.path == Classifier.load(path).path and isinstance(loaded.gate, Gate)
