"""The embedding of films as a run of its own: its name, its state, and that it is made once."""

from pathlib import Path

import pytest
from command_line import wait_for
from demo_home import save_demo_model

from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.errors import RunError
from xlite.runs.embedding_run import EmbeddingRun

pytestmark = pytest.mark.slow


def test_its_name_is_that_of_model_table_and_films(own_home: Path, tiny_folder: Path):
    model, other = save_demo_model(own_home), save_demo_model(own_home, "other", seed=1)
    folder = NihFolder.open(tiny_folder)
    run = EmbeddingRun.of(model, folder)
    assert run.folder.parent == own_home / "experiments" / "embeddings"
    assert EmbeddingRun.of(model, NihFolder.open(tiny_folder)).name == run.name
    fewer = NihFolder(folder.root, folder.table, "2020", dict(list(folder.paths.items())[:20]))
    table = NihFolder(folder.root, folder.table.assign(age=1.0), "2020", folder.paths)
    names = {
        run.name,
        EmbeddingRun.of(other, folder).name,
        EmbeddingRun.of(model, fewer).name,
        EmbeddingRun.of(model, table).name,
        EmbeddingRun.of(model, folder, 12).name,
    }
    assert len(names) == 5


def test_it_is_made_once_and_says_how_far_it_is(own_home: Path, tiny_folder: Path):
    model, folder = save_demo_model(own_home), NihFolder.open(tiny_folder)
    run, classifier = EmbeddingRun.of(model, folder), Classifier.load(model)
    assert (run.status().state, run.found()) == ("new", None)
    seen: list[str] = []
    made = run.work(classifier, folder, lambda done, films: seen.append(run.status().state))
    assert seen == ["running", "running"] and made is not None
    assert run.status().state == "finished" and (run.status().done, run.status().films) == (24, 24)
    again = run.work(classifier, folder, lambda *_: pytest.fail("it was made again"))
    assert again is not None and again.stems == made.stems


def test_it_can_be_stopped_and_made_by_one_alone(own_home: Path, tiny_folder: Path):
    model, folder = save_demo_model(own_home), NihFolder.open(tiny_folder)
    run, classifier = EmbeddingRun.of(model, folder), Classifier.load(model)
    other = EmbeddingRun.of(model, folder)

    def stop(done: int, films: int) -> None:
        with pytest.raises(RunError, match="is already running"):
            other.work(classifier, folder)
        other.stop()

    assert run.work(classifier, folder, stop) is None
    assert run.status().state == "stopped" and run.found() is None
    assert run.work(classifier, folder) is not None


def test_a_process_of_its_own_makes_it(own_home: Path, tiny_folder: Path):
    run = EmbeddingRun.of(save_demo_model(own_home), NihFolder.open(tiny_folder))
    run.start()
    wait_for(lambda: run.status().state not in ("queued", "running"), 120)
    assert run.status().state == "finished", run.log_tail()
    found = run.found()
    assert found is not None and len(found.stems) == 24
