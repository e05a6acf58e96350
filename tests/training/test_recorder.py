"""A run goes on only with what it began with."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from tiny_runs import config, run_to_end, state, stop_after_first_epoch

from xlite.data.folder import NihFolder
from xlite.data.split_files import load_split, write_split
from xlite.data.splits import make_split
from xlite.errors import RunError
from xlite.runs.run import Run
from xlite.training.loop import train
from xlite.training.state import write_state

pytestmark = pytest.mark.usefixtures("quick_report")


@pytest.mark.slow
def test_a_run_whose_split_changed_does_not_go_on(films):
    """The new split would train on films that the run had kept apart, and no report could tell."""
    run = Run.create(config(films, "moved"))
    stop_after_first_epoch(run)
    folder = NihFolder.open(films)
    write_split(folder, make_split(folder, "patient", seed=7))
    with pytest.raises(RunError, match="the split of run 'moved' has changed since it began"):
        train(run.config(), run)


@pytest.mark.slow
def test_a_run_goes_on_with_its_own_settings_and_its_own_state_alone(films):
    """One digit of config.json, or the last.ckpt of another run: it would go on as neither of the two."""
    one, other = Run.create(config(films, "one")), Run.create(config(films, "other", seed=6))
    stop_after_first_epoch(one)
    own = one.path("config.json").read_text()
    one.path("config.json").write_text(own.replace('"lr": 0.001', '"lr": 0.5'))
    with pytest.raises(RunError, match="setting lr of run 'one' has changed .*'0.001' then, '0.5' now"):
        train(one.config(), one)
    one.path("config.json").write_text(own.replace('"epochs": 3', '"epochs": 1'))
    assert train(one.config(), one).epochs == 1
    shutil.copy(one.path("last.ckpt"), other.path("last.ckpt"))
    with pytest.raises(RunError, match="setting seed of run 'other' has changed .*'5' then, '6' now"):
        train(other.config(), other)


@pytest.mark.slow
def test_a_run_of_when_augmentation_was_a_switch_goes_on(films):
    run = Run.create(config(films, "old", epochs=2))
    stop_after_first_epoch(run)
    settings, path = run.path("config.json").read_text(), run.path("last.ckpt")
    content = state(run)
    then = {name: value for name, value in content["learns_from"].items() if name != "setting mixup"}
    write_state(path, content | {"learns_from": then | {"setting augment": "True"}})
    run.path("config.json").write_text(settings.replace('"augment": "design"', '"augment": false'))
    with pytest.raises(RunError, match="augment of run 'old' has changed .*'design' then, 'none' now"):
        train(run.config(), run)
    run.path("config.json").write_text(settings.replace('"augment": "design"', '"augment": true'))
    assert train(run.config(), run).epochs == 2


@pytest.mark.slow
def test_a_run_whose_teacher_changed_does_not_go_on(films):
    run_to_end(config(films, "teacher", epochs=1))
    run = Run.create(config(films, "pupil", teacher="teacher"))
    stop_after_first_epoch(run)
    shutil.rmtree(Run.named("teacher").folder)
    run_to_end(config(films, "teacher", epochs=1, seed=9))
    with pytest.raises(RunError, match="the teacher of run 'pupil' has changed"):
        train(run.config(), run)


def film(folder: Path, part: str, at: int = 0) -> Path:
    """A film of a part of the folder's split by patient."""
    return folder / "images" / load_split(NihFolder.open(folder), "patient").parts[part][at]


@pytest.mark.slow
def test_a_run_whose_films_were_replaced_does_not_go_on(films):
    """Names, table and split are the same, and nothing else would tell. Films put back are the same films, be
    their dates others, and the cache deleted.
    """
    run = Run.create(config(films, "replaced"))
    stop_after_first_epoch(run)
    for part in ("train", "val"):
        replaced = film(films, part, 3)
        before = replaced.read_bytes()
        cv2.imwrite(str(replaced), 255 - cv2.imread(str(replaced), cv2.IMREAD_GRAYSCALE))
        with pytest.raises(RunError, match="the content of the films of run 'replaced' has changed since it"):
            train(run.config(), run)
        replaced.write_bytes(before)
    shutil.rmtree(films / "cache")
    assert train(run.config(), run).reason == "finished"


@pytest.mark.slow
def test_films_without_contrast_are_counted_with_one_warning(films, caplog):
    """Also by a second run, which finds them in the cache."""
    for part in ("train", "val", "test"):
        cv2.imwrite(str(film(films, part)), np.full((64, 64), 70, np.uint8))
    for name in ("first", "second"):
        caplog.clear()
        run_to_end(config(films, name, epochs=1))
        [line] = [line.message for line in caplog.records if line.levelname == "WARNING"]
        assert line == (
            "Warning: 2 of 68 films to train and validate on have no contrast (blank, black or white); "
            "`xlite data check` lists them"
        )
