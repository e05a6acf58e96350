"""One film through every door: the same picture, guards, probabilities and maps, whatever its file is."""

import asyncio
import base64
import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from command_line import Command, wait_for
from demo_home import save_demo_model
from dicom_films import make, to_bytes
from judged import amend
from pacs_films import Pacs, listening, serving, store, texts
from tiny_models import likeness_of

from xlite.classify import read_upload
from xlite.data.film_names import stem_of
from xlite.examples import examples
from xlite.findings import FINDINGS
from xlite.guarded import GuardedReader, GuardedReading
from xlite.images import read_image
from xlite.models.checkpoint import load_model
from xlite.serving.answers import FilmAnswer
from xlite.serving.films import FilmReader

pytestmark = pytest.mark.slow

MAPS = 2


def jpeg(film: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", film, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()


STUDY = {"StudyInstanceUID": "1.2.3.4", "SeriesInstanceUID": "1.2.3.5"}


def dicom(film: np.ndarray) -> bytes:
    return to_bytes(make(film, bits=8, WindowCenter=128, WindowWidth=256, **STUDY))


def dark_bones(film: np.ndarray) -> bytes:
    tags = {"PhotometricInterpretation": "MONOCHROME1", "SOPInstanceUID": "1.2.3.6", **STUDY}
    return to_bytes(make(255 - film, bits=8, WindowCenter=128, WindowWidth=256, **tags))


FILES: dict[str, Callable[[np.ndarray], bytes]] = {
    "png": lambda film: cv2.imencode(".png", film)[1].tobytes(),
    "tif": lambda film: cv2.imencode(".tif", film)[1].tobytes(),
    "jpg": jpeg,
    "dcm": dicom,
    "dark.dcm": dark_bones,
}


def marked(turned: bool) -> np.ndarray:
    """A bundled film, wider than high, with the marker of its left side; grey values that a JPEG keeps."""
    film = cv2.resize(read_image(examples()["7. No finding"].path), (300, 280), interpolation=cv2.INTER_AREA)
    cv2.putText(film, "L", (260, 40), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 255, 3, cv2.LINE_AA)
    film = np.ascontiguousarray(np.rot90(255 - film)) if turned else film
    for _ in range(20):
        film, before = read_image(jpeg(film)), film
        if np.array_equal(film, before):
            return film
    raise AssertionError("no film that a JPEG keeps")


def loaded(home: Path, unlike: bool) -> GuardedReader:
    """A tiny model; one that finds every film unlike those of its training, if asked for."""
    path = save_demo_model(home)
    if unlike:
        amend(path, likeness=likeness_of(load_model(path)[0].feature_channels, limit=1e-3))
    return GuardedReader.load("demo0")


def overlays(answer: GuardedReading) -> dict[str, np.ndarray]:
    assert answer.reading is not None
    names = [finding for finding, _ in answer.reading.top(MAPS)]
    return {name: answer.reading.overlay(answer.film, name) for name in names}


def same_pictures(found: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> None:
    assert list(found) == list(wanted)
    for name, picture in wanted.items():
        assert found[name].shape == picture.shape
        assert np.abs(found[name].astype(int) - picture).max() <= 1


@pytest.mark.parametrize(
    ("turned", "fix", "unlike"),
    [
        (False, False, False),
        (True, False, False),
        (True, True, False),
        (False, False, True),
        (True, True, True),
    ],
)
def test_one_film_has_one_answer(
    turned: bool, fix: bool, unlike: bool, own_home: Path, xlite: Command, tmp_path: Path
) -> None:
    reader = loaded(own_home, unlike)
    film = marked(turned)
    wanted = reader.read(film, fix=fix)
    assert wanted.said.reasons == (*(("inverted", "rotated_270") if turned else ()), *(["unlike"] * unlike))
    assert wanted.reading is not None and wanted.reading.void == (unlike or (turned and not fix))
    painted = overlays(wanted)
    paths = [tmp_path / f"{place}.{suffix}" for place, suffix in enumerate(FILES)]
    for path, file in zip(paths, FILES.values(), strict=True):
        path.write_bytes(file(film))
        np.testing.assert_array_equal(read_image(path), film)
        through_library_and_pages(reader, path, fix, wanted)
        same_pictures(through_the_api(reader, path, fix, wanted), painted)
    for pictures in through_a_pacs(reader, [path for path in paths if path.suffix == ".dcm"], fix, wanted):
        same_pictures(pictures, painted)
    for written in through_predict(xlite, paths, fix, wanted):
        same_pictures(written, painted)


def through_library_and_pages(reader: GuardedReader, path: Path, fix: bool, wanted: GuardedReading) -> None:
    """`Classifier` and what pages and demo call."""
    answer = reader.read(read_upload(path.read_bytes(), path.name), fix=fix)
    assert (answer.guards, answer.said, answer.undone) == (wanted.guards, wanted.said, wanted.undone)
    np.testing.assert_array_equal(answer.film, wanted.film)
    for reading in (answer.reading, reader.classifier.read(answer.film)):
        assert reading is not None and wanted.reading is not None
        np.testing.assert_array_equal(reading.probabilities, wanted.reading.probabilities)
        np.testing.assert_array_equal(reading.maps, wanted.reading.maps)


def through_predict(
    xlite: Command, paths: list[Path], fix: bool, wanted: GuardedReading
) -> Iterator[dict[str, np.ndarray]]:
    out = paths[0].parent / "out"
    status, text, err = xlite(
        *("predict", "demo0", *paths, "--out", out, "--heatmaps", MAPS, "--json"), *(["--fix"] if fix else [])
    )
    assert (status, err) == (0, "")
    rows = csv.reader((out / "guards.csv").read_text().splitlines()[1:])
    for path, answer, row in zip(paths, json.loads(text).values(), rows, strict=True):
        check_probabilities({finding: answer[finding] for finding in FINDINGS}, wanted)
        assert answer["guards"]["fixed"] == list(wanted.undone)
        assert row == [path.name, wanted.said.verdict, ";".join(wanted.said.reasons)]
        files = sorted(out.glob(f"{stem_of(path.name)}_*.png"))
        yield {file.stem.split("_", 2)[2]: cv2.imread(str(file))[..., ::-1] for file in files}


def through_the_api(
    reader: GuardedReader, path: Path, fix: bool, wanted: GuardedReading
) -> dict[str, np.ndarray]:
    async def ask() -> FilmAnswer:
        server = FilmReader(reader)
        async with server.working():
            return await server.read(path.read_bytes(), path.name, MAPS, fix)

    answer = asyncio.run(ask())
    check_probabilities(answer.probabilities, wanted)
    assert answer.guards is not None
    assert answer.guards.reasons == list(wanted.said.reasons)
    assert (answer.guards.verdict, answer.guards.fixed) == (wanted.said.verdict, list(wanted.undone))
    pngs = {one.finding: np.frombuffer(base64.b64decode(one.png), np.uint8) for one in answer.overlays}
    return {name: cv2.imdecode(png, cv2.IMREAD_COLOR_RGB) for name, png in pngs.items()}


def through_a_pacs(
    reader: GuardedReader, paths: list[Path], fix: bool, wanted: GuardedReading
) -> list[dict[str, np.ndarray]]:
    """By C-STORE to a node, and back by C-STORE: the pictures of maps without the words below them."""
    from xlite.pacs.film_objects import Wanted
    from xlite.pacs.results import ObjectMaker

    pacs, maker = Pacs(), ObjectMaker(reader, Wanted(MAPS, fix=fix))
    queue = paths[0].parent / "queue"
    with listening(pacs) as there, serving(queue, maker, there) as (port, _):
        assert [one.Status for one in store(port, *(path.read_bytes() for path in paths))] == [0] * len(paths)
        wait_for(lambda: len(pacs.got) == (1 + MAPS) * len(paths))
    reports = [one for one in pacs.got if one.Modality == "SR"]
    for report in reports:
        items = list(texts(report))
        assert (3, "Verdict of the guards") in {(depth, name) for depth, name, _ in items}
        found = [float(value.split()[0]) / 100 for _, name, value in items if name == "Probability"]
        assert wanted.reading is not None
        assert found == pytest.approx([p for _, p in wanted.reading.top(len(FINDINGS))], abs=6e-5)
    height = wanted.film.shape[0]
    names = list(overlays(wanted))
    pictures = [one.pixel_array[:height] for one in pacs.got if one.Modality == "OT"]
    return [dict(zip(names, pictures[MAPS * n : MAPS * n + MAPS], strict=True)) for n in range(len(paths))]


def check_probabilities(found: dict[str, float] | None, wanted: GuardedReading) -> None:
    assert wanted.reading is not None
    own = {finding: wanted.reading.probability(finding) for finding in FINDINGS}
    assert found == pytest.approx(own, abs=1e-6)
