"""The Classify page: films from everywhere, the maps that are asked for, and what is refused."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from app_pages import page, viewer, words, write_examples
from demo_home import SPLIT, save_demo_model

from xlite import examples
from xlite.classify import Classifier
from xlite.evaluation.validation import record_validation
from xlite.explain import METHODS
from xlite.findings import FINDINGS, spoken
from xlite.images import read_image
from xlite.messages import literal
from xlite.models.checkpoint import load_model, save_model
from xlite.report.document import to_markdown
from xlite.report.worth import worth_sentences, worth_table

pytestmark = pytest.mark.usefixtures("one_scan", "only_this_home", "lenient")


@pytest.fixture
def bundled_films(only_this_home: Path) -> Path:
    """The folder of two bundled films, a.png and b.png."""
    folder = examples.bundled("app", "examples")
    write_examples(folder)
    return folder


@pytest.mark.slow
def test_classify_reads_a_bundled_film_at_once(own_home: Path, bundled_films: Path):
    path = save_demo_model(own_home)
    test = page("classify").run()
    text = words(test)
    reading = Classifier.load(path).read(read_image(bundled_films / "a.png"))
    top = [f"{spoken(finding)} {value:.1%}" for finding, value in reading.top(3)]
    assert [tab.label for tab in test.tabs] == top
    assert f"split {SPLIT}" in text and "research model" in text
    finding, probability = reading.top(1)[0]
    named = (
        f"Synthetic film 1. Edema, Pleural thickening, map of {spoken(finding).lower()} ({probability:.1%})"
    )
    assert named in text
    shown = viewer(test)
    np.testing.assert_array_equal(shown["film"], read_image(bundled_films / "a.png"))
    assert (shown["finding"], len(shown["maps"]), shown["choose"]) == (finding, 14, False)
    assert len(test.image) == 3
    assert len(test.get("plotly_chart")) == 1


@pytest.mark.slow
def test_classify_says_what_a_map_is_and_which_other_findings_are_above_their_threshold(
    own_home: Path, bundled_films: Path
):
    path = save_demo_model(own_home)  # a random one: some of its 14 probabilities are above its 0.5
    reading = Classifier.load(path).read(read_image(bundled_films / "a.png"))
    above = [f"{spoken(name)} ({value:.1%})" for name, value in reading.top(14) if value >= 0.5]
    assert len(above) > 4
    text = words(page("classify").run())
    assert f"Beyond these three, above the model's threshold: {', '.join(above[3:])}." in text
    assert "(2 × 2 cells, each about 25 % of the film; one is outlined): it does not locate" in text


@pytest.mark.slow
def test_classify_says_what_each_verdict_is_worth(own_home: Path, bundled_films: Path):
    path = save_demo_model(own_home)
    student, info = load_model(path)
    rng = np.random.default_rng(0)
    labels = (rng.random((400, 14)) < 0.2).astype(np.float32)
    save_model(path, student, record_validation(info, rng.normal(0, 1, (400, 14)), labels, np.arange(400)))
    reading = Classifier.load(path).read(read_image(bundled_films / "a.png"))
    test = page("classify").run()
    words(test)
    captions = [caption.value for caption in test.caption]
    for finding, _ in reading.top(3):
        said = worth_sentences(reading.worth(finding))
        assert len(said) == 4 and set(said) <= set(captions)
    table = to_markdown("", [worth_table(reading.worths())], escape=literal)
    assert [shown.value for shown in test.markdown if shown.value.startswith("| Finding")] == [table.strip()]


@pytest.mark.slow
def test_classify_reads_an_upload_and_refuses_what_is_no_film(own_home: Path):
    save_demo_model(own_home)
    film = np.random.default_rng(0).integers(0, 256, (90, 70), dtype=np.uint8)
    test = page("classify").run()
    for name, data in (
        ("fake.png", b"this is no picture"),
        ("cut.png", cv2.imencode(".png", film)[1].tobytes()[:900]),
        ("huge.png", b"\0" * (64 * 2**20 + 1)),
    ):
        test.file_uploader[0].set_value((name, data, "image/png")).run()
        assert [error.message for error in test.exception] == []
        assert len(test.error) == 1 and len(test.tabs) == 0
    assert test.error[0].value == "huge.png has 64.0 MB: films may have 64 MB at most"
    test.file_uploader[0].set_value(("film.png", cv2.imencode(".png", film)[1].tobytes(), "image/png")).run()
    words(test)
    assert len(test.error) == 0 and len(test.tabs) == 3
    assert "film.png, map of " in words(test)
    np.testing.assert_array_equal(viewer(test)["film"], film)


@pytest.mark.slow
def test_classify_takes_a_film_of_any_name(own_home: Path):
    save_demo_model(own_home)
    film = np.random.default_rng(0).integers(0, 256, (90, 70), dtype=np.uint8)
    test = page("classify").run()
    assert list(test.file_uploader[0].proto.type) == []  # by content: DICOM is called .dicom, .IMA or nothing
    for name in ("IM000001", "film.dicom", "film.IMA"):
        data = cv2.imencode(".png", film)[1].tobytes()
        test.file_uploader[0].set_value((name, data, "application/octet-stream")).run()
        assert (len(test.exception), len(test.error), len(test.tabs)) == (0, 0, 3)


@pytest.mark.slow
def test_classify_switches_the_map_to_any_finding(own_home: Path, bundled_films: Path):
    save_demo_model(own_home)
    test = page("classify").run()
    [maps] = [box for box in test.selectbox if box.label == "Map of"]
    assert len(maps.options) == 14
    for finding in FINDINGS:
        test.selectbox(key="finding").set_value(finding).run()
        assert f"map of {spoken(finding).lower()} (" in words(test)
        assert viewer(test)["finding"] == finding


@pytest.mark.slow
def test_a_finding_stays_from_film_to_film_and_unless_one_is_chosen_each_film_has_its_likeliest(
    own_home: Path, bundled_films: Path
):
    path = save_demo_model(own_home)
    likeliest = [
        Classifier.load(path).read(read_image(bundled_films / name)).top(1)[0][0]
        for name in ("a.png", "b.png")
    ]
    test = page("classify").run()
    films = list(examples.examples())
    found = []
    for film in films:
        test.selectbox[0].set_value(film).run()
        found.append(viewer(test)["finding"])
    assert found == likeliest
    test.selectbox(key="finding").set_value("Hernia").run()
    for film in films:
        test.selectbox[0].set_value(film).run()
        assert viewer(test)["finding"] == "Hernia"


@pytest.mark.slow
def test_an_address_that_asks_for_an_unknown_finding_is_told_so(own_home: Path, bundled_films: Path):
    save_demo_model(own_home)
    for asked, sentences in (
        (
            "Fracture",
            ["The finding 'Fracture' is asked for, and it is not here"],
        ),
        ("Pleural thickening", []),
    ):
        test = page("classify")
        test.query_params["finding"] = asked
        test.run()
        assert [one.value for one in test.warning] == sentences
    assert viewer(test)["finding"] == "Pleural_Thickening"


@pytest.mark.slow
def test_names_of_films_and_what_a_model_says_of_itself_are_shown_as_they_are(own_home: Path):
    save_demo_model(own_home)
    film = cv2.imencode(".png", np.random.default_rng(0).integers(0, 256, (90, 70), dtype=np.uint8))[
        1
    ].tobytes()
    test = page("classify").run()
    test.file_uploader[0].set_value(("![x](https:evil.example) $y$.png", film, "image/png")).run()
    words(test)
    named = [one.value for one in test.caption if "map of" in one.value]
    assert named[0].startswith("!\\[x\\](https\\:evil.example) \\$y\\$.png, map of ")
    assert viewer(test)["name"] == "![x](https:evil.example) $y$.png"
    [about] = [one.value for one in test.caption if one.value.startswith("Model demo0: ")]
    assert about.startswith("Model demo0: test_resnet.r160_in1k, trained on split patient-42-")


@pytest.mark.slow
def test_classify_makes_the_maps_that_are_asked_for(own_home: Path, bundled_films: Path):
    save_demo_model(own_home)
    test = page("classify").run()
    assert METHODS["layercam"].description in words(test)
    test.selectbox(key="method").set_value("eigencam").run()
    text = words(test)
    assert (
        METHODS["eigencam"].description in text and "stand out, whatever the finding: the right end" in text
    )
    probabilities = [tab.label for tab in test.tabs]
    test.selectbox(key="method").set_value("gradcam").run()
    assert [tab.label for tab in test.tabs] == probabilities


def test_classify_says_when_there_is_no_model():
    test = page("classify").run()
    assert [info.value for info in test.info] == [
        "There is no model yet. Train one on the Train page; it appears here after its first epoch."
    ]


def test_in_public_no_page_without_a_model_sends_to_the_train_page(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XLITE_PUBLIC", "1")
    for name in ("classify", "about"):
        assert [info.value for info in page(name).run().info] == ["There is no model yet."]


def test_classify_refuses_a_damaged_model_in_one_sentence(own_home: Path, bundled_films: Path):
    path = save_demo_model(own_home)
    path.write_bytes(b"PK not a model")
    test = page("classify").run()
    assert [error.message for error in test.exception] == []
    assert len(test.error) == 1 and "model.safetensors" in test.error[0].value
