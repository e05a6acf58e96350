"""The static page as people use it: plain files on loopback, a real Chromium, no other network."""

import contextlib
import functools
import http.server
import os
import re
import shutil
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from dicom_films import make, to_bytes
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright
from sklearn.datasets import load_sample_images
from tiny_models import save_student, student

from xlite.classify import Classifier
from xlite.cli import run
from xlite.errors import CheckpointError
from xlite.examples import examples
from xlite.explain.methods import CLOSED_FORM
from xlite.export.ensemble import export_ensemble
from xlite.export.web import write_page
from xlite.export.web_runtime import runtime_files
from xlite.export.write import export_model
from xlite.findings import FINDINGS
from xlite.guarded import GuardedReader
from xlite.guards.gate import Gate
from xlite.images import read_image
from xlite.models.available import find_model
from xlite.report.worth import worth_sentences, worth_table
from xlite.text import percent, significant

pytestmark = [pytest.mark.slow, pytest.mark.browser]
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM_ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
TOLERANCE = 1e-3
PATIENCE_MS = 60_000
READ = """async ([content, digest]) => {
    const { open } = await import("./engine.js"), { decode } = await import("./film.js");
    window.model ??= await open(digest);
    const film = await decode(Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0)));
    const answer = await window.model.run(film), plain = (map) => Array.from(map.data);
    const { worth } = await import("./worth.js"), { facts } = window.model;
    const says = (isVoid) => facts.findings.map((one, at) => ["says", "cells"].map((part) =>
        worth(one, part, answer.probabilities[at], isVoid, answer.disagreement?.[at])));
    const guards = window.model.beside(await window.model.judge(film), answer);
    return { guards, worth: says(false), void: says(true),
        apart: answer.disagreement && Array.from(answer.disagreement),
        width: film.width, height: film.height, probabilities: Array.from(answer.probabilities),
        layercam: plain(answer.layercam), gradcam: plain(answer.gradcam) };
}"""


def lacking(sentence: str) -> None:
    if os.environ.get("XLITE_REQUIRE_WEB"):
        pytest.fail(sentence)
    pytest.skip(sentence)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium: $XLITE_CHROMIUM, one on the path, or playwright's own."""
    named = os.environ.get("XLITE_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    with sync_playwright() as playwright:
        path = named or playwright.chromium.executable_path
        if not Path(path).exists():
            lacking("no Chromium found: install one, or set XLITE_CHROMIUM")
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(exported: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a tiny model; its runtime is that of $XLITE_WEB_RUNTIME, or npm's."""
    folder, given = tmp_path_factory.mktemp("site"), os.environ.get("XLITE_WEB_RUNTIME")
    try:
        runtime_files(Path(given) if given else None)
    except CheckpointError as error:
        lacking(str(error))
    write_page(exported[1], "tiny", folder, Path(given) if given else None)
    return folder


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def opened(browser: Browser, folder: Path) -> Iterator[Page]:
    """The page, whose browser reaches its own host alone; nothing else is asked for, and no script fails."""
    asked: list[str] = []
    faults: list[str] = []
    with served(folder) as address:

        def guard(route: Route) -> None:
            asked.append(route.request.url)
            assert route.request.method == "GET"
            if route.request.url.startswith(address):
                route.continue_()
            else:
                route.abort()

        context = browser.new_context(viewport={"width": 1300, "height": 1000})
        context.route("**/*", guard)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(address)
        try:
            yield page
        finally:
            context.close()
        assert [url for url in asked if not url.startswith(address)] == []
        assert faults == []


def png(image: np.ndarray) -> bytes:
    return bytes(cv2.imencode(".png", image)[1].tobytes())


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A film of each kind that the page reads, by name."""
    one = next(iter(examples().values())).path
    film, folder = read_image(one), tmp_path_factory.mktemp("films")
    colour = np.dstack([film, np.roll(film, 3, 1), 255 - film])
    alpha = np.tile(np.linspace(0, 255, film.shape[1]).astype(np.uint8), (film.shape[0], 1))
    exif = Image.Exif()
    exif[0x112] = 6
    Image.fromarray(film).save(folder / "turned.jpg", exif=exif)
    kinds = {example.path.name: example.path.read_bytes() for example in examples().values()}
    return kinds | {
        "grey.jpg": bytes(cv2.imencode(".jpg", film)[1].tobytes()),
        "colour.jpg": bytes(cv2.imencode(".jpg", colour)[1].tobytes()),
        "turned.jpg": (folder / "turned.jpg").read_bytes(),
        "twelve_bits.png": png(film.astype(np.uint16) * 16),
        "sixteen_bits.png": png(film.astype(np.uint16) * 257),
        "colour.png": png(colour),
        "transparent.png": png(np.dstack([colour, alpha])),
        "small.png": png(cv2.resize(film, (50, 61), interpolation=cv2.INTER_AREA)),
        "large.png": png(cv2.resize(film, (2600, 3001))),
        "wide.png": png(cv2.resize(film, (700, 60))),
        "plain.dcm": to_bytes(make(film.astype(np.uint16) * 16)),
        "window.dcm": to_bytes(make(film.astype(np.uint16) * 16, WindowCenter=1500, WindowWidth=2500)),
    }


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the model that ships, which has validation records."""
    given, folder = os.environ.get("XLITE_WEB_RUNTIME"), tmp_path_factory.mktemp("shipped")
    try:
        runtime_files(Path(given) if given else None)
    except CheckpointError as error:
        lacking(str(error))
    words = ["export", "demo", "--web", str(folder / "page"), *(["--runtime", given] if given else [])]
    assert run(words) == 0
    return folder / "page"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """Films as they come and spoilt, and what is not a film; real ones, too, if there are any here."""
    rng, side = np.random.default_rng(0), 512
    bundled = [read_image(example.path) for example in examples().values()]
    text = np.full((600, 480), 250, np.uint8)
    for line in range(20):
        cv2.putText(text, "Findings and impression", (20, 40 + 27 * line), 0, 0.9, 20, 2)
    found = {f"bundled_{number}": film for number, film in enumerate(bundled)}
    found |= {"text": text, "noise": rng.integers(0, 256, (side, side), dtype=np.uint8)}
    found |= {"blurred": cv2.GaussianBlur(bundled[0], (0, 0), 25), "dull": bundled[0] // 8 + 100}
    for name, photo in zip(("china", "flower"), load_sample_images().images, strict=True):
        found[name] = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    folder = Path(
        os.environ.get("XLITE_SHARED_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data"
    )
    for path in sorted(folder.glob("uploads/*.png")):
        found[path.name] = read_image(path)
    for kind in ("ct_slice", "frontal_elsewhere", "frontal_icu", "lateral"):
        for path in sorted(folder.glob(f"films_of_other_kinds/{kind}/*"))[:6]:
            found[f"{kind}_{path.name}"] = read_image(path)
    films = {name: film for name, film in found.items() if name.startswith("bundled") or name[0] == "0"}
    for name, film in films.items():
        found |= {f"{name}_turned_{90 * quarters}": np.rot90(film, -quarters) for quarters in (1, 2, 3)}
        found |= {f"{name}_inverted": 255 - film, f"{name}_mirrored": film[:, ::-1]}
        found[f"{name}_both"] = 255 - np.rot90(film, 2)
        found[f"{name}_cut"] = film[: film.shape[0] // 2]
    return {name: np.ascontiguousarray(picture) for name, picture in found.items()}


def read_there(page: Page, content: bytes) -> dict:
    import base64

    digest = page.locator("body").get_attribute("data-model")
    return page.evaluate(READ, [base64.b64encode(content).decode(), digest])


def test_the_page_answers_as_python_does(
    browser: Browser, site: Path, films: dict[str, bytes], exported: tuple[Path, Path]
) -> None:
    classifier, apart = Classifier.load(exported[1]), {}
    with opened(browser, site) as page:
        expect(page.locator("#status")).to_contain_text("Ready")  # one load at a time
        for name, content in films.items():
            found, film = read_there(page, content), read_image(content)
            assert (found["height"], found["width"]) == film.shape, name
            differences = [np.abs(classifier.predict(film) - found["probabilities"]).max()]
            for method in CLOSED_FORM:
                maps = classifier.read(film, method).maps
                differences += [np.abs(maps.ravel() - found[method]).max() / max(maps.max(), 1e-6)]
            apart[name] = max(differences)
    assert {name: value for name, value in apart.items() if value > TOLERANCE} == {}


def without_numbers(sentences: Sequence[str]) -> list[str]:
    return [re.sub(r">?[\d.]+(?=[,)])", "", one) for one in sentences]


@pytest.mark.release
def test_the_guards_say_what_python_says(
    browser: Browser, site: Path, pictures: dict[str, np.ndarray]
) -> None:
    gate, wrong = Gate.load(), {}
    with opened(browser, site) as page:
        expect(page.locator("#status")).to_contain_text("Ready")
        for name, picture in pictures.items():
            found, guards = read_there(page, png(picture))["guards"], gate.judge(picture)
            assert found["scores"].keys() == guards.scores.keys(), name
            apart = [abs(value - guards.scores[score]) for score, value in found["scores"].items()]
            same = (
                found["verdict"] == guards.verdict
                and tuple(found["reasons"]) == guards.reasons
                and without_numbers(found["sentences"]) == without_numbers(guards.sentences)
            )
            if not same or max(apart, default=0) > TOLERANCE:
                wrong[name] = (found["reasons"], guards.reasons, max(apart, default=0))
    assert wrong == {}
    judged = {gate.judge(picture).verdict for picture in pictures.values()}
    assert judged == {"pass", "caution", "offer", "refuse"}


def test_numbers_are_written_as_python_writes_them(browser: Browser, site: Path) -> None:
    values = [0, 1, 0.5, 0.0677, 0.99951, 55.93, 123.4, 1234.0, 0.00012345, 1.2345e-5, 1e-9]
    with opened(browser, site) as page:
        code = "async (values) => values.map((await import('./guards.js')).short)"
        assert page.evaluate(code, values) == [significant(value) for value in values]
        shares = [0, 1e-9, 0.0004, 0.0006, 0.132, 0.9994, 0.9996, 1]
        code = "async (shares) => shares.map((await import('./worth.js')).percent)"
        assert page.evaluate(code, shares) == [percent(share) for share in shares]


def test_verdicts_are_worth_what_python_says(browser: Browser, shipped: Path) -> None:
    classifier = Classifier.load(find_model("demo"))
    reading = classifier.read(read_image(next(iter(examples().values())).path))
    with opened(browser, shipped) as page:
        expect(page.locator("#status")).to_contain_text("Ready")
        for example in examples().values():
            found = read_there(page, example.path.read_bytes())
            for is_void in (False, True):
                there = replace(reading, probabilities=np.array(found["probabilities"]), void=is_void)
                expected = [
                    [worth_sentences(worth), worth_table([worth]).rows[0][2:]]
                    for worth in map(there.worth, FINDINGS)
                ]
                assert found["void" if is_void else "worth"] == expected


@pytest.fixture(scope="module")
def ensemble(exported: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two members as one file, and its page."""
    folder = tmp_path_factory.mktemp("ensemble")
    save_student(folder / "other.safetensors", student(seed=1), 96)
    export_model(folder / "other.safetensors", folder / "other.onnx", [])
    export_ensemble([exported[1], folder / "other.onnx"], folder / "both.onnx", None)
    given = os.environ.get("XLITE_WEB_RUNTIME")
    try:
        write_page(folder / "both.onnx", "both", folder / "page", Path(given) if given else None)
    except CheckpointError as error:
        lacking(str(error))
    return folder / "both.onnx", folder / "page"


@pytest.mark.release
def test_the_page_says_how_far_an_ensembles_members_differ(
    browser: Browser, ensemble: tuple[Path, Path]
) -> None:
    classifier, path = Classifier.load(ensemble[0]), next(iter(examples().values())).path
    reading = classifier.read(read_image(path))
    with opened(browser, ensemble[1]) as page:
        expect(page.locator("#status")).to_contain_text("Ready")
        found = read_there(page, path.read_bytes())
        np.testing.assert_allclose(found["apart"], reading.disagreement, atol=TOLERANCE)
        there = replace(
            reading,
            probabilities=np.array(found["probabilities"]),
            disagreement=np.array(found["apart"]),
        )
        table = worth_table(there.worths())
        expected = [
            [worth_sentences(one), worth_table([one]).rows[0][2:]] for one in map(there.worth, FINDINGS)
        ]
        assert found["worth"] == expected
        page.set_input_files("#file", path)
        expect(page.locator("#says")).to_contain_text("Members of the ensemble disagree by")
        page.click("#worth summary")
        assert page.locator("#worth-header th").all_inner_texts() == table.header
        column = table.header.index("Members differ by")
        shown = page.locator(f"#worth-rows tr > :nth-child({column + 1})").all_inner_texts()
        assert shown == [row[column] for row in table.rows]
        assert page.locator("#worth-note").inner_text() == table.caption


def test_a_film_unlike_those_of_training_gets_the_caution_that_python_gives(
    browser: Browser, shipped: Path, tmp_path: Path
) -> None:
    """One that was written over."""
    reader, film = GuardedReader.load("demo"), read_image(next(iter(examples().values())).path)
    written = film.copy()
    for line in range(12):
        cv2.putText(written, "PORTABLE 12345 SUPINE", (5, 30 + 42 * line), 0, 1.3, 255, 3)
    verdicts = {}
    with opened(browser, shipped) as page:
        expect(page.locator("#status")).to_contain_text("Ready")
        for name, picture in {"film": film, "written": written}.items():
            found, wanted = read_there(page, png(picture))["guards"], reader.read(picture).said
            assert (found["verdict"], tuple(found["reasons"])) == (wanted.verdict, wanted.reasons), name
            assert without_numbers(found["sentences"]) == without_numbers(wanted.sentences)
            verdicts[name] = "unlike" in wanted.reasons
        path = tmp_path / "written.png"
        path.write_bytes(png(written))
        page.set_input_files("#file", path)
        expect(page.locator("#guards")).to_contain_text(
            "unlike the films that the model learned from (distance"
        )
        expect(page.locator("#says")).to_contain_text("No guarantee holds")
    assert verdicts == {"film": False, "written": True}


def test_what_a_guard_finds_is_offered_warned_of_or_refused(
    browser: Browser, shipped: Path, pictures: dict[str, np.ndarray], tmp_path: Path
) -> None:
    film = next(iter(examples().values())).path
    down, photo = tmp_path / "down.png", tmp_path / "photo.png"
    down.write_bytes(png(np.rot90(read_image(film), 2)))
    photo.write_bytes(png(pictures["flower"]))
    with opened(browser, shipped) as page:
        expect(page.locator("#status")).to_contain_text("Ready")
        reading, guards = page.locator("#reading"), page.locator("#guards")

        page.set_input_files("#file", down)
        expect(page.locator("#status")).to_contain_text("It has not left this computer")
        expect(guards).to_contain_text("The film looks upside down")
        expect(reading).to_be_visible()
        expect(page.locator("#says")).to_contain_text("No guarantee holds")
        expect(page.locator("#fix")).to_have_text("Turn it by 180° and read it again")
        page.click("#fix")
        expect(page.locator("#guards-title")).to_have_text("Turned by 180° before it was read")
        expect(guards).to_contain_text("As it came: The film looks upside down")
        expect(page.locator("#fix")).to_be_hidden()
        mended = page.locator("#rows").inner_text()
        page.click("#unfix")
        expect(page.locator("#fix")).to_be_visible()

        page.set_input_files("#file", photo)
        expect(guards).to_contain_text("This does not look like a chest X-ray")
        expect(reading).to_be_hidden()
        expect(page.locator("#fix")).to_be_hidden()

        page.set_input_files("#file", film)
        expect(reading).to_be_visible()
        probabilities = [line.split("\n")[0] for line in (mended, page.locator("#rows").inner_text())]
        assert probabilities[0] == probabilities[1]


def test_a_film_is_read_and_a_damaged_one_is_refused(browser: Browser, site: Path, tmp_path: Path) -> None:
    film = next(iter(examples().values())).path
    cut, blank, text = tmp_path / "cut.png", tmp_path / "blank.png", tmp_path / "notes.png"
    cut.write_bytes(film.read_bytes()[:-4000])
    blank.write_bytes(png(np.full((64, 64), 90, np.uint8)))
    text.write_text("no film")
    with opened(browser, site) as page:
        expect(page.locator("#status")).to_contain_text("Ready")
        page.set_input_files("#file", film)
        expect(page.locator("#status")).to_contain_text("It has not left this computer")
        assert page.locator("#rows tr").count() == len(FINDINGS)
        assert "the model's threshold of 50.0%" in page.locator("#rows tr").first.inner_text()
        bare = page.evaluate("document.getElementById('film').toDataURL()")
        page.focus("#opacity")
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.getElementById('film').toDataURL()") != bare
        page.set_input_files("#file", blank)
        expect(page.locator("#guards")).to_contain_text(
            "The picture is blank: it shows nothing (contrast 0, the least that passes is 10)."
        )
        expect(page.locator("#reading")).to_be_hidden()
        for path, sentence in (
            (cut, "damaged"),
            (text, "not a PNG, JPEG or DICOM"),
        ):
            page.set_input_files("#file", path)
            expect(page.locator("#status")).to_contain_text(sentence)
            expect(page.locator("#reading")).to_be_hidden()


@pytest.mark.parametrize(
    "name", ["model.json", "model.onnx", "gate.onnx", "runtime/ort-wasm-simd-threaded.wasm"]
)
def test_changed_and_missing_files_are_refused_by_name(
    browser: Browser, site: Path, tmp_path: Path, name: str
) -> None:
    changed = Path(shutil.copytree(site, tmp_path / "changed"))
    content = bytearray((changed / name).read_bytes())
    content[len(content) // 2] ^= 1
    (changed / name).write_bytes(content)
    with opened(browser, changed) as page:
        expect(page.locator("#status")).to_contain_text(
            f"{name} is not the file that was exported", ignore_case=True
        )
        assert page.locator("#file").is_disabled()
    (changed / name).unlink()
    with opened(browser, changed) as page:
        expect(page.locator("#status")).to_contain_text(f"{name} is missing", ignore_case=True)
