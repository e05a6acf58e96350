"""The first run that the Overview page offers."""

from pathlib import Path

import pytest
from command_line import wait_for

from xlite.config import SEED
from xlite.data.folder import PHANTOM_NOTE, PHANTOM_TITLE
from xlite.data.phantom import write_phantom
from xlite.data.small_phantom import IMAGES, PATIENTS, SIZE
from xlite.places import bundled
from xlite.runs.first_run import first_config, is_next, start_first
from xlite.runs.judged import read_judgement
from xlite.runs.run import LIVE, Run


def test_it_is_the_next_step_on_drawn_films_as_long_as_there_is_no_run(tiny_folder: Path) -> None:
    assert not is_next(tiny_folder)  # real films take another time
    (tiny_folder / PHANTOM_NOTE).write_text(f"{PHANTOM_TITLE}\n")
    assert is_next(tiny_folder)
    run = Run.create(first_config(tiny_folder))
    assert not is_next(tiny_folder)
    weights = bundled("checkpoints", "tiny", "model.safetensors")
    assert (run.name, run.config().data) == ("first-student", tiny_folder)
    assert Path(run.config().weights) == weights and weights.is_file()


@pytest.mark.release
@pytest.mark.slow
def test_on_the_films_that_the_button_draws_it_is_better_than_chance(own_home: Path) -> None:
    data = own_home / "data" / "phantom"
    write_phantom(data, IMAGES, PATIENTS, SIZE, SEED, processes=1)
    run = start_first(data)
    wait_for(lambda: run.status().state not in LIVE, seconds=1200)
    judged = read_judgement(run.evaluation("test") / "metrics.json")
    assert judged is not None and judged.auc.value is not None and judged.auc.value > 0.6
