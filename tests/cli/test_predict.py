"""`xlite predict`: films in, predictions and overlays out."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from command_line import Command, wait_for
from pdf_texts import pdf_texts
from tiny_models import save_student, student

from xlite.data.predictions import read_predictions
from xlite.data.tables import stem_of
from xlite.examples import examples
from xlite.findings import FINDINGS, spoken
from xlite.formats import FORMATS
from xlite.images import read_image
from xlite.text import percent

pytestmark = pytest.mark.usefixtures("lenient")


@pytest.mark.slow
def test_predict_reads_files_and_folders_in_the_order_given(
    xlite: Command, model: str, tiny_folder: Path, tmp_path: Path
) -> None:
    from xlite.classify import Classifier

    single = tmp_path / "upload.JPG"
    cv2.imwrite(str(single), np.random.default_rng(1).integers(0, 256, (50, 70), dtype=np.uint8))
    (tiny_folder / "images" / "readme.txt").write_text("no film")
    out = tmp_path / "out"
    status, text, err = xlite("predict", model, single, tiny_folder / "images", "--out", out, "--heatmaps", 2)
    assert (status, err) == (0, "")
    assert "25 films" in text and str(out) in text
    with open(out / "predictions.csv", newline="") as file:
        header, *rows = csv.reader(file)
    films = sorted(path.name for path in (tiny_folder / "images").glob("*.png"))
    assert header == ["image", *FINDINGS]
    assert [row[0] for row in rows] == ["upload.JPG", *films]
    classifier = Classifier.load(model)
    reading = classifier.read(read_image(single))
    np.testing.assert_allclose([float(cell) for cell in rows[0][1:]], reading.probabilities, atol=1e-6)
    overlays = sorted(path.name for path in out.glob("upload*.png"))
    best = reading.top(2)
    assert overlays == [f"upload_{rank}_{finding}.png" for rank, (finding, _) in enumerate(best, 1)]
    written = cv2.cvtColor(cv2.imread(str(out / overlays[0])), cv2.COLOR_BGR2RGB)
    np.testing.assert_array_equal(written, reading.overlay(read_image(single), best[0][0]))


@pytest.mark.slow
def test_predict_without_a_folder_answers_and_leaves_nothing(
    xlite: Command, model: str, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    film = min((tiny_folder / "images").glob("*.png"))
    _, told, _ = xlite("predict", model, film, "--out", tmp_path / "out")
    status, text, err = xlite("predict", model, film)
    assert (status, err, text) == (0, "", told.replace(f": {tmp_path / 'out'}", ""))
    assert "1 film read" in text and list((tmp_path / "tmp").iterdir()) == []
    status, _, err = xlite("predict", model, film, "--heatmaps", 2)
    assert status == 2 and "overlays are files: name a folder with --out" in err


@pytest.mark.slow
def test_predict_writes_a_page_a_film_as_the_app_does(
    xlite: Command, model: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from xlite.guarded import GuardedReader
    from xlite.report.film_pdf import FilmPage, films_pdf

    blank = np.full((64, 64), 9, np.uint8)
    films = {"a.png": read_image(examples()["7. No finding"].path), "blank.png": blank}
    for name, film in films.items():
        cv2.imwrite(str(tmp_path / name), film)
    status, _, err = xlite("predict", model, *(tmp_path / name for name in films), "--pdf")
    assert status == 2 and "pages are files: name a folder with --out" in err
    out = tmp_path / "out"
    assert xlite("predict", model, *(tmp_path / name for name in films), "--pdf", "--out", out)[0] == 1
    assert sorted(path.name for path in out.glob("*.pdf")) == ["a.pdf", "blank.pdf"]
    reader = GuardedReader.load(model)
    for name, film in films.items():
        page = FilmPage(name, reader.read(film))
        [expected] = pdf_texts(films_pdf(reader.classifier, [page], datetime.now(UTC)))
        [written] = pdf_texts((out / f"{Path(name).stem}.pdf").read_bytes())
        assert written[2:] == expected[2:] and written[2] == name  # but for the time
    (out / "a.pdf").unlink()
    (out / "a.pdf").mkdir()
    assert xlite("predict", model, tmp_path / "a.png", "--pdf", "--out", out)[0] == 1
    assert caplog.records[-1].getMessage().startswith(f"Error: {tmp_path / 'a.png'}: its files cannot be")


@pytest.mark.slow
def test_predict_draws_the_map_that_is_asked_for(
    xlite: Command, model: str, tiny_folder: Path, tmp_path: Path
) -> None:
    from xlite.classify import Classifier

    film = min((tiny_folder / "images").glob("*.png"))
    image = read_image(film)
    pictures = {}
    for method in ("layercam", "gradcam"):
        out = tmp_path / method
        status, _, err = xlite("predict", model, film, "--out", out, "--heatmaps", 14, "--map", method)
        assert (status, err) == (0, "")
        reading = Classifier.load(model).read(image, method)
        for rank, (finding, _) in enumerate(reading.top(14), 1):
            written = cv2.imread(str(out / f"{film.stem}_{rank}_{finding}.png"))
            pictures[method, finding] = cv2.cvtColor(written, cv2.COLOR_BGR2RGB)
            np.testing.assert_array_equal(pictures[method, finding], reading.overlay(image, finding))
    pairs = [(pictures["layercam", name], pictures["gradcam", name]) for name in FINDINGS]
    assert any(not np.array_equal(*pair) for pair in pairs)


@pytest.mark.slow
def test_one_bad_film_does_not_stop_the_others(xlite: Command, model: str, tiny_folder: Path) -> None:
    images = tiny_folder / "images"
    (images / "00000001_000.png").write_bytes(b"\x89PNG\r\n\x1a\n truncated")
    status, out, err = xlite("predict", model, images, "--out", tiny_folder / "out", "--json")
    assert status == 1
    assert err.count("Error: ") == 1 and "00000001_000.png" in err
    predictions = json.loads(out)
    assert len(predictions) == 23
    assert list(predictions["00000002_000.png"]) == [*FINDINGS, "guards", "worth"]


@pytest.mark.slow
def test_predict_keeps_films_of_the_same_name_apart(xlite: Command, model: str, tiny_folder: Path) -> None:
    film = tiny_folder / "images" / "00000001_000.png"
    other = tiny_folder / "00000001_000.png"
    other.write_bytes(film.read_bytes())
    out = tiny_folder / "out"
    status, text, _ = xlite("predict", model, film, other, "--out", out, "--json", "--heatmaps", 1)
    names = ["images_00000001_000.png", f"{tiny_folder.name}_00000001_000.png"]
    assert (status, list(json.loads(text))) == (0, names)
    assert overlaid(out) == {stem_of(name) for name in names}
    assert read_predictions(out / "predictions.csv").names == names
    status, _, err = xlite("predict", model, film, film, "--out", out)
    assert (status, err.count("\n"), f"{film} was given twice" in err) == (2, 1, True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["1.2.840.1", "1.2.840.2"], ["1.2.840.1", "1.2.840.2"]),
        (["a.png", "a.dcm", "b.png"], ["1_a.png", "2_a.dcm", "b.png"]),
        (["a.png", "A.dcm", "2_a.png"], ["1_a.png", "2_A.dcm", "3_2_a.png"]),
        (["x/a.png", "y/a.png", "y/a.jpg", "b"], ["x_a.png", "2_a.png", "3_a.jpg", "b"]),
    ],
)
def test_each_film_has_a_row_and_overlays_of_its_own(
    given: list[str], expected: list[str], xlite: Command, model: str, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (40, 40), dtype=np.uint8)
    films = [tmp_path / "films" / name for name in given]
    for film in films:
        film.parent.mkdir(parents=True, exist_ok=True)
        film.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    out = tmp_path / "out"
    status, _, err = xlite("predict", model, *films, "--out", out, "--heatmaps", 2)
    assert (status, err) == (0, "")
    assert read_predictions(out / "predictions.csv").names == expected
    assert overlaid(out) == {stem_of(name) for name in expected} and len(list(out.glob("*.png"))) == 2 * len(
        given
    )


def overlaid(out: Path) -> set[str]:
    """The films that overlays in a folder are named after."""
    return {re.sub(r"_\d_[A-Z][A-Za-z_]+\.png$", "", path.name) for path in out.glob("*.png")}


@pytest.mark.slow
@pytest.mark.parametrize("place", ["out", "."])
def test_predict_does_not_read_its_own_overlays(
    place: str, xlite: Command, model: str, tiny_folder: Path
) -> None:
    images = tiny_folder / "images"
    words = ["predict", model, images, "--out", images / place, "--heatmaps", 1, "--json"]
    first, again = xlite(*words), xlite(*words)
    assert first == again and first[0] == 0 and len(json.loads(first[1])) == 24


@pytest.mark.slow
def test_a_film_alone_that_cannot_be_read_is_bad_input(xlite: Command, model: str, tmp_path: Path) -> None:
    (tmp_path / "film.png").write_text("no film")
    status, out, err = xlite("predict", model, tmp_path, "--out", tmp_path / "out")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"Error: {tmp_path / 'film.png'}: ") and f"not a {FORMATS} image" in err


def test_predict_on_a_folder_without_films(xlite: Command, model: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    status, _, err = xlite("predict", model, tmp_path / "empty", "--out", tmp_path / "out")
    assert (status, str(tmp_path / "empty") in err, "no film" in err) == (2, True, True)


def test_a_file_in_place_of_a_folder_is_a_sentence(xlite: Command, model: str, tiny_folder: Path) -> None:
    taken = tiny_folder / "taken"
    taken.touch()
    status, _, err = xlite("predict", model, tiny_folder / "images", "--out", taken)
    assert (status, err.count("\n"), f"{taken} is a file" in err) == (2, 1, True)


@pytest.mark.slow
def test_films_of_any_name_are_read_and_none_ends_the_batch(
    xlite: Command, model: str, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (40, 40), dtype=np.uint8)
    png = cv2.imencode(".png", pixels)[1].tobytes()
    names = [
        "+1.png",
        "=cmd.png",
        "IM000001",
        f"{'a' * 245}.png",
        "name\udce9.png",
        "red\x1b[31m.png",
        "two\nlines.png",
    ]
    films = tmp_path / "films"
    for name in [*names, ".hidden.png", ".ipynb_checkpoints/x.png"]:
        (films / name).parent.mkdir(parents=True, exist_ok=True)
        (films / name).write_bytes(png)
    (films / "readme.txt").write_text("no film")
    out = tmp_path / "out"
    status, text, err = xlite("predict", model, films, "--out", out, "--heatmaps", 1)
    assert (status, err) == (0, "")
    assert text.endswith(f"7 films read: {out}\n3 passed over (2 hidden, 1 not a film)\n")
    assert r"red\x1b[31m.png" in text and r"two\nlines.png" in text and r"name\udce9.png" in text
    assert text.replace("\n", "").isprintable()
    written = (out / "predictions.csv").read_text(encoding="utf-8")
    assert written.replace("\n", "").isprintable() and len(written.splitlines()) == 8
    assert "\n'=cmd.png,0." in written and "\n'+1.png,0." in written
    assert read_predictions(out / "predictions.csv").names == names
    assert len(list(out.glob("*.png"))) == 7
    status, text, err = xlite("predict", model, films, "--out", out, "--json")
    assert (status, list(json.loads(text)), err) == (0, names, "3 passed over (2 hidden, 1 not a film)\n")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
def test_a_pipe_is_refused_at_once(xlite: Command, model: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "film.png")
    status, out, err = xlite("predict", model, tmp_path / "film.png", "--out", tmp_path / "out")
    assert (status, out, err) == (2, "", f"Error: {tmp_path / 'film.png'}: this is not a file\n")


@pytest.mark.slow
def test_a_run_that_has_not_finished_is_gone_on_with_or_replaced(
    xlite: Command, model: str, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, out = tiny_folder / "images", tiny_folder / "out"
    films = sorted(path.name for path in images.glob("*.png"))

    def read(path: Path, window: str | None) -> np.ndarray:
        if path.name == films[-1]:
            raise KeyboardInterrupt
        return read_image(path)

    with monkeypatch.context() as patch:
        patch.setattr("xlite.predict.pipeline.read_image", read)
        status, _, _ = xlite("predict", model, images, "--out", out)
    assert (status, read_predictions(out / "predictions.csv").names) == (130, films[:-1])
    status, text, err = xlite("predict", model, images, "--out", out, "--heatmaps", 1)
    sentence = (
        f"{out} holds the work of a command that has not finished and differs from this one in heatmaps: "
    )
    assert (status, text, err.count("\n")) == (2, "", 1) and sentence in err and "--fresh" in err
    status, text, err = xlite("predict", model, images, "--out", out, "--json")
    assert (status, err, list(json.loads(text))) == (0, "Going on: 20 of 24 films are done\n", films)
    assert xlite("predict", model, images, "--out", out, "--json") == (0, text, "")
    again = xlite("predict", model, images, "--out", out, "--fresh", "--json", "--heatmaps", 1)
    assert (again[0], again[2], list(json.loads(again[1]))) == (0, "", films)


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_stopped(
    xlite: Command, model: str, own_home: Path, tmp_path: Path
) -> None:
    films, out = tmp_path / "films", tmp_path / "out"
    films.mkdir()
    film = read_image(examples()["7. No finding"].path)  # which the gate of another process lets pass, too
    for number in range(40):
        cv2.imwrite(str(films / f"{number:02d}.png"), cv2.resize(film[number:], (512, 512)))
    words = [str(word) for word in ("predict", model, films, "--heatmaps", 14, "--out")]
    process = subprocess.Popen([sys.executable, "-m", "xlite", *words, str(out)], stdout=subprocess.DEVNULL)
    rows = out / "predictions.csv"
    wait_for(lambda: rows.exists() and rows.read_bytes().count(b"\n") > 8)
    process.kill()
    assert process.wait() == -signal.SIGKILL and rows.read_bytes().endswith(b"\n")
    done = read_predictions(rows).names
    assert done == [f"{number:02d}.png" for number in range(len(done))] and 8 <= len(done) < 40
    status, text, err = xlite(*words, out)
    assert status == 0 and "40 films read" in text
    assert err.startswith(f"Going on: {len(done)} of 40 films are done\n")
    assert xlite(*words, tmp_path / "whole")[0] == 0
    files = {path.name: path.read_bytes() for path in out.iterdir()}
    assert files == {path.name: path.read_bytes() for path in (tmp_path / "whole").iterdir()}


@pytest.mark.slow
def test_a_film_and_its_mirror_image_are_read_as_one(xlite: Command, model: str, tiny_folder: Path) -> None:
    film, out = tiny_folder / "images" / "00000001_000.png", tiny_folder / "out"
    turned = tiny_folder / "turned.png"
    cv2.imwrite(str(turned), read_image(film)[:, ::-1])
    answers = {}
    for one in (film, turned):
        for words in ([], ["--tta", "flip"]):
            status, text, _ = xlite("predict", model, one, "--out", out, "--json", *words)
            assert status == 0
            [answer] = json.loads(text).values()
            answers[one, bool(words)] = [answer[finding] for finding in FINDINGS]
    assert answers[film, True] == pytest.approx(answers[turned, True], abs=1e-6)
    assert abs(np.subtract(answers[film, False], answers[turned, False])).max() > 1e-4
    text = xlite("predict", model, film, "--tta", "flip")[1]
    assert "Without thresholds, rates and cut-offs: those of the model are of single readings" in text
    status, _, err = xlite("predict", model, film, "--out", out, "--tta", "ten")
    assert (status, "--tta" in err, "'ten'" in err) == (2, True, True)


@pytest.mark.slow
def test_models_joined_by_commas_are_read_as_one(xlite: Command, tiny_folder: Path, tmp_path: Path) -> None:
    film, out = tiny_folder / "images" / "00000001_000.png", tmp_path / "out"
    one, other = (save_student(tmp_path / f"{seed}.safetensors", student(seed=seed)) for seed in (0, 1))
    words = ["--out", out, "--json", "--heatmaps", 1]
    [alone] = json.loads(xlite("predict", other, film, *words)[1]).values()
    status, text, err = xlite("predict", f"{one},{other}", film, *words)
    assert (status, err) == (0, "")
    [both] = json.loads(text).values()
    assert {one["disagreement"] for one in alone["worth"].values()} == {None}
    with open(out / "worth.csv", newline="") as file:
        rows = {row["finding"]: row for row in csv.DictReader(file)}
    for finding in FINDINGS:
        apart = both["worth"][finding]["disagreement"]
        assert 0 < apart < 0.5 and float(rows[finding]["disagreement"]) == pytest.approx(apart, rel=1e-6)
        said = f"Members of the ensemble disagree by {percent(apart)} (standard deviation)."
        assert said in both["worth"][finding]["says"]
    text, (finding, apart) = xlite("predict", f"{one},{other}", film)[1], most_certain(both)
    assert f"{spoken(finding)} {both[finding]:.3f} ± {apart:.3f}" in text
    assert "±: the standard deviation of what the members of the ensemble give\n" in text
    assert "(not calibrated). Research software: no diagnosis.\n" in text
    assert "Not calibrated, and without thresholds, rates and cut-offs: those of its members" in text
    status, _, err = xlite("predict", f"{one},", film, *words)
    assert (status, "lacks a member" in err) == (2, True)


def most_certain(answer: dict[str, Any]) -> tuple[str, float]:
    """The likeliest finding of an answer, and how far the members differ in it."""
    finding = max(FINDINGS, key=lambda one: answer[one])
    return finding, answer["worth"][finding]["disagreement"]


@pytest.mark.slow
def test_the_table_says_the_side_of_each_threshold_and_how_many_films_it_leaves_out(
    xlite: Command, tmp_path: Path
) -> None:
    film = read_image(examples()["7. No finding"].path)
    for number in range(22):
        cv2.imwrite(str(tmp_path / f"{number:02d}.png"), film[number:])
    status, text, _ = xlite("predict", "demo", tmp_path, "--out", tmp_path / "out")
    from xlite.classify import Classifier

    reading = Classifier.load("demo").read(film)
    cells = [f"{spoken(one)} {p:.3f}" for one, p in reading.top(3)]
    sides = [reading.worth(one).side or "" for one, _ in reading.top(3)]
    first = next(line for line in text.splitlines() if line.startswith("00.png"))
    assert status == 0
    assert (
        first.split()[1:]
        == " ".join(f"{cell} {side}" for cell, side in zip(cells, sides, strict=True)).split()
    )
    assert "above, below: the model's own threshold of the finding" in text
    assert "19.png" in text and "20.png" not in text
    assert f"\n2 more: {tmp_path / 'out' / 'predictions.csv'} has all\n" in text
