"""The first run that the Overview page offers."""

from pathlib import Path

from xlite.data.folder import PHANTOM_NOTE, PHANTOM_TITLE
from xlite.runs.first import first_config, is_next
from xlite.runs.run import Run


def test_it_is_the_next_step_on_drawn_films_as_long_as_there_is_no_run(tiny_folder: Path) -> None:
    assert not is_next(tiny_folder)  # real films take another time
    (tiny_folder / PHANTOM_NOTE).write_text(f"{PHANTOM_TITLE}\n")
    assert is_next(tiny_folder)
    run = Run.create(first_config(tiny_folder))
    assert not is_next(tiny_folder)
    assert (run.name, run.config().data, run.config().weights) == ("first-student", tiny_folder, "none")
