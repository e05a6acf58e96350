"""Read a film from visit to visit: what the address opens, what stays, what is forgotten, who sees what."""

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from app_pages import page, viewer, words, write_boxes, write_examples
from demo_home import save_demo_model
from pdf_texts import pdf_texts
from streamlit.testing.v1 import AppTest

from xlite import examples
from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.data.split_files import load_split
from xlite.findings import FINDINGS, spoken
from xlite.guards.gate import Gate
from xlite.guards.verdict import Check, Guards
from xlite.images import read_image
from xlite.messages import literal
from xlite.models.checkpoint import load_model, save_model
from xlite.reading import Reading
from xlite.report.film_sentences import learned_sentences
from xlite.serving.visit import KEPT_WORDS

pytestmark = pytest.mark.usefixtures("one_scan", "only_this_home", "lenient")
FILM = np.random.default_rng(0).integers(0, 256, (90, 70), dtype=np.uint8)
OTHER = np.random.default_rng(1).integers(0, 256, (90, 70), dtype=np.uint8)


def png(name: str, image: np.ndarray = FILM) -> tuple[str, bytes, str]:
    return name, cv2.imencode(".png", image)[1].tobytes(), "image/png"


def opened(data: str = "", **address: str) -> AppTest:
    """The page at that address."""
    test = page("classify", data=data)
    for key, value in address.items():
        test.query_params[key] = value
    test.run()
    assert [error.message for error in test.exception] == []
    return test


def uploaded(test: AppTest, *films: tuple[str, bytes, str]) -> AppTest:
    test.file_uploader[0].set_value(list(films)).run()
    assert [error.message for error in test.exception] == []
    return test


def pressed(test: AppTest, label: str) -> AppTest:
    [button] = [one for one in test.button if one.label == label]
    button.click().run()
    assert [error.message for error in test.exception] == []
    return test


def captions(test: AppTest) -> list[str]:
    shown = [caption.value.replace("\\", "") for caption in test.caption]
    return [caption for caption in shown if ", map of " in caption]


def probabilities(test: AppTest) -> list[str]:
    return [tab.label for tab in test.tabs]


def expected(reading: Reading) -> list[str]:
    return [f"{spoken(finding)} {value:.1%}" for finding, value in reading.top(3)]


def history(test: AppTest) -> list[list[str]]:
    """Film, model and guards of each line of the history."""
    tables = [one.value for one in test.markdown if one.value.startswith("| Film | Model")]
    rows = tables[0].splitlines()[2:] if tables else []
    return [row.strip("| ").split(" | ")[:3] for row in rows if row]


@pytest.fixture
def bundled_films(only_this_home: Path) -> Path:
    folder = examples.bundled("app", "examples")
    write_examples(folder)
    return folder


@pytest.mark.slow
def test_the_address_opens_a_film_a_model_a_finding_and_a_kind_of_map(own_home: Path, bundled_films: Path):
    save_demo_model(own_home)
    save_demo_model(own_home, "other", seed=1)
    test = opened(model="demo0", film="2. No finding", finding="Hernia", method="Grad-CAM", against="other")
    assert [error.value for error in test.error] == []
    reading = Classifier.load("demo0").read(read_image(bundled_films / "b.png"))
    assert probabilities(test) == expected(reading)
    assert captions(test)[0].startswith("Synthetic film 2. No finding, map of hernia")
    assert test.selectbox(key="method").value == "gradcam"
    assert "other beside demo0" in words(test)


@pytest.mark.parametrize(("key", "what"), [("model", "model"), ("against", "model"), ("film", "film")])
def test_what_the_address_asks_for_and_is_not_here_is_said_and_nothing_is_read(
    own_home: Path, bundled_films: Path, key: str, what: str
):
    save_demo_model(own_home)
    test = opened(**{key: "nowhere.png"})
    assert len(test.error) == 1 and probabilities(test) == []
    assert test.error[0].value.startswith(
        literal(f"The {what} 'nowhere.png' is asked for, and it is not here")
    )


@pytest.mark.slow
def test_no_number_of_a_model_stays_when_another_one_reads(own_home: Path, bundled_films: Path):
    save_demo_model(own_home)
    save_demo_model(own_home, "other", seed=1)
    test = opened(model="demo0")
    test.selectbox(key="finding").set_value("Cardiomegaly").run()
    for model in ("other", "demo0"):
        test.selectbox(key="model").set_value(model).run()
        finding = test.selectbox(key="finding")
        assert (finding.value, sorted(finding.options)) == ("Cardiomegaly", sorted(map(spoken, FINDINGS)))
        assert "map of cardiomegaly" in captions(test)[0]
        reading = Classifier.load(model).read(read_image(bundled_films / "a.png"))
        assert probabilities(test) == expected(reading)


@pytest.mark.slow
def test_another_film_begins_with_its_own_likeliest_finding(own_home: Path, bundled_films: Path):
    path = save_demo_model(own_home)
    test = opened()
    for name, film in (("1. Edema, Pleural thickening", "a.png"), ("2. No finding", "b.png")):
        test.selectbox(key="film").set_value(name).run()
        top, _ = Classifier.load(path).read(read_image(bundled_films / film)).top(1)[0]
        assert test.selectbox(key="finding").value is None
        assert f"map of {spoken(top).lower()}" in captions(test)[0]
    test.selectbox(key="finding").set_value("Hernia").run()
    test.selectbox(key="film").set_value("1. Edema, Pleural thickening").run()
    assert test.selectbox(key="finding").value == "Hernia"


@pytest.mark.slow
def test_an_upload_and_its_model_are_there_after_another_page(own_home: Path, bundled_films: Path):
    """Streamlit empties the uploader when its page is left; the frame keeps the values of the address."""
    save_demo_model(own_home)
    save_demo_model(own_home, "other", seed=1)
    test = uploaded(opened(), png("film.png"))
    test.selectbox(key="model").set_value("demo0").run()
    before = probabilities(test), captions(test)[0]
    kept = {key: test.session_state[key] for key in ("visit", "model", "film")}
    again = page("classify", **kept).run()
    assert words(again) and again.file_uploader[0].value == []
    assert (probabilities(again), captions(again)[0]) == before
    assert again.selectbox(key="model").value == "demo0"


@pytest.mark.slow
def test_a_failed_upload_says_why_and_no_other_reading_is_shown(own_home: Path, bundled_films: Path):
    save_demo_model(own_home)
    good = png("good.png")
    test = uploaded(opened(), good)
    assert len(probabilities(test)) == 3
    test = uploaded(test, good, ("bad.png", b"no picture", "image/png"))
    [shown] = [box for box in test.selectbox if box.label == "Film shown"]
    assert shown.options == ["good.png", "bad.png, not read"]
    shown.select_index(1).run()
    [why] = [error.value for error in test.error]
    assert why.startswith("bad.png: The file is not a PNG")
    assert probabilities(test) == [] and captions(test) == []


@pytest.mark.slow
def test_a_film_that_is_added_and_fails_is_the_one_on_view(own_home: Path):
    save_demo_model(own_home)
    test = opened()
    test.file_uploader[0].upload(*png("good.png")).run()
    assert len(probabilities(test)) == 3
    kept = test.file_uploader[0].value[0]
    test.file_uploader[0]._files = [(kept.file_id, kept.name, kept.getvalue(), "image/png")]
    test.file_uploader[0].upload("bad.png", b"no picture", "image/png").run()
    assert len(test.error) == 1 and test.error[0].value.startswith("bad.png")
    assert probabilities(test) == []


@pytest.mark.slow
def test_two_visitors_never_see_each_others_films(own_home: Path, bundled_films: Path):
    save_demo_model(own_home)
    one, two = opened(), opened()
    uploaded(one, png("first.png"))
    uploaded(two, png("second.png", OTHER))
    one.run(), two.run()
    assert captions(one)[0].startswith("first.png") and captions(two)[0].startswith("second.png")
    assert probabilities(one) != probabilities(two)
    for test, name, other in ((one, "first.png", "second.png"), (two, "second.png", "first.png")):
        assert name in [row[0] for row in history(test)]
        assert other not in words(test)


@pytest.mark.slow
def test_nothing_that_is_uploaded_is_written_to_a_disk(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    save_demo_model(own_home)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    test = opened()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("ward/a.png", png("a.png")[1])
    uploaded(test, png("film.png"), ("films.zip", out.getvalue(), "application/zip"))
    assert len(history(test)) >= 2
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.slow
def test_a_zip_of_films_is_read_and_what_else_lay_in_it_is_told(own_home: Path):
    save_demo_model(own_home)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in (("b.png", png("b", OTHER)[1]), ("a.png", png("a")[1]), ("notes.txt", b"no film")):
            archive.writestr(name, data)
    test = uploaded(opened(), ("films.zip", out.getvalue(), "application/zip"))
    [shown] = [box for box in test.selectbox if box.label == "Film shown"]
    assert (shown.options, len(probabilities(test))) == (["a.png", "b.png"], 3)
    assert literal("films.zip: 1 passed over (1 not a film)") in [info.value for info in test.info]
    broken = uploaded(opened(), ("films.zip", out.getvalue()[:-30], "application/zip"))
    assert "films.zip" in broken.error[0].value and probabilities(broken) == []


@pytest.mark.slow
def test_the_history_opens_and_forgets_films(own_home: Path, bundled_films: Path):
    save_demo_model(own_home)
    save_demo_model(own_home, "other", seed=1)
    test = opened(model="demo0")
    uploaded(test, png("film.png"))
    test.selectbox(key="model").set_value("other").run()
    synthetic = literal("Synthetic film 1. Edema, Pleural thickening")
    assert history(test) == [
        ["film.png", "other", "pass"],
        ["film.png", "demo0", "pass"],
        [synthetic, "demo0", "pass"],
    ]
    assert KEPT_WORDS in [caption.value for caption in test.caption]
    [pick] = [box for box in test.selectbox if box.label == "A film of this visit"]
    pick.select_index(2).run()
    pressed(test, "Open")
    assert (test.selectbox(key="film").value, test.selectbox(key="model").value) == (
        "1. Edema, Pleural thickening",
        "demo0",
    )
    assert captions(test)[0].startswith("Synthetic film 1")
    [pick] = [box for box in test.selectbox if box.label == "A film of this visit"]
    pick.select_index(pick.options.index("film.png, read by other")).run()
    pressed(test, "Open")
    assert captions(test)[0].startswith("film.png") and test.selectbox(key="model").value == "other"
    pressed(test, "Forget all")
    assert test.file_uploader[0].value == [] and "film.png" not in words(test)
    assert [row[0] for row in history(test)] == [synthetic]


@pytest.mark.slow
def test_a_film_of_the_data_folder_is_opened_by_its_name(own_home: Path, tiny_folder: Path):
    path = save_demo_model(own_home)
    name = "00000003_001.png"
    test = opened(str(tiny_folder), film=name)
    reading = Classifier.load(path).read(read_image(tiny_folder / "images" / name))
    assert probabilities(test) == expected(reading) and captions(test)[0].startswith(name)
    gone = opened(str(tiny_folder), film="00000099_000.png")
    assert (
        "has no film 00000099_000.png" in gone.error[0].value.replace("\\", "") and probabilities(gone) == []
    )


@pytest.mark.slow
def test_a_public_server_opens_no_film_of_a_folder_and_names_no_path(
    own_home: Path, bundled_films: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XLITE_PUBLIC", "1")
    save_demo_model(own_home)
    test = opened(str(tiny_folder), film="00000003_001.png")
    assert [error.value for error in test.error] == [
        literal("The film '00000003_001.png' is asked for, and it is not here")
    ]
    assert probabilities(test) == [] and str(tiny_folder) not in words(test)
    film = test.selectbox(key="film")
    assert film.options == ["1. Edema, Pleural thickening", "2. No finding"]
    assert film.proto.accept_new_options is False
    forced = page("classify", data=str(tiny_folder), film="00000003_001.png").run()
    assert not any(caption.startswith("00000003_001") for caption in captions(forced))


@pytest.mark.slow
def test_a_film_that_the_model_learned_from_is_told_by_its_name_and_by_its_content(
    own_home: Path, films: Path
):
    path = save_demo_model(own_home)
    student, info = load_model(path)
    split = load_split(NihFolder.open(films), "patient")
    save_model(path, student, info.model_copy(update={"split_id": split.id}))
    known, new = (split.parts[part][0] for part in ("train", "test"))
    [sentence] = learned_sentences(["train"], known.removesuffix(".png"), split.id)
    test = opened(str(films), film=known)
    assert [warning.value for warning in test.warning] == [literal(sentence)]
    data = (films / "images" / known).read_bytes()
    test = uploaded(opened(str(films)), ("scan.png", data, "image/png"))
    assert [warning.value for warning in test.warning] == [literal(sentence)]
    for quiet in (opened(str(films), film=new), uploaded(opened(), ("scan.png", data, "image/png"))):
        assert len(quiet.warning) == 0 and len(probabilities(quiet)) == 3


@pytest.mark.slow
def test_a_film_of_the_data_folder_has_its_boxes_by_its_name_and_by_its_content(
    own_home: Path, tiny_folder: Path
):
    save_demo_model(own_home)
    name = "00000003_001.png"
    write_boxes(tiny_folder, f"{name},Mass,512,256,102.4,51.2", "00000003_000.png,Hernia,0,0,9,9")
    boxes = [{"title": "Mass", "x": 32, "y": 16, "width": 6.4, "height": 3.2}]
    by_name = viewer(opened(str(tiny_folder), film=name))
    assert by_name["boxes"] == [{key: pytest.approx(value) for key, value in boxes[0].items()}]
    data = (tiny_folder / "images" / name).read_bytes()
    by_content = viewer(uploaded(opened(str(tiny_folder)), ("scan.png", data, "image/png")))
    assert (by_content["name"], by_content["boxes"]) == ("scan.png", by_name["boxes"])
    unknown = uploaded(opened(str(tiny_folder)), png("scan.png"))
    assert viewer(unknown)["boxes"] == [] == viewer(uploaded(opened(), ("scan.png", data, "")))["boxes"]


@pytest.mark.slow
def test_boxes_turn_with_a_film_that_is_turned_upright(
    own_home: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Gate, "judge", lambda *_: guards)
    guards = Guards((Check("rotated_90", "probability", 0.9, 0.5),))
    save_demo_model(own_home)
    name = "00000003_001.png"
    cv2.imwrite(str(tiny_folder / "images" / name), FILM)
    write_boxes(tiny_folder, f"{name},Mass,0,0,512,256")
    test = opened(str(tiny_folder), film=name)
    came = viewer(test)
    assert came["boxes"] == [{"title": "Mass", "x": 0, "y": 0, "width": 35, "height": 22.5}]
    [button] = [one for one in test.button if (one.key or "").startswith("turn-")]
    turned = viewer(button.click().run())
    np.testing.assert_array_equal(turned["film"], np.rot90(FILM))
    assert turned["boxes"] == [{"title": "Mass", "x": 0, "y": 35, "width": 22.5, "height": 35}]


@pytest.mark.slow
def test_an_upload_beyond_a_screen_is_in_the_viewer_as_it_is_and_its_pictures_are_small(own_home: Path):
    save_demo_model(own_home)
    # Of squares: noise of single pixels is blank once it is made small.
    squares = np.random.default_rng(3).integers(0, 256, (15, 12), dtype=np.uint8)
    film = np.kron(squares, np.ones((100, 100), np.uint8))
    test = uploaded(opened(), png("film.png", film))
    shown = viewer(test)
    np.testing.assert_array_equal(shown["film"], film)
    assert shown["whole"] == [1200, 1500] and len(shown["maps"]) == 14
    [view] = test.session_state["visit"].views.values()
    assert view.came.answer.film.shape == (1024, 819)


@pytest.mark.slow
def test_one_steps_through_the_films_of_a_batch(own_home: Path):
    save_demo_model(own_home)
    test = uploaded(opened(), png("a.png"), png("b.png", OTHER), png("c.png", FILM.T))
    found = [viewer(test)["name"]]
    for step in ("Next", "Next", "Previous"):
        found.append(viewer(pressed(test, step))["name"])
    assert found == ["a.png", "b.png", "c.png", "b.png"]
    assert test.selectbox(key="shown").value == test.session_state["visit"].shown
    assert "2 of 3" in words(test)
    steps = {one.label: (one.disabled, one.proto.shortcut) for one in test.button if one.proto.shortcut}
    assert steps == {"Previous": (False, "w"), "Next": (False, "e")}
    pressed(test, "Next")
    steps = {one.label: one.disabled for one in test.button if one.proto.shortcut}
    assert steps == {"Previous": False, "Next": True}
    assert [one.label for one in uploaded(test, png("d.png")).button if one.proto.shortcut] == []


@pytest.mark.slow
def test_what_is_not_painted_has_no_legend(own_home: Path, monkeypatch: pytest.MonkeyPatch):
    save_demo_model(own_home)
    for fault, legends in ((None, 1), ("shows no place", 0)):
        monkeypatch.setattr(Reading, "fault", lambda self, finding, fault=fault: fault)
        test = uploaded(opened(), png("a.png"))
        assert len([one for one in test.caption if one.value.startswith("Colour shows")]) == legends
        assert ["Not painted: the map of" in one.value for one in test.info] == [True] * (fault is not None)


@pytest.mark.slow
def test_the_history_counts_films_and_not_readings(own_home: Path):
    save_demo_model(own_home)
    save_demo_model(own_home, "other", seed=1)
    test = uploaded(opened(model="demo0"), png("a.png"), png("b.png", OTHER))
    test.selectbox(key="model").set_value("other").run()
    assert len(history(test)) == 4
    assert [one.label for one in test.expander if one.label.startswith("Films of")] == [
        "Films of this visit (2)"
    ]


@pytest.mark.slow
def test_two_models_stand_beside_each_other(own_home: Path, bundled_films: Path):
    save_demo_model(own_home)
    save_demo_model(own_home, "other", seed=1)
    test = opened(model="demo0")
    assert len(test.get("plotly_chart")) == 1
    test.selectbox(key="against").set_value("other").run()
    text = words(test)
    assert "other beside demo0" in [head.value for head in test.subheader]
    one, two = (
        Classifier.load(name).read(read_image(bundled_films / "a.png")) for name in ("demo0", "other")
    )
    [table] = [shown.value for shown in test.markdown if shown.value.startswith("| Finding | demo0 |")]
    rows = [row.strip("| ").split(" | ") for row in table.splitlines()[2:16]]
    assert [row[0] for row in rows] == [spoken(finding) for finding, _ in one.top(14)]
    assert [row[3] for row in rows] == [f"{two.probability(finding):.1%}" for finding, _ in one.top(14)]
    assert "Calls that change" in text and len(test.get("plotly_chart")) == 2
    test.selectbox(key="model").set_value("other").run()
    assert test.selectbox(key="against").value is None and len(test.get("plotly_chart")) == 1


@pytest.mark.slow
def test_the_report_is_made_when_it_is_asked_for(own_home: Path, monkeypatch: pytest.MonkeyPatch):
    from xlite.report import film_pdf

    save_demo_model(own_home)
    made: list[bytes] = []
    films_pdf = film_pdf.films_pdf

    def noted(*words: object) -> bytes:
        made.append(films_pdf(*words))
        return made[-1]

    monkeypatch.setattr(film_pdf, "films_pdf", noted)
    test = uploaded(opened(), png("a.png"), png("b.png", OTHER))
    [button] = [one for one in test.get("download_button") if one.proto.label == "Report (PDF)"]
    assert made == [] and button.proto.deferred_file_id
    from xlite.serving.viewer import films_pdf as report_of

    visit = test.session_state["visit"]
    pdf = report_of(
        Classifier.load("demo0"), visit.views.values(), [[], []], datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert [texts[2] for texts in pdf_texts(pdf)] == ["a.png", "b.png"] and made == [pdf]


@pytest.mark.slow
def test_every_picture_and_chart_has_a_text_in_its_place(own_home: Path, bundled_films: Path):
    save_demo_model(own_home)
    save_demo_model(own_home, "other", seed=1)
    test = opened(model="demo0", against="other")
    charts = [chart.proto.alt for chart in test.get("plotly_chart")]
    assert len(charts) == 2 and all(len(text) > 40 for text in charts)
    pictures = [image.proto.imgs[0].alt for image in test.image]
    assert len(pictures) == 3 and all(len(text) > 10 for text in pictures)
