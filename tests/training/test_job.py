"""What a run needs is refused before films are decoded."""

import pytest
from tiny_runs import config

from xlite.errors import RunError
from xlite.runs.run import Run
from xlite.training.loop import train

pytestmark = pytest.mark.usefixtures("quick_report")


def test_a_list_of_what_no_teacher_has_seen_is_refused(films):
    run = Run.create(config(films, "list", teacher_list=str(films / "test_list.txt")))
    with pytest.raises(RunError, match="there is no --teacher"):
        train(run.config(), run)
