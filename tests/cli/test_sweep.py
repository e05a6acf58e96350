"""`xlite sweep`."""

import pytest
from command_line import Command


@pytest.mark.parametrize("kind", ["phase1", "phase2", "phase3", "search"])
def test_a_sweep_has_the_options_of_a_run_but_its_name(xlite: Command, kind: str) -> None:
    options = {word.strip(",") for word in xlite("sweep", kind, "--help")[1].split() if word.startswith("--")}
    assert {"--study", "--data", "--batch-size"} <= options and "--name" not in options
