"""A run as a command line."""

from xlite.config import make_config
from xlite.runs.command import start_command, train_command


def test_command_names_what_is_not_at_its_default() -> None:
    config = make_config(
        {"data": "my films", "name": "r", "flip": False, "skip_missing": True, "lr": 2e-4, "workers": 0}
    )
    words = "--data|my films|--name|r|--skip-missing|--no-flip|--lr|0.0002"
    assert train_command(config) == ["xlite", "train", *words.split("|")]


def test_the_command_that_starts_a_run_here_or_by_slurm() -> None:
    config = make_config({"data": "films", "epochs": 3})
    words = ["--data", "films", "--epochs", "3"]
    assert start_command(config, None) == train_command(config) == ["xlite", "train", *words]
    submit = ["xlite", "jobs", "start", "--launcher", "slurm"]
    assert start_command(config, ()) == [*submit, *words]
    assert start_command(config, ["--time=5"]) == [*submit, "--sbatch-option=--time=5", *words]
