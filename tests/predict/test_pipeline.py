"""Many films to files: what is written, in which order, and what a run that was broken off leaves."""

import csv
import json
import resource
import signal
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from demo_home import save_demo_model
from filelock import FileLock
from gates import Played
from noise_film import write_film

from xlite.classify import Classifier
from xlite.data.predictions import read_predictions
from xlite.errors import DataError, ImageError
from xlite.examples import examples
from xlite.explain import METHODS
from xlite.guarded import GuardedReader
from xlite.guards.gate import Gate
from xlite.guards.verdict import Check, Guards, Reason
from xlite.images import read_image
from xlite.predict.films import LOCK_FILE, Film, find_films
from xlite.predict.pipeline import BATCH, FilmsRead, ReadOptions, predict_films
from xlite.predict.tables import Said
from xlite.reading import worth_rows


@pytest.fixture
def reader(own_home: Path) -> GuardedReader:
    save_demo_model(own_home)
    return GuardedReader(Classifier.load("demo0"), Played())


def values(done: FilmsRead) -> dict[str, list[float]]:
    """The probabilities by film."""
    return {name: reading.probabilities.tolist() for name, reading in done.found.items()}


def test_an_unreadable_film_is_logged_and_counted_but_raised_if_it_is_alone(
    tmp_path: Path, reader: GuardedReader, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = write_film(tmp_path / "good.png"), tmp_path / "bad.png"
    bad.write_bytes(b"\x89PNG\r\n\x1a\n cut")
    steps: list[tuple[int, int]] = []
    done = predict_films(
        reader,
        [Film(bad, "bad.png"), Film(good, "good.png")],
        tmp_path / "out",
        progress=lambda *step: steps.append(step),
    )
    assert (done.names, done.unreadable, done.unpainted) == (["good.png"], 1, 0)
    assert [record.getMessage() for record in caplog.records if str(bad) in record.getMessage()]
    assert steps == [(1, 2), (2, 2)]
    with pytest.raises(ImageError, match=r"bad\.png"):
        predict_films(reader, [Film(bad, "bad.png")], tmp_path / "out")
    cv2.imwrite(str(bad), np.full((64, 64), 9, np.uint8))
    with pytest.raises(ImageError, match=r"bad\.png: The picture is blank: it shows nothing \(contrast 0"):
        predict_films(reader, [Film(bad, "bad.png")], tmp_path / "out")


def test_what_was_read_is_written_if_the_rest_is_broken_off(
    tmp_path: Path, reader: GuardedReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    films = [Film(write_film(tmp_path / name), name) for name in ("a.png", "b.png", "c.png")]

    def read_two(path: Path, window: str | None) -> np.ndarray:
        if path.name == "c.png":
            raise KeyboardInterrupt
        return read_image(path, window)

    monkeypatch.setattr("xlite.predict.pipeline.read_image", read_two)
    with pytest.raises(KeyboardInterrupt):
        predict_films(reader, films, tmp_path / "out")
    assert read_predictions(tmp_path / "out" / "predictions.csv").names == ["a.png", "b.png"]


def test_an_overlay_that_cannot_be_written_is_one_line_and_the_batch_goes_on(
    tmp_path: Path, reader: GuardedReader, caplog: pytest.LogCaptureFixture
) -> None:
    films = [Film(write_film(tmp_path / name), name) for name in ("a.png", "b.png")]
    [(best, _)] = reader.classifier.read(read_image(films[0].path)).top(1)
    (tmp_path / "out" / f"a_1_{best}.png").mkdir(parents=True)
    done = predict_films(reader, films, tmp_path / "out", ReadOptions(1))
    assert (done.names, done.unreadable, done.unwritten) == (["a.png", "b.png"], 0, 1)
    [told] = [record.getMessage() for record in caplog.records]
    assert told.startswith(f"Error: {films[0].path}: its files cannot be written: Is a directory")
    assert read_predictions(tmp_path / "out" / "predictions.csv").names == done.names
    assert (tmp_path / "out" / f"b_1_{best}.png").is_file()


@pytest.mark.slow
def test_overlays_have_names_of_their_own_that_every_system_takes(
    tmp_path: Path, reader: GuardedReader
) -> None:
    stem, chest = "a" * 250, "\u80f8" * 82
    names = [
        f"{stem}1",
        f"{stem}2",
        f"{chest}1.png",
        f"{chest}2.png",
        "name\udce9.png",
        "name\udcea.png",
        "x\n.png",
    ]
    films = [Film(write_film(tmp_path / "film.png"), name) for name in names]
    done = predict_films(reader, films, tmp_path / "out", ReadOptions(14))
    assert done.names == names and done.unwritten == 0
    assert read_predictions(tmp_path / "out" / "predictions.csv").names == names
    overlays = [path.name for path in (tmp_path / "out").glob("*.png")]
    assert len(overlays) == 14 * len(names) and all(name.isprintable() for name in overlays)
    assert max(len(name.encode()) for name in overlays) == 255
    again = find_films([tmp_path], tmp_path / "out").films  # which knows them as its own
    assert [film.name for film in again] == ["film.png"]


def noise_films(folder: Path, count: int, side: int = 40) -> list[Film]:
    """Films of coarse noise, each another, called as NIH's."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, 256, (20, 20), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{number:08d}_000.png"), cv2.resize(pixels, (side, side)))
    return find_films([folder], folder / "out").films


class BrokenOff(Exception):
    """Stands for whatever ends a run early."""


@pytest.fixture
def break_off_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], list[str]]:
    """A function that lets reading break off at the film of a number, if any; it gives the films read."""
    opened: list[str] = []

    def set_up(number: int | None) -> list[str]:
        opened.clear()

        def read(path: Path, window: str | None) -> np.ndarray:
            if number is not None and path.name == f"{number:08d}_000.png":
                raise BrokenOff
            image = read_image(path, window)
            opened.append(path.name)
            return image

        monkeypatch.setattr("xlite.predict.pipeline.read_image", read)
        return opened

    return set_up


@pytest.mark.slow
def test_a_batch_answers_as_each_film_alone(tmp_path: Path, reader: GuardedReader) -> None:
    films = noise_films(tmp_path / "films", 2 * BATCH + 1)
    done = predict_films(reader, films, tmp_path / "out", ReadOptions(2))
    for film in films:
        image = read_image(film.path)
        reading = reader.classifier.read(image)
        np.testing.assert_allclose(done.found[film.name].probabilities, reading.probabilities, atol=1e-6)
        for rank, (finding, _) in enumerate(reading.top(2), 1):
            written = cv2.imread(str(tmp_path / "out" / f"{film.path.stem}_{rank}_{finding}.png"))
            painted = cv2.cvtColor(reading.overlay(image, finding), cv2.COLOR_RGB2BGR)
            assert abs(written.astype(int) - painted).max() <= 2


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_each_kind_of_map_is_made_of_batches_too(method: str, tmp_path: Path, reader: GuardedReader) -> None:
    films = noise_films(tmp_path / "films", 2)
    predict_films(reader, films, tmp_path / "out", ReadOptions(1, method))
    for film in films:
        reading = reader.classifier.read(read_image(film.path), method)
        [(finding, _)] = reading.top(1)
        written = cv2.imread(str(tmp_path / "out" / f"{film.path.stem}_1_{finding}.png"))
        painted = cv2.cvtColor(reading.overlay(read_image(film.path), finding), cv2.COLOR_RGB2BGR)
        assert abs(written.astype(int) - painted).max() <= 2


@pytest.mark.slow
def test_a_run_that_was_broken_off_goes_on_and_ends_with_the_same_bytes(
    tmp_path: Path,
    reader: GuardedReader,
    break_off_at: Callable[[int | None], list[str]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    films, out = noise_films(tmp_path / "films", 3 * BATCH), tmp_path / "out"
    films[1].path.write_bytes(b"\x89PNG\r\n\x1a\n cut")
    break_off_at(None)
    whole = predict_films(reader, films, tmp_path / "whole", ReadOptions(1))
    break_off_at(2 * BATCH)
    with pytest.raises(BrokenOff):
        predict_films(reader, films, out, ReadOptions(1))
    names = read_predictions(out / "predictions.csv").names
    assert names == [film.name for film in films[: 2 * BATCH] if film is not films[1]]
    opened, steps = break_off_at(None), []
    with caplog.at_level("INFO", "xlite"):
        done = predict_films(reader, films, out, ReadOptions(1), progress=lambda *step: steps.append(step))
    # The last batch was not whole: its films are read again, in the company that they have without a break.
    assert caplog.messages[-2] == f"Going on: {BATCH} of {len(films)} films are done"
    assert sorted(opened) == [film.name for film in films[BATCH + 1 :]]
    assert steps == [(number, 2 * BATCH) for number in range(1, 2 * BATCH + 1)]
    assert (done.names, done.unreadable) == (whole.names, whole.unreadable)
    assert (values(done), done.guards, done.unreadable) == (values(whole), whole.guards, 1)
    files = {path.name: path.read_bytes() for path in out.iterdir()}
    assert files == {path.name: path.read_bytes() for path in (tmp_path / "whole").iterdir()}
    assert json.loads(files["predictions.json"])["finished"] is True


@pytest.mark.slow
def test_half_a_row_and_rows_of_films_that_changed_are_read_again(
    tmp_path: Path, reader: GuardedReader, break_off_at: Callable[[int | None], list[str]]
) -> None:
    films, out = noise_films(tmp_path / "films", 3 * BATCH), tmp_path / "out"
    break_off_at(2 * BATCH)
    with pytest.raises(BrokenOff):
        predict_films(reader, films, out)
    with open(out / "predictions.csv", "ab") as file:
        file.truncate(file.tell() - 20)  # as a power cut may leave it
    pixels = np.random.default_rng(99).integers(0, 256, (50, 50), dtype=np.uint8)
    cv2.imwrite(str(films[2].path), pixels)
    opened = break_off_at(None)  # of the eight rows six are left, of which a whole batch counts
    late = [*films[:3], Film(write_film(tmp_path / "films" / "late.png"), "late.png"), *films[3:]]
    done = predict_films(reader, late, out)
    assert sorted(opened) == sorted([films[2].name, "late.png", *(film.name for film in films[BATCH + 1 :])])
    assert done.names == read_predictions(out / "predictions.csv").names == [film.name for film in late]
    np.testing.assert_allclose(
        done.found[films[2].name].probabilities, reader.classifier.predict(pixels), atol=1e-6
    )


@pytest.mark.slow
def test_a_run_of_other_work_does_not_go_on_and_a_finished_one_is_done_anew(
    tmp_path: Path, own_home: Path, reader: GuardedReader, break_off_at: Callable[[int | None], list[str]]
) -> None:
    films, out = noise_films(tmp_path / "films", 2 * BATCH), tmp_path / "out"
    save_demo_model(own_home, "other", seed=1)
    other = replace(reader, classifier=Classifier.load("other"))
    break_off_at(BATCH)
    with pytest.raises(BrokenOff):
        predict_films(reader, films, out)
    opened = break_off_at(None)
    for call, differs in (
        (lambda: predict_films(other, films, out), "model"),
        (lambda: predict_films(reader, films, out, ReadOptions(1)), "heatmaps"),
    ):
        with pytest.raises(DataError, match=f"has not finished and differs from this one in {differs}: "):
            call()
    assert opened == []
    of_other = predict_films(other, films, out, fresh=True)
    assert of_other.names == [film.name for film in films] and len(opened) == 2 * BATCH
    again = predict_films(reader, films, out)
    assert again.names == of_other.names and values(again) != values(of_other)
    assert read_predictions(out / "predictions.csv").names == again.names


def test_a_folder_takes_one_run_at_a_time(tmp_path: Path, reader: GuardedReader) -> None:
    films, out = noise_films(tmp_path / "films", 1), tmp_path / "out"
    out.mkdir()
    with FileLock(out / LOCK_FILE), pytest.raises(DataError, match="another xlite predict writes into"):
        predict_films(reader, films, out)
    (out / "predictions.json").write_text('{"mine": 1}')
    with pytest.raises(DataError, match=r"predictions\.json is not a record of xlite predict"):
        predict_films(reader, films, out)
    assert predict_films(reader, films, out, fresh=True).names == [films[0].name]


def check(reason: Reason) -> Check:
    return Check(reason, "probability", 0.9, 0.5)


def test_what_guards_refuse_has_a_row_of_theirs_only(
    tmp_path: Path,
    reader: GuardedReader,
    caplog: pytest.LogCaptureFixture,
    break_off_at: Callable[[int | None], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    films, out = noise_films(tmp_path / "films", 2 * BATCH), tmp_path / "out"
    cv2.imwrite(str(films[1].path), np.zeros((40, 40), np.uint8))

    def judge(self: Gate, image: np.ndarray) -> Guards:
        if not image.any():
            return Guards((check("not_chest"), check("blank")))
        return Guards((check("inverted"), check("cut"))) if image[0, 0] > 128 else Guards()

    monkeypatch.setattr(Played, "judge", judge)
    break_off_at(BATCH)
    with pytest.raises(BrokenOff):
        predict_films(reader, films, out)
    opened = break_off_at(None)
    done = predict_films(reader, films, out)
    assert len(opened) == BATCH
    assert (done.names, done.refused, done.unreadable) == ([f.name for f in films if f is not films[1]], 1, 0)
    header, *rows = csv.reader((out / "guards.csv").read_text().splitlines())
    said = {film.name: judge(reader.gate, read_image(film.path)) for film in films}
    assert header == ["image", "verdict", "reasons"]
    assert rows == [[name, one.verdict, ";".join(one.reasons)] for name, one in said.items()]
    kept = [film.name for film in films[:BATCH]]  # of which guards.csv has no values
    assert done.guards == {
        name: Said(one.verdict, one.reasons, (), () if name in kept else one.sentences)
        for name, one in said.items()
    }
    assert read_predictions(out / "predictions.csv").names == done.names
    sentences = " ".join(said[films[1].name].sentences)
    assert f"Error: {films[1].path}: {sentences}" in caplog.messages
    with pytest.raises(ImageError, match="This does not look like a chest X-ray"):
        predict_films(reader, films[1:2], tmp_path / "alone")
    assert (tmp_path / "alone" / "guards.csv").read_text().splitlines()[1:] == [
        f'{films[1].name},refuse,"not_chest;blank"'
    ]


def test_what_each_verdict_is_worth_has_a_row_a_finding(
    tmp_path: Path,
    reader: GuardedReader,
    break_off_at: Callable[[int | None], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    films, out = noise_films(tmp_path / "films", 2 * BATCH), tmp_path / "out"
    first = read_image(films[0].path)

    def judge(self: Gate, image: np.ndarray) -> Guards:
        return Guards((check("cut"),)) if np.array_equal(image, first) else Guards()

    monkeypatch.setattr(Played, "judge", judge)
    break_off_at(BATCH)
    with pytest.raises(BrokenOff):
        predict_films(reader, films, out)
    break_off_at(None)
    done = predict_films(reader, films, out)
    # One row says what one reading says, whichever of the runs wrote it.
    rows = list(csv.DictReader((out / "worth.csv").read_text().splitlines()))
    known = [row for name, reading in done.found.items() for row in worth_rows(name, reading)]
    assert [tuple(row) for row in rows] == [tuple(row) for row in known]
    assert [(row["image"], row["finding"], row["zone"], row["calibrated"]) for row in rows] == [
        (row["image"], row["finding"], row["zone"] or "", str(row["calibrated"]).lower()) for row in known
    ]
    for name in ("probability", "threshold", "sensitivity_low", "rank_with"):
        assert [float(row[name] or "nan") for row in rows] == pytest.approx(
            [np.nan if row[name] is None else row[name] for row in known], rel=1e-8, nan_ok=True
        )
    assert [one.void for one in done.found.values()] == [True] + [False] * (2 * BATCH - 1)
    assert [row["void"] for row in rows] == ["true"] * 14 + ["false"] * 14 * (2 * BATCH - 1)


@pytest.mark.parametrize("fix", [True, False])
def test_a_wrong_film_is_put_right_if_that_is_asked_for(
    fix: bool, tmp_path: Path, reader: GuardedReader
) -> None:
    reader = replace(reader, gate=Gate.load())
    image = read_image(examples()["7. No finding"].path)
    for name, pixels in {"right.png": image, "wrong.png": np.rot90(255 - image)}.items():
        cv2.imwrite(str(tmp_path / name), pixels)
    films = [Film(tmp_path / name, name) for name in ("right.png", "wrong.png")]
    done = predict_films(reader, films, tmp_path / "out", ReadOptions(1, fix=fix))
    right, wrong = done.found.values()
    assert (tmp_path / "out" / "guards.csv").read_text().splitlines()[1:] == [
        "right.png,pass,",
        'wrong.png,offer,"inverted;rotated_270"',
    ]
    said = done.guards["wrong.png"]
    assert said.fixed == (("inverted", "rotated_270") if fix else ())
    assert (right.void, wrong.void) == (False, not fix)
    assert np.array_equal(right.probabilities, wrong.probabilities) is fix
    best = right.top(1)[0][0]
    if fix:
        overlays = [(tmp_path / "out" / f"{name}_1_{best}.png").read_bytes() for name in ("right", "wrong")]
        assert overlays[0] == overlays[1]


def test_other_guards_options_and_mirror_images_are_other_work(
    tmp_path: Path, reader: GuardedReader, break_off_at: Callable[[int | None], list[str]]
) -> None:
    films, out = noise_films(tmp_path / "films", 2 * BATCH), tmp_path / "out"
    break_off_at(BATCH)
    with pytest.raises(BrokenOff):
        predict_films(reader, films, out)
    flipped = replace(reader, classifier=reader.classifier.flipped())
    for call, differs in (
        (lambda: predict_films(reader, films, out, ReadOptions(fix=True)), "fix"),
        (lambda: predict_films(flipped, films, out), "tta"),
        (lambda: predict_films(replace(reader, gate=Gate.load()), films, out), "gate"),
    ):
        with pytest.raises(DataError, match=f"has not finished and differs from this one in {differs}: "):
            call()


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["worth.csv", "guards.csv"])
def test_a_film_that_lacks_a_row_in_any_table_is_read_again(
    damage: str, tmp_path: Path, reader: GuardedReader, break_off_at: Callable[[int | None], list[str]]
) -> None:
    films, out = noise_films(tmp_path / "films", 3 * BATCH), tmp_path / "out"
    break_off_at(2 * BATCH)
    with pytest.raises(BrokenOff):
        predict_films(reader, films, out)
    (out / damage).write_text((out / damage).read_text().replace(f"{films[5].name},", "\0,", 1))
    opened = break_off_at(None)
    predict_films(reader, films, out)
    assert sorted(opened) == [film.name for film in films[BATCH:]]
    predict_films(reader, films, tmp_path / "whole")
    files = {path.name: path.read_bytes() for path in out.iterdir()}
    assert files == {path.name: path.read_bytes() for path in (tmp_path / "whole").iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("file", ["worth.csv", "guards.csv", "predictions.csv"])
@pytest.mark.parametrize("damage", [b"\r\n", b'"' + b"x" * 200_000 + b"\n", b"\xff,\0\n", b""], ids=range(4))
def test_lines_that_are_none_and_a_film_with_two_rows_stop_no_run_that_goes_on(
    file: str,
    damage: bytes,
    tmp_path: Path,
    reader: GuardedReader,
    break_off_at: Callable[[int | None], list[str]],
) -> None:
    films, out = noise_films(tmp_path / "films", 3 * BATCH), tmp_path / "out"
    break_off_at(2 * BATCH)
    with pytest.raises(BrokenOff):
        predict_films(reader, films, out)
    content = (out / file).read_bytes()
    name, _, cells = content.split(b"\n")[1].partition(b",")
    again = name + b"," + cells.replace(b"0.", b"0..") + b"\n"
    (out / file).write_bytes(content + (damage or again))
    break_off_at(None)
    predict_films(reader, films, out)
    predict_films(reader, films, tmp_path / "whole")
    files = {path.name: path.read_bytes() for path in out.iterdir()}
    assert files == {path.name: path.read_bytes() for path in (tmp_path / "whole").iterdir()}


def test_a_full_disk_leaves_whole_rows(tmp_path: Path, reader: GuardedReader) -> None:
    films, out = noise_films(tmp_path / "films", 2 * BATCH), tmp_path / "out"
    limit = 6000  # bytes: the rows of one batch fit, those of two do not
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(OSError, match=r"worth\.csv"):
            predict_films(reader, films, out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    names = read_predictions(out / "predictions.csv").names
    assert names == [film.name for film in films[:BATCH]]
    assert predict_films(reader, films, out).names == [film.name for film in films]


@pytest.mark.slow
@pytest.mark.alone
def test_memory_does_not_grow_with_the_number_of_films(tmp_path: Path, reader: GuardedReader) -> None:
    films = noise_films(tmp_path / "films", 10, side=1024)
    predict_films(reader, films, tmp_path / "warm", ReadOptions(1))
    peaks = []
    for times in (3, 12):
        many = [Film(film.path, f"{round}_{film.name}") for round in range(times) for film in films]
        tracemalloc.start()
        predict_films(reader, many, tmp_path / f"{times}", ReadOptions(1))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 12 * 2**20  # how full the queue is differs; the films more have 90 MB


@pytest.mark.parametrize("is_resumed", [False, True])
def test_only_what_was_undone_is_called_fixed(
    is_resumed: bool,
    tmp_path: Path,
    reader: GuardedReader,
    break_off_at: Callable[[int | None], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A film that looks turned once it was inverted back is read so: nobody asked to turn it again."""
    films, out = noise_films(tmp_path / "films", 2 * BATCH), tmp_path / "out"
    came = [read_image(film.path) for film in films[:2]]
    before = Guards((check("inverted"),))
    after = [Guards((check("rotated_180"), check("cut"))), Guards()]

    def judge(self: Gate, image: np.ndarray) -> Guards:
        for one, then in zip(came, after, strict=True):
            if np.array_equal(image, one):
                return before
            if np.array_equal(image, 255 - one):
                return then
        return Guards()

    monkeypatch.setattr(Played, "judge", judge)
    if is_resumed:
        break_off_at(BATCH)
        with pytest.raises(BrokenOff):
            predict_films(reader, films, out, ReadOptions(fix=True))
        break_off_at(None)
    done = predict_films(reader, films, out, ReadOptions(fix=True))
    said = [done.guards[film.name] for film in films[:3]]
    assert [one.measured == () for one in said] == [is_resumed, is_resumed, True]
    assert [one._replace(measured=()) for one in said] == [
        Said("offer", ("inverted", "rotated_180", "cut"), ("inverted",)),
        Said("offer", ("inverted",), ("inverted",)),
        Said("pass", ()),
    ]
