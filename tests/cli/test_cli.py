"""The command line as a whole: bad input, help, a full disk, a reader that goes away."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Command

from xlite.runs.run import Run

pytestmark = pytest.mark.slow


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
        ("train", "real or phantom: give --data"),
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
            "'cam' is not one of layercam, gradcam, gradcam++",
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


def test_help_shows_whole_sentences(xlite: Command) -> None:
    for group in ([], ["data"], ["jobs"], ["sweep"], ["federate"], ["label"]):
        assert "..." not in xlite(*group, "--help")[1].replace("[ARGS]...", "")


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
