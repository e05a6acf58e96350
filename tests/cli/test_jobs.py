"""`xlite jobs`: runs are listed, renamed and deleted from a terminal."""

import json
from pathlib import Path

import pytest
from command_line import Command, Terminal

from xlite.errors import RunError
from xlite.places import checkpoints_dir
from xlite.runs.notes import Notes
from xlite.runs.results import Experiment, append_result, read_results
from xlite.runs.run import Run
from xlite.runs.status import RunStatus

pytestmark = pytest.mark.usefixtures("one_scan")


@pytest.fixture
def run(stopped_run: Run) -> Run:
    """The one run there is."""
    return stopped_run


def names() -> list[str]:
    return [run.name for run in Run.list()]


def test_rename_moves_the_folder_and_leaves_the_log_of_experiments(run: Run, xlite: Command) -> None:
    append_result(Experiment("one", val_auc=0.6), Notes("patient-42-1"))
    metrics, settings = run.path("metrics.csv").read_bytes(), run.config()
    assert xlite("jobs", "rename", "one", "two") == (0, "Run one is now two.\n", "")
    renamed = Run.named("two")
    assert (names(), renamed.status().state) == (["two"], "stopped")
    assert renamed.path("metrics.csv").read_bytes() == metrics
    assert renamed.config() == settings.model_copy(update={"name": "two"})
    assert read_results()["experiment_id"].tolist() == ["one"]


@pytest.mark.parametrize(
    ("new_name", "sentence"),
    [("taken", "'taken' exists already"), ("../up", "'../up' cannot be a run's name"), ("", "cannot be")],
)
def test_rename_refuses_what_is_no_free_name(run: Run, xlite: Command, new_name: str, sentence: str) -> None:
    Run.create(run.config().model_copy(update={"name": "taken"}))
    status, _, err = xlite("jobs", "rename", "one", new_name)
    assert (status, sentence in err, sorted(names())) == (2, True, ["one", "taken"])


@pytest.mark.parametrize("words", [("rename", "one", "two"), ("delete", "one", "--yes")])
def test_a_live_run_is_neither_renamed_nor_deleted(run: Run, xlite: Command, words: tuple[str, ...]) -> None:
    for state in ("running", "finished"):  # also one that has said its last word, and is about to end
        with run.hold():
            run.write_progress(RunStatus(state=state, epoch=2))
            status, _, err = xlite("jobs", *words)
            assert (status, err) == (
                2,
                f"Error: run 'one' is not at rest ({state}): stop it, then it can be {words[0]}d\n",
            )
    assert names() == ["one"]


@pytest.mark.slow
def test_delete_is_asked_twice(run: Run, xlite: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = (2, "Error: that is not 'one', so nothing was deleted\n")
    for answers, outcome in {
        "n\n": (1, ""),
        "\n": (1, ""),
        "y\ntwo\n": kept,
        "": (130, "Error: interrupted\n"),
    }.items():
        monkeypatch.setattr("sys.stdin", Terminal(answers))
        status, out, err = xlite("jobs", "delete", "one")
        assert (status, err) == outcome
        assert out.endswith("Nothing was deleted\n") == (status == 1)
        assert names() == ["one"]
    monkeypatch.setattr("sys.stdin", Terminal("y\none\n"))
    status, out, _ = xlite("jobs", "delete", "one")
    assert status == 0 and "its model and 2 epochs?" in out and out.endswith("Run one is deleted.\n")
    assert names() == []


@pytest.mark.slow
def test_delete_leaves_nothing_behind_and_needs_a_word(run: Run, xlite: Command) -> None:
    status, _, err = xlite("jobs", "delete", "one")
    assert (status, err.endswith("nobody can be asked here: add --yes\n")) == (2, True)
    assert xlite("jobs", "delete", "one", "--yes") == (0, "Run one is deleted.\n", "")
    assert [path.name for path in checkpoints_dir().iterdir() if path.is_dir()] == []
    assert xlite("jobs", "delete", "one", "--yes")[0] == 2


def test_a_deletion_that_breaks_off_shows_no_half_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("shutil.rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        run.delete()
    assert names() == []
    with pytest.raises(RunError, match="there is no run 'one'"):
        Run.named("one")


@pytest.mark.slow
def test_list_and_status_tell_what_waits_and_what_is_left(run: Run, xlite: Command) -> None:
    with run.hold():
        run.write_progress(RunStatus(state="queued", message="waits for CPU behind two (1st in the queue)"))
        assert xlite("jobs", "list")[1].endswith("\none waits for CPU behind two (1st in the queue)\n")
        told = "queued: waits for CPU behind two (1st in the queue)\n"
        assert xlite("jobs", "status", "one")[1].startswith(told)
        run.write_progress(RunStatus(state="running", epoch=2, epochs=9, eta_s=130.0, load=0.5))
        assert xlite("jobs", "list")[1].endswith("\none running, 2 min 10 s left\n")
        (checkpoints_dir() / "odd").mkdir()
        (checkpoints_dir() / "odd" / "config.json").write_text("{")
        status, out, err = xlite("jobs", "list")
        assert (status, "odd" in out, err.count("\n")) == (0, False, 1)
        assert err.startswith("Warning: the settings of run 'odd' cannot be read from ")
        out = xlite("jobs", "status", "one")[1]
    assert "Time left            2 min 10 s\n" in out and "Load                 50%\n" in out


@pytest.mark.slow
def test_a_note_is_written_shown_and_kept_through_a_rename(run: Run, xlite: Command) -> None:
    assert xlite("jobs", "note", "one") == (0, "Run one has no tags and no note.\n", "")
    assert xlite("jobs", "note", "one", "--tag", "paper, old", "--note", "the best\nof all") == (
        0,
        "Tags                 paper, old\nNote                 the best of all\n",
        "",
    )
    assert xlite("jobs", "note", "one", "--tag", "paper")[1].startswith("Tags                 paper\nNote")
    xlite("jobs", "rename", "one", "two")
    answer = {"name": "two", "tags": ["paper"], "note": "the best\nof all"}
    assert json.loads(xlite("jobs", "note", "two", "--json")[1]) == answer
    assert xlite("jobs", "note", "two", "--tag", "", "--note", "") == (
        0,
        "Run two has no tags and no note.\n",
        "",
    )


@pytest.mark.slow
def test_list_and_status_show_tags_and_notes(run: Run, xlite: Command) -> None:
    assert xlite("jobs", "list")[1].splitlines()[0].split() == [
        *("Run", "State", "Epoch", "Validation", "AUC", "Best", "epoch")
    ]
    xlite("jobs", "note", "one", "--tag", "a,b", "--note", "x")
    header, row = xlite("jobs", "list")[1].splitlines()
    assert (header.split()[-1], row.endswith("  a, b")) == ("Tags", True)
    [listed] = json.loads(xlite("jobs", "list", "--json")[1])
    told = json.loads(xlite("jobs", "status", "one", "--json")[1])
    assert [(one["name"], one["tags"], one["note"]) for one in (listed, told)] == [
        ("one", ["a", "b"], "x")
    ] * 2
    assert xlite("jobs", "status", "one")[1].endswith("Tags                 a, b\nNote                 x\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("none", "--tag", "a"), "there is no run 'none'"),
        (("one", "--tag", "x" * 41), "cannot be a tag: use up to 40 characters"),
        (("one", "--note", "x" * 10_001), "a note has up to 10,000 characters"),
    ],
)
def test_what_cannot_be_noted_is_one_sentence(
    run: Run, xlite: Command, words: tuple[str, ...], sentence: str
) -> None:
    status, out, err = xlite("jobs", "note", *words)
    assert (status, out, err.count("\n"), sentence in err) == (2, "", 1, True)
    assert not run.path("annotation.json").exists()


@pytest.mark.slow
def test_a_damaged_annotation_is_a_warning_in_lists_and_an_error_of_its_own(run: Run, xlite: Command) -> None:
    run.path("annotation.json").write_text("{")
    for words in (("list",), ("status", "one")):
        status, out, err = xlite("jobs", *words)
        assert (status, bool(out), err.count("\n")) == (0, True, 1)
        assert err.startswith("Warning: tags and note of run 'one' cannot be read from ")
    status, out, err = xlite("jobs", "note", "one")
    assert (status, out, err.startswith("Error: tags and note of run 'one' cannot be read")) == (2, "", True)
    assert xlite("jobs", "note", "one", "--tag", "a") == (0, "Tags                 a\n", "")
