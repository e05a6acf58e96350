"""`xlite train`, and evaluation of its run."""

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from command_line import TINY, Command, wait_for
from tiny_runs import config

from xlite.places import checkpoints_dir
from xlite.presets import PRESETS
from xlite.runs.run import Run


@pytest.mark.slow
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
    contamination = scored["contamination"]
    assert contamination is None or f"Contaminated: {contamination['films']} of 4 films" in out
    assert f"Report: {tmp_path / 's' / 'report.html'}" in out


@pytest.mark.parametrize(
    ("words", "means"),
    [
        ([], "design"),
        (["--augment"], "design"),
        (["--augment", "--no-flip"], "design"),
        (["--no-augment"], "none"),
        (["--augment", "light"], "light"),
        (["--augment=none"], "none"),
    ],
)
def test_augmentation_is_typed_as_a_strength_or_as_the_switch_that_it_was(
    xlite: Command, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], means: str
) -> None:
    monkeypatch.setattr(Run, "start", lambda run: None)
    status, _, err = xlite("jobs", "start", "--data", tiny_folder, "--name", "one", *words)
    assert (status, err) == (0, "")
    assert (Run.named("one").config().augment, Run.named("one").config().flip) == (
        means,
        "--no-flip" not in words,
    )


@pytest.mark.slow
def test_options_win_over_a_preset_and_a_run_keeps_what_came_of_both(
    xlite: Command, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Run, "start", lambda run: None)
    monkeypatch.setitem(PRESETS, "tried", {"lr": 0.5, "epochs": 7, "augment": "light", "flip": False})
    words = ["--data", tiny_folder, "--name", "one", "--preset", "tried", "--epochs", 3, "--flip"]
    assert xlite("jobs", "start", *words)[0] == 0
    config = Run.named("one").config()
    assert (config.lr, config.epochs, config.augment, config.flip) == (0.5, 3, "light", True)
    for words, said in [
        (
            ["--data", tiny_folder, "--preset", "best"],
            "--preset is 'best'; expected one of design, quick, good, tried",
        ),
        (["--resume", "one", "--preset", "tried"], "so it takes no --preset"),
    ]:
        status, _, err = xlite("train", *words)
        assert (status, said in err) == (2, True)


@pytest.mark.slow
def test_a_run_with_an_unknown_setting_goes_on_and_says_so(
    xlite: Command, films: Path, quick_report: None
) -> None:
    run = Run.create(config(films, "one", epochs=1))
    content = json.loads(run.path("config.json").read_text()) | {"colour": "blue"}
    run.path("config.json").write_text(json.dumps(content))
    status, out, err = xlite("train", "--resume", "one")
    line = "Warning: its config.json has what is not a setting of this X-Lite: 'colour'; it is kept\n"
    assert (status, err, line in out) == (0, "", True)
    assert run.status().state == "finished"
    assert json.loads(run.path("config.json").read_text()) == content


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_run_that_failed_in_its_first_epoch_is_kept(xlite: Command, tiny_folder: Path) -> None:
    words = ["--data", tiny_folder, "--name", "one", "--epochs", 1, "--lr", 10, "--grad-clip", 0]
    status, _, err = xlite("train", *words, "--weight-decay", 10, "--warmup-epochs", 0, *TINY.split())
    assert (status, "NaN" in err) == (2, True)
    assert Run.named("one").failed_untrained()


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


@pytest.mark.slow
def test_a_follower_that_fails_waits_until_its_leader_has_said_why(
    xlite: Command, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run.create(config(tiny_folder, "odd", devices=4))
    tasks = {"SLURM_PROCID": 1, "SLURM_STEP_NUM_TASKS": 2, "SLURM_NTASKS_PER_NODE": 2, "SLURM_NNODES": 1}
    for name, value in tasks.items():
        monkeypatch.setenv(name, str(value))
    said: list[str] = []
    follower = threading.Thread(target=lambda: said.append(xlite("train", "--resume", "odd")[2]))
    with run.hold():
        follower.start()
        follower.join(1)
        assert follower.is_alive() and not said
    follower.join(60)
    assert "SLURM started 2 processes on 1 machine" in said[0]


@pytest.mark.slow
def test_a_dry_run_says_what_a_run_would_take_and_makes_none(xlite: Command, films: Path) -> None:
    words = ["--data", films, *tiny_words(), "--loss", "focal", "--dry-run"]
    status, out, err = xlite("train", *words)
    assert (status, err) == (0, "")
    titles = [line[:16].strip() for line in out.splitlines()[:6]]
    assert titles == ["Time", "An epoch", "Films a second", "Memory", "Disk", "Device"]
    assert "real step" in out.splitlines()[6]
    assert out.splitlines()[7].startswith("Warning: a focal loss has its price: ")
    assert Run.list() == []
    status, out, _ = xlite("train", *words, "--json")
    found = json.loads(out)
    assert (status, found["epochs"], found["step_films"], len(found["warnings"])) == (0, 2, 16, 1)
    assert found["seconds"] > found["opening_s"] > 0


def tiny_words() -> list[str]:
    """The options of a tiny run."""
    words = "--backbone test_resnet.r160_in1k --weights none --image-size 32 --batch-size 16 --device cpu"
    return [*words.split(), "--epochs", "2"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--split", "mine"], "has no split 'mine'"),
        (["--split", "image"], "the split 'image' puts films of one patient into several parts"),
        (["--teacher", "nosuch"], "'nosuch' is neither a model file nor a run"),
        (["--teacher", "gone.csv"], "the teacher's predictions file gone.csv is not there"),
    ],
)
def test_a_dry_run_refuses_what_would_fail(xlite: Command, films: Path, words: list[str], said: str) -> None:
    status, out, err = xlite("train", "--data", films, *tiny_words(), *words, "--dry-run")
    assert (status, out, said in err) == (2, "", True)


def test_dry_run_is_for_new_runs_and_json_for_dry_runs(xlite: Command, films: Path) -> None:
    assert xlite("train", "--resume", "one", "--dry-run")[::2] == (
        2,
        "Error: --dry-run is for a new run, so it takes no --resume\n",
    )
    assert xlite("train", "--data", films, "--json")[::2] == (
        2,
        "Error: --json is for --dry-run: a run writes its metrics into its folder\n",
    )
