"""A damaged file of one run spoils what is said of that run, and nothing else."""

import json
import os
from pathlib import Path

import pytest
from command_line import Command

from xlite.config import make_config
from xlite.errors import RunError
from xlite.places import checkpoints_dir
from xlite.runs.listing import Listing
from xlite.runs.run import Run
from xlite.runs.run_files import EPOCH_COLUMNS, read_epochs
from xlite.runs.status import RunStatus, facts

DEEP = b"[" * 100_000
HEAD = ",".join(EPOCH_COLUMNS).encode() + b"\n"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run.create(make_config({"data": tmp_path, "name": "one"}))
    run.write_progress(RunStatus(state="stopped", epoch=2, epochs=8, best_auc=0.7, best_epoch=2))
    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\xff", b"\0" * 50, b"[]", b"null", DEEP, b'{"a":' * 100_000, b'"\\ud800"'),
        *(b'{"state": "asleep"}', b'{"epoch": "two"}', b'{"epoch": -1}', b'{"best_epoch": 1e30}'),
        *(b'{"elapsed_s": NaN}', b'{"elapsed_s": 1e400}', b'{"elapsed_s": 1e300}', b'{"eta_s": -5}'),
        *(
            b'{"val_auc": Infinity}',
            b'{"best_auc": "0.7"x}',
            b'{"words": 3}',
            b'{"steps": 99999999999999999999}',
        ),
    ],
)
def test_a_damaged_progress_is_a_failed_run_in_an_intact_list(
    run: Run, xlite: Command, content: bytes
) -> None:
    Run.create(make_config({"data": "films", "name": "two"}))
    run.path("progress.json").write_bytes(content)
    status = run.status()
    assert status.state == "failed" and status.message.startswith(f"{run.path('progress.json')} is not what")
    listed = {one.name: one.status.state for one in Listing(checkpoints_dir()).runs()[0]}
    assert listed == {"one": "failed", "two": "new"}
    told = f"Warning: the state of run 'one' is not known: {status.message}\n"
    for words, warned in ((["list"], told), (["list", "--json"], told), (["status", "one"], "")):
        code, out, err = xlite("jobs", *words)
        assert (code, err) == (0, warned) and "failed" in out
    assert facts(status)["Elapsed"] == "0 s"
    run.update_progress(state="stopped", message="")
    assert run.status().state == "stopped"


def test_a_progress_that_cannot_be_opened_is_a_failed_run(run: Run) -> None:
    run.path("progress.json").unlink()
    run.path("progress.json").mkdir()
    told = f"Is a directory: {run.path('progress.json')}"
    assert run.status() == RunStatus(state="failed", message=told, damage=told)


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\xff", b"\0" * 50, b"[]", b"null", DEEP, b'{"a":' * 100_000, b'{"data": "\\ud800"}'),
        *(
            b'{"data": 3}',
            b'{"data": "films", "epochs": "many"}',
            b'{"data": "films", "epochs": %s}' % DEEP[:150],
        ),
        *(b'{"data": "films", "grad_clip": Infinity}', b'{"data": "films", "lr": NaN}'),
        b'{"data": "films", "seed": %s}' % (b"9" * 4000),
    ],
)
def test_damaged_settings_are_a_warning_beside_an_intact_list(
    run: Run, xlite: Command, content: bytes
) -> None:
    Run.create(make_config({"data": "films", "name": "two"}))
    run.path("config.json").write_bytes(content)
    runs, [error] = Listing(checkpoints_dir()).runs()
    assert [found.name for found in runs] == ["two"]
    assert str(error).startswith("the settings of run 'one' cannot be read from ") and len(str(error)) < 600
    code, out, err = xlite("jobs", "list")
    assert (
        code == 0
        and "two" in out
        and "one" not in out
        and err.startswith("Warning: the settings of run 'one'")
    )
    assert xlite("jobs", "resume", "one")[0] == 2
    assert xlite("jobs", "delete", "one", "--yes")[0] == 0


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xff\xfe" + HEAD, "can't decode"),
        (HEAD + b"1,2,3\n1,2,3,4,5,6\n", "tokenizing"),
        (b"epoch,val_auc\n1,0.5\n", "it has no column train_loss"),
        (HEAD + b"1,a,0.4,0.6\n", "its column 'train_loss' holds something else than numbers"),
        (HEAD + b"1,True,0.4,0.6\n", "its column 'train_loss' holds something else than numbers"),
        (HEAD + b"1.5,0.5,0.4,0.6\n", "its epochs are not whole numbers"),
        (HEAD + b",0.5,0.4,0.6\n", "its epochs are not whole numbers"),
        (b"\0\0\0\0", "it has no column"),
    ],
)
def test_damaged_epochs_are_a_sentence(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(content)
    with pytest.raises(RunError, match=f"the epochs of run 'one' cannot be read from {path} .*{why}"):
        read_epochs(path, "one")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
def test_a_pipe_in_the_place_of_the_epochs_is_a_sentence_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "metrics.csv")
    with pytest.raises(RunError, match=r"the epochs of run 'one' cannot be read .*it is a pipe"):
        read_epochs(tmp_path / "metrics.csv", "one")


def test_a_run_with_damaged_epochs_is_listed_and_deleted(run: Run, xlite: Command, monkeypatch) -> None:
    run.path("metrics.csv").write_bytes(b"\xff\xfe")
    assert xlite("jobs", "list")[0] == 0
    asked = []
    monkeypatch.setattr("xlite.cli.jobs.ask_twice", lambda *words: asked.append(words))
    assert xlite("jobs", "delete", "one")[0] == 0
    assert asked == [("run", "one", "with its model and its epochs")] and not run.folder.exists()


def test_unknown_settings_are_told_and_kept(run: Run) -> None:
    path = run.path("config.json")
    content = json.loads(path.read_text()) | {"colour": "blue", "later": {"a": [1, 2.5, None]}}
    path.write_text(json.dumps(content))
    assert run.config().name == "one" and run.unknown_settings() == ["colour", "later"]
    renamed = run.rename("two")
    kept = json.loads(renamed.path("config.json").read_text())
    assert kept == content | {"name": "two"}


def test_settings_are_written_as_ever(run: Run) -> None:
    expected = run.config().model_dump_json(indent=2) + "\n"
    assert run.path("config.json").read_text(encoding="utf-8") == expected


@pytest.mark.slow
def test_a_folder_in_place_of_the_settings_is_told_as_it_is(run: Run, xlite: Command) -> None:
    run.path("config.json").unlink()
    run.path("config.json").mkdir()
    why = f"the settings of run 'one' cannot be read from {run.path('config.json')}: "
    code, _, err = xlite("jobs", "list")
    assert (code, err) == (0, f"Warning: {why}that is not a file\n")
    for words in (["status", "one"], ["resume", "one"], ["logs", "one"]):
        code, out, err = xlite("jobs", *words)
        told = f"{why}that is not a file; put the file back, or delete {run.folder}"
        assert (code, out, err) == (2, "", f"Error: {told}\n")
