"""All runs as pages list them: read anew only if something changed."""

from pathlib import Path

import pytest
from demo_home import save_demo_evaluation

from xlite.config import make_config
from xlite.places import checkpoints_dir
from xlite.runs import listing as module
from xlite.runs.annotation import Annotation, annotate
from xlite.runs.listing import Listing, names_of
from xlite.runs.run import Run
from xlite.runs.status import RunStatus


@pytest.fixture
def listing() -> Listing:
    return Listing(checkpoints_dir())


def create(name: str, **settings: object) -> Run:
    return Run.create(make_config({"data": "films", "name": name, **settings}))


def test_a_home_without_runs_has_none(listing: Listing) -> None:
    assert listing.runs() == ([], [])
    assert listing.experiments() == ([], None)


def test_runs_are_listed_as_run_list_does(listing: Listing, stopped_run: Run) -> None:
    create("two")
    (checkpoints_dir() / ".deleted-three").mkdir()
    (checkpoints_dir() / "model-without-settings").mkdir()
    found, damaged = listing.runs()
    assert (names_of(found), damaged) == ([run.name for run in Run.list()], [])
    assert [one.config for one in found] == [run.config() for run in Run.list()]
    assert [one.status for one in found] == [run.status() for run in Run.list()]


def test_a_second_look_reads_nothing_that_did_not_change(
    listing: Listing, monkeypatch: pytest.MonkeyPatch, own_home: Path
) -> None:
    runs = [create(name) for name in ("one", "two", "three")]
    save_demo_evaluation(own_home, "one")
    listing.runs()
    read: list[str] = []
    for name in ("read_settings", "read_status", "read_annotation"):
        act = getattr(module, name)

        def noting(path: Path, *more: object, act=act) -> object:
            read.append(str(path.relative_to(checkpoints_dir())))
            return act(path, *more)

        monkeypatch.setattr(module, name, noting)
    assert names_of(listing.runs()[0]) == ["three", "two", "one"]
    assert read == []
    annotate(runs[1].folder, ["a"])
    runs[0].write_progress(RunStatus(state="stopped", epoch=1))
    found = {one.name: one for one in listing.runs()[0]}
    assert read == ["two", "one/progress.json"]
    assert found["two"].annotation == Annotation(("a",))
    assert (found["one"].status.state, found["one"].judged is None) == ("stopped", False)


def test_whether_a_run_lives_is_asked_each_time(listing: Listing, stopped_run: Run) -> None:
    with stopped_run.hold():
        stopped_run.write_progress(RunStatus(state="running", epoch=2))
        assert listing.runs()[0][0].status.state == "running"
        content = stopped_run.path("progress.json").read_bytes()
    stopped_run.path("progress.json").write_bytes(content)  # as if it had been killed
    assert listing.runs()[0][0].status.state == "killed"
    assert listing.runs()[0][0].status.state == "killed"


def test_a_run_that_is_deleted_and_made_anew_is_another(listing: Listing) -> None:
    first = create("one", epochs=3)
    assert [one.config.epochs for one in listing.runs()[0]] == [3]
    first.delete()
    assert listing.runs() == ([], [])
    create("one", epochs=5)
    assert [one.config.epochs for one in listing.runs()[0]] == [5]


@pytest.mark.parametrize(
    ("file", "sentence", "listed"),
    [
        ("config.json", "the settings of run 'one' cannot be read", False),
        ("progress.json", "the state of run 'one' is not known", True),
        ("annotation.json", "tags and note of run 'one' cannot be read", True),
        ("evaluation/test/metrics.json", "the evaluation ", True),
    ],
)
def test_a_damaged_file_is_a_sentence_and_costs_no_other_run(
    listing: Listing, stopped_run: Run, file: str, sentence: str, listed: bool
) -> None:
    create("two")
    path = stopped_run.path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"{")
    for _ in range(2):
        found, damaged = listing.runs()
        assert ("one" in names_of(found), "two" in names_of(found)) == (listed, True)
        assert [str(error).startswith(sentence) for error in damaged] == [True]


def test_a_run_that_goes_while_one_looks_is_not_called_damaged(
    listing: Listing, stopped_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Run.create(make_config({"data": "films", "name": "other"}))
    read = module._settings

    def settings(path: Path) -> object:
        if path.parent == other.folder:
            other.delete()
        return read(path)

    monkeypatch.setattr(module, "_settings", settings)
    runs, damaged = listing.runs()
    assert ([found.name for found in runs], damaged) == ([stopped_run.name], [])


def test_settings_that_are_a_link_to_nothing_are_told(listing: Listing) -> None:
    (checkpoints_dir() / "odd").mkdir(parents=True)
    (checkpoints_dir() / "odd" / "config.json").symlink_to("nothing")
    found, damaged = listing.runs()
    assert (found, len(damaged)) == ([], 1)


def test_epochs_and_size_are_of_the_runs_own_files(listing: Listing, stopped_run: Run) -> None:
    stopped_run.path("model.safetensors").write_bytes(bytes(1_234_567))
    stopped_run.path("results_row.json").write_text('{"experiment_id": "one", "inference_time_ms": 20.1}')
    [one] = listing.runs()[0]
    assert (one.size_mb, one.latency_ms) == (1.23, 20.1)
    assert listing.epochs(one.run)["val_auc"].tolist() == [0.61, 0.64]
    assert listing.parameters(one.run) is None
