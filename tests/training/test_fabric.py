"""The devices and processes that a run asks for."""

import pytest
from tiny_runs import config

from xlite.errors import RunError
from xlite.runs.run import Run
from xlite.training.loop import train

pytestmark = pytest.mark.usefixtures("quick_report")


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(films, device):
    run = Run.create(config(films, "device", device=device))
    with pytest.raises(RunError, match=device):
        train(run.config(), run)
