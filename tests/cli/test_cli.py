"""The command line end to end, in this process where a child would only cost time."""

import csv
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from xlite.cli import run
from xlite.config import checkpoints_dir, make_config
from xlite.data.predictions import read_predictions, write_predictions
from xlite.data.tables import stem_of
from xlite.findings import FINDINGS
from xlite.images import Preprocess, read_image
from xlite.runs.run import LIVE, Run

TINY = (
    "--backbone test_resnet.r160_in1k --weights none --image-size 64 --batch-size 8 --hidden 16 --device cpu"
)

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def xlite(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command line in this process: its exit status, stdout and stderr."""

    def call(*words: object) -> tuple[int, str, str]:
        status = run([str(word) for word in words])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


@pytest.fixture
def model(own_home: Path) -> str:
    """A random model under the name `demo`."""
    import torch

    from xlite.models.checkpoint import ModelInfo, save_model
    from xlite.models.student import Student

    torch.manual_seed(0)
    student = Student("test_resnet.r160_in1k", hidden=16).eval()
    info = ModelInfo(
        backbone="test_resnet.r160_in1k",
        attention="none",
        hidden=16,
        dropout=0.3,
        preprocess=Preprocess(64),
        split_id="patient-42-00000000",
        label_version="2020",
    )
    (checkpoints_dir() / "demo").mkdir(parents=True)
    save_model(checkpoints_dir() / "demo" / "model.safetensors", student, info)
    return "demo"


def child(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "xlite", *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True, timeout=120, **options)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("train --foo 1", "No such option: --foo (see"),
        ("train --bogus 1", "No such option: --bogus (see"),
        ("train --bachbone 1", "No such option: --bachbone (did you mean --backbone?) (see"),
        ("nonsense", "No such command 'nonsense'"),
        ("data", "Missing command"),
        ("predict", "Missing argument 'MODEL'"),
        ("train --epochs x --data d", "Invalid value for '--epochs': got 'x', expected a whole number (see"),
        ("train --lr fast --data d", "Invalid value for '--lr': got 'fast', expected a number (see"),
        ("jobs start --launcher moon", "'moon' is not one of 'local', 'slurm' (see"),
        ("train --epochs 0 --data d", "--epochs is 0; expected a whole number, at least 1 and at most 10000"),
        (
            "train --loss dice --data d",
            "--loss is 'dice'; expected one of bce, weighted_bce, focal, weighted_focal",
        ),
        ("train", "a run needs --data FOLDER"),
        ("train --data nowhere", "there is no data folder nowhere"),
        ("train --data nowhere --name ../x", "'../x' cannot be a run's name"),
        ("train --resume ../x", "'../x' cannot be a run's name"),
        ("train --resume gone", "there is no run 'gone'"),
        ("train --resume gone --epochs 3 --no-flip", "so it takes no --flip, --epochs"),
        ("jobs status gone", "there is no run 'gone'"),
        ("jobs start --data nowhere", "there is no data folder nowhere"),
        ("data check nowhere", "there is no data folder nowhere"),
        ("data phantom out --images 0", "Invalid value for '--images': got '0', expected at least 1 (see"),
        ("predict gone film.png --out o", "there is no file or folder film.png"),
        (
            "predict gone film.png --out o --heatmaps 1 --map cam",
            "'cam' is none of layercam, gradcam, gradcam++",
        ),
        ("predict gone film.png --out o --map gradcam", "no overlay is asked for: add --heatmaps 3"),
        ("evaluate gone --data d --out o", "gone"),
        ("bench gone", "gone"),
        ("score none.csv --table t.csv --out o", "none.csv"),
        ("eda nowhere --out r.md", "there is no data folder nowhere"),
        ("data leakage --train a.txt --test b.txt", "a.txt"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(
    words: str, sentence: str, xlite: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = xlite(*words.split())
    assert (status, out) == (2, "")
    assert err.startswith("Error: ") and err.count("\n") == 1
    assert sentence in err
    assert Run.list() == []


def test_without_words_the_help_is_shown(xlite: Command) -> None:
    assert xlite() == xlite("--help")
    assert xlite()[0] == 0


def test_a_file_where_a_folder_is_wanted_is_a_sentence(xlite: Command, model: str, tiny_folder: Path) -> None:
    taken = tiny_folder / "taken"
    taken.touch()
    status, _, err = xlite("predict", model, tiny_folder / "images", "--out", taken)
    assert (status, err.count("\n"), f"{taken} is a file" in err) == (2, 1, True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_a_sentence() -> None:
    with open("/dev/full", "w") as full:
        line = [sys.executable, "-m", "xlite", "jobs", "list", "--json"]
        buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        done = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, text=True, env=buffered)
    assert done.returncode == 2
    assert done.stderr.startswith("Error: the disk is full") and done.stderr.count("\n") == 1


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    line = [sys.executable, "-m", "xlite", "train", "--help"]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(line, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


def test_check_says_what_is_wrong_and_exits_1(xlite: Command, tiny_folder: Path) -> None:
    status, out, err = xlite("data", "check", tiny_folder, "--json")
    assert (status, err) == (0, "")
    assert json.loads(out) == {
        "ok": True,
        "missing": [],
        "unreadable": [],
        "duplicates": [],
        "off_table": [],
    }
    images = tiny_folder / "images"
    (images / "00000001_000.png").unlink()
    (images / "00000002_000.png").write_text("no film")
    (images / "99999999_000.png").write_bytes((images / "00000003_000.png").read_bytes())
    status, out, _ = xlite("data", "check", tiny_folder, "--json")
    report = json.loads(out)
    assert (status, report["ok"], report["missing"]) == (1, False, ["00000001_000"])
    assert report["off_table"] == ["images/99999999_000.png"]
    assert report["duplicates"] == [["images/00000003_000.png", "images/99999999_000.png"]]
    assert [name for name, _ in report["unreadable"]] == ["images/00000002_000.png"]
    status, out, _ = xlite("data", "check", tiny_folder)
    assert status == 1
    assert "1 missing:\n  00000001_000\n" in out


def test_split_and_leakage(xlite: Command, tiny_folder: Path) -> None:
    status, out, _ = xlite("data", "split", tiny_folder, "--json")
    split = json.loads(out)
    assert status == 0
    assert split["id"].startswith("patient-42-")
    assert sum(part["images"] for part in split["parts"].values()) == 24
    assert (split["shared_patients"], split["parts"]["train"]) == (0, {"images": 16, "patients": 8})
    parts = [tiny_folder / "splits" / "patient" / f"{part}.csv" for part in ("train", "test")]
    status, out, _ = xlite("data", "leakage", "--train", parts[0], "--test", parts[1], "--json")
    assert status == 0
    assert json.loads(out)["shared_patients"] == 0
    assert xlite("data", "split", tiny_folder, "--strategy", "image")[0] == 2
    assert xlite("data", "split", tiny_folder, "--strategy", "image", "--allow-leakage")[0] == 0


def test_films_that_are_missing_are_counted(xlite: Command, tiny_folder: Path, tmp_path: Path) -> None:
    told = "3 of the 24 films in the table have no image here"
    report = tmp_path / "report.md"
    for film in sorted((tiny_folder / "images").iterdir())[:3]:
        film.unlink()
    assert told in xlite("data", "split", tiny_folder)[1]
    assert json.loads(xlite("data", "split", tiny_folder, "--json")[1])["missing"] == 3
    assert told in xlite("eda", tiny_folder, "--out", report)[1]


def test_a_film_that_cannot_be_decoded_points_to_the_check(xlite: Command, tiny_folder: Path) -> None:
    film = tiny_folder / "images" / "00000001_000.png"
    film.write_bytes(film.read_bytes()[:200])
    status, _, err = xlite("data", "cache", tiny_folder)
    assert (status, err.count("\n"), film.name in err, "`xlite data check`" in err) == (2, 1, True, True)


def test_help_shows_whole_sentences(xlite: Command) -> None:
    for group in ([], ["data"], ["jobs"], ["sweep"]):
        assert "..." not in xlite(*group, "--help")[1].replace("[ARGS]...", "")


@pytest.mark.parametrize("kind", ["phase1", "phase2", "phase3", "search"])
def test_a_sweep_has_the_options_of_a_run_but_its_name(xlite: Command, kind: str) -> None:
    options = {word.strip(",") for word in xlite("sweep", kind, "--help")[1].split() if word.startswith("--")}
    assert {"--study", "--data", "--batch-size"} <= options and "--name" not in options


def test_cache_makes_what_training_reads(xlite: Command, tiny_folder: Path) -> None:
    status, out, _ = xlite("data", "cache", tiny_folder, "--size", 32)
    assert status == 0
    assert out == f"24 films of 32 px, 0.0 MB, in {tiny_folder / 'cache'}\n"


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
    assert text.endswith(f"25 films read: {out}\n")
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


def test_one_bad_film_does_not_stop_the_others(xlite: Command, model: str, tiny_folder: Path) -> None:
    images = tiny_folder / "images"
    (images / "00000001_000.png").write_bytes(b"\x89PNG\r\n\x1a\n truncated")
    status, out, err = xlite("predict", model, images, "--out", tiny_folder / "out", "--json")
    assert status == 1
    assert err.count("Error: ") == 1 and "00000001_000.png" in err
    predictions = json.loads(out)
    assert len(predictions) == 23
    assert list(predictions["00000002_000.png"]) == list(FINDINGS)


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
    assert (status, err) == (2, f"Error: {film} was given twice: name each film once\n")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["1.2.840.1", "1.2.840.2"], ["1_1.2.840.1", "2_1.2.840.2"]),
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


@pytest.mark.parametrize("place", ["out", "."])
def test_predict_does_not_read_its_own_overlays(
    place: str, xlite: Command, model: str, tiny_folder: Path
) -> None:
    images = tiny_folder / "images"
    words = ["predict", model, images, "--out", images / place, "--heatmaps", 1, "--json"]
    first, again = xlite(*words), xlite(*words)
    assert first == again and first[0] == 0 and len(json.loads(first[1])) == 24


def test_a_film_alone_that_cannot_be_read_is_bad_input(xlite: Command, model: str, tmp_path: Path) -> None:
    (tmp_path / "film.png").write_text("no film")
    status, out, err = xlite("predict", model, tmp_path, "--out", tmp_path / "out")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"Error: {tmp_path / 'film.png'}: the file is not a PNG, JPEG or DICOM image")


def test_score_tells_a_better_model_from_a_tie(xlite: Command, tiny_folder: Path, tmp_path: Path) -> None:
    from xlite.data.folder import NihFolder

    folder = NihFolder.open(tiny_folder)
    names, labels = folder.table["image"].tolist(), folder.labels(folder.table["stem"].tolist())
    noise = np.random.default_rng(0).random(labels.shape)
    perfect, chance, nudged = (tmp_path / f"{name}.csv" for name in ("perfect", "chance", "nudged"))
    for file, probs in ((perfect, labels), (chance, noise), (nudged, noise**1.01)):
        write_predictions(file, names, probs)
    out = tmp_path / "out"
    words = ["--table", tiny_folder, "--out", out, "--against"]
    status, text, _ = xlite("score", perfect, *words, chance, "--json")
    written = json.loads((out / "comparison.json").read_text())
    report = json.loads((out / "metrics.json").read_text())
    assert (status, json.loads(text), report["comparison"]) == (0, report, written)
    assert written["sentence"] in (out / "report.html").read_text()
    assert (written["first"], written["images"], written["tie"]) == (1, len(names), False)
    assert 0 < written["difference"]["low"] < 1 - written["second"] < written["difference"]["high"]
    assert written["p"] == pytest.approx(2 / 1001)
    assert written["sentence"].endswith("p 0.002: higher than chance.csv")
    assert xlite("score", chance, *words, perfect)[1].endswith("p 0.002: lower than perfect.csv\n")
    status, text, _ = xlite("score", chance, *words, nudged)
    assert json.loads((out / "comparison.json").read_text())["tie"] is True
    assert text.endswith("p 1.000: a tie, the difference is within the noise\n")


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [([0], "share films of one patient only"), ([], "holds no predictions"), (None, "no predictions file")],
)
def test_score_against_what_cannot_be_compared_writes_nothing(
    rows: list[int] | None, sentence: str, xlite: Command, tiny_folder: Path, tmp_path: Path
) -> None:
    from xlite.data.folder import NihFolder

    names = NihFolder.open(tiny_folder).table["image"].tolist()
    probs = np.full((len(names), 14), 0.5)
    write_predictions(tmp_path / "all.csv", names, probs)
    other = tmp_path / "other.csv"
    if rows is not None:
        write_predictions(other, [names[row] for row in rows], probs[rows])
    words = ["--table", tiny_folder, "--out", tmp_path / "out", "--against", other]
    status, out, err = xlite("score", tmp_path / "all.csv", *words)
    assert (status, out, err.count("\n"), sentence in err) == (2, "", 1, True)
    assert not (tmp_path / "out").exists()


def test_predict_on_a_folder_without_films(xlite: Command, model: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    status, _, err = xlite("predict", model, tmp_path / "empty", "--out", tmp_path / "out")
    assert status == 2
    assert err.startswith(f"Error: the folder {tmp_path / 'empty'} holds no film")


def test_bench_says_what_a_model_costs(xlite: Command, model: str) -> None:
    status, out, _ = xlite("bench", model, "--json")
    figures = json.loads(out)
    size = (checkpoints_dir() / model / "model.safetensors").stat().st_size
    assert (status, figures["model"], figures["image_size"]) == (0, "demo", 64)
    assert figures["megabytes"] == round(size / 1e6, 2)
    assert 0 < figures["latency_p50_ms"] <= figures["latency_p95_ms"]


def test_share_refuses_a_port_in_use_and_a_short_password(model: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = child("share", model, "--port", taken.getsockname()[1])
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "in use" in done.stderr
    done = child("share", model, "--public", "--password", "short")
    assert done.returncode == 2
    assert "12" in done.stderr


def test_jobs_list_and_status_tell_the_same(xlite: Command) -> None:
    assert xlite("jobs", "list") == (0, "No runs yet; `xlite train --data DATA` makes one.\n", "")
    run = Run.create(make_config({"data": "films", "name": "one"}))
    run.write_progress({"state": "finished", "epoch": 3, "epochs": 3, "best_auc": 0.71234, "best_epoch": 2})
    status, out, _ = xlite("jobs", "list")
    assert (status, out) == (
        0,
        "run  state     epoch  best AUC  of epoch\none  finished  3/3    0.7123           2\n",
    )
    listed = json.loads(xlite("jobs", "list", "--json")[1])
    assert listed == [json.loads(xlite("jobs", "status", "one", "--json")[1])]
    assert {"name": "one", "state": "finished", "best_auc": 0.71234}.items() <= listed[0].items()
    run.path("log.txt").write_text("a\nb\nc\n")
    assert xlite("jobs", "logs", "one", "-n", 2) == (0, "b\nc\n", "")
    status, _, err = xlite("jobs", "stop", "one")
    assert (status, "does not run" in err) == (2, True)
    assert xlite("jobs", "resume", "one")[0] == 2


def test_train_evaluate_and_score(xlite: Command, tiny_folder: Path, tmp_path: Path) -> None:
    status, out, err = xlite("train", "--data", tiny_folder, "--name", "one", "--epochs", 2, *TINY.split())
    assert (status, err) == (0, "")
    run = Run.named("one")
    assert run.path("log.txt").read_text() == out
    assert "parameters" in out and "multiply-adds" in out
    assert run.status().state == "finished"
    status, _, err = xlite("train", "--data", tiny_folder, "--name", "one", *TINY.split())
    assert (status, "'one' exists already" in err) == (2, True)
    words = ["--data", tiny_folder, "--split", "patient", "--part", "test", "--out", tmp_path / "e"]
    status, out, _ = xlite("evaluate", "one", *words, "--json")
    report = json.loads((tmp_path / "e" / "metrics.json").read_text())
    assert (status, json.loads(out)) == (0, report)
    assert (report["split"]["part"], report["split"]["images"]) == ("test", 4)
    # The run's own report, whose validation logits were at hand, is the same one.
    assert json.loads((run.folder / "evaluation" / "test" / "metrics.json").read_text()) == report
    predictions = tmp_path / "e" / "predictions.csv"
    words = ["--table", tiny_folder, "--out", tmp_path / "s", "--trained-on", tiny_folder / "test_list.txt"]
    status, out, _ = xlite(
        "score", predictions, *words, "--validation", run.folder / "evaluation/val/predictions.csv"
    )
    scored = json.loads((tmp_path / "s" / "metrics.json").read_text())
    assert (status, scored["split"]["images"], scored["validation"]["films"]) == (0, 4, 4)
    spoiled = scored["contamination"]
    assert spoiled is None or f"Contaminated: {spoiled['films']} of 4 films" in out
    assert f"Report: {tmp_path / 's' / 'report.html'}" in out


def test_evaluate_takes_a_calibration_by_name_only(xlite: Command, model: str, tmp_path: Path) -> None:
    words = ["evaluate", model, "--data", tmp_path, "--out", tmp_path / "o", "--calibration", "beta"]
    status, _, err = xlite(*words)
    assert (status, err.count("\n")) == (2, 1)
    assert "'beta' is not one of 'platt', 'temperature', 'isotonic', 'none'" in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--split image", "--allow-leakage"),
        ("--split nowhere", "has no split 'nowhere'"),
        ("--backbone resnet1800", "resnet1800"),
        ("--device cuda:7", "'cuda:7'"),
        ("--weights nosuch.pt", "nosuch.pt"),
        ("--teacher nosuch", "nosuch"),
    ],
)
def test_a_run_that_is_refused_leaves_nothing(
    words: str, sentence: str, xlite: Command, tiny_folder: Path
) -> None:
    line = ["train", "--data", tiny_folder, "--epochs", 1, *TINY.split(), *words.split()]
    status, _, err = xlite(*line, "--name", "one")
    assert (status, err.count("\n"), sentence in err) == (2, 1, True)
    assert list(checkpoints_dir().glob("[!.]*")) == []


def test_a_run_that_is_refused_in_the_background_says_why_until_it_is_deleted(
    xlite: Command, tiny_folder: Path
) -> None:
    config = make_config({"data": tiny_folder, "name": "one", "split": "nowhere"})
    run = Run.create(config)
    assert xlite("train", "--resume", "one")[0] == 2  # as `jobs start` and the pages do, in a process
    assert "has no split 'nowhere'" in run.status().message
    assert run.status().message in run.log_tail(1)
    assert xlite("jobs", "delete", "one", "--yes")[0] == 0
    assert Run.list() == []


def test_a_run_that_failed_in_its_first_epoch_is_kept(xlite: Command, tiny_folder: Path) -> None:
    words = ["--data", tiny_folder, "--name", "one", "--epochs", 1, "--lr", 10, "--grad-clip", 0]
    status, _, err = xlite("train", *words, "--weight-decay", 10, "--warmup-epochs", 0, *TINY.split())
    assert (status, "no number" in err) == (2, True)
    assert Run.named("one").failed_untrained()


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.fixture
def no_job_left() -> Iterator[None]:
    """Ends what a failed test leaves running."""
    yield
    for job in Run.list():
        if job.status().state in LIVE:
            job.stop()
            wait_for(lambda job=job: not job.is_held())


@pytest.mark.slow
@pytest.mark.usefixtures("no_job_left")
def test_a_job_lives_on_is_stopped_and_resumed(tiny_folder: Path) -> None:
    words = ["--data", tiny_folder, "--name", "job", "--epochs", 2000, "--patience", 2000, *TINY.split()]
    assert child("jobs", "start", *words).stdout == "job\n"
    run = Run.named("job")
    wait_for(lambda: len(run.read_metrics()) > 1)
    assert child("jobs", "start", *words).returncode == 2
    assert "already running" in child("jobs", "resume", "job").stderr
    assert child("jobs", "stop", "job").returncode == 0
    wait_for(lambda: run.status().state == "stopped")
    rows = len(run.read_metrics())
    assert child("jobs", "resume", "job").returncode == 0
    wait_for(lambda: len(run.read_metrics()) > rows)
    assert run.status().state == "running"
    assert child("jobs", "stop", "job").returncode == 0
    wait_for(lambda: run.status().state == "stopped")
    log = child("jobs", "logs", "job", "--lines", 1000).stdout
    assert log.count("\nepoch 1/2000") == 1  # once, though stdout is the log itself


@pytest.mark.slow
@pytest.mark.usefixtures("no_job_left")
@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
def test_an_interrupted_train_is_stopped_with_130(tiny_folder: Path) -> None:
    words = [
        "train",
        "--data",
        tiny_folder,
        "--name",
        "job",
        "--epochs",
        2000,
        "--patience",
        2000,
        *TINY.split(),
    ]
    line = [sys.executable, "-m", "xlite", *map(str, words)]
    process = subprocess.Popen(
        line,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # a shell's background job ignores Ctrl-C, and its children would inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    wait_for(lambda: (checkpoints_dir() / "job" / "metrics.csv").exists())
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "Error: interrupted\n")
    assert Run.named("job").status().state == "stopped"
