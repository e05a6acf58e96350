"""A run's settings as a command line, and made valid from any folder. Imports no torch."""

import os
from collections.abc import Sequence
from pathlib import Path

from xlite.config import TrainConfig
from xlite.data.layout import absolute_data
from xlite.errors import as_option
from xlite.models.available import teacher_parts


def train_command(config: TrainConfig) -> list[str]:
    """The command line that makes this config: every field that is not at its default."""
    return ["xlite", "train", *_words(config)]


def start_command(config: TrainConfig, sbatch_options: Sequence[str] | None) -> list[str]:
    """The command line that starts such a run: here if the options of sbatch are None, else by SLURM."""
    if sbatch_options is None:
        return train_command(config)
    submit = ["xlite", "jobs", "start", "--launcher", "slurm"]
    return [*submit, *(f"--sbatch-option={option}" for option in sbatch_options), *_words(config)]


def _words(config: TrainConfig) -> list[str]:
    words = []
    for name, field in TrainConfig.model_fields.items():
        value = getattr(config, name)
        if field.is_required() or value != field.default:
            words += option_words(name, value)
    return words


def option_words(name: str, value: object) -> list[str]:
    """A setting and its value as one types them."""
    option = as_option(name)
    if isinstance(value, bool):
        return [option if value else f"--no{option[1:]}"]
    return [option, str(value)]


def absolute_paths(config: TrainConfig) -> TrainConfig:
    """The same choices, valid from any folder: a resume may come from another one."""
    teachers, lists = (
        ",".join(_absolute_path(part) for part in teacher_parts(spec)) or spec
        for spec in (config.teacher, config.teacher_list)
    )
    return config.model_copy(
        update={
            "data": absolute_data(config.data),
            "weights": _absolute_path(config.weights),
            "doubts": _absolute_path(config.doubts),
            "teacher": teachers,
            "teacher_list": lists,
        }
    )


def _absolute_path(spec: str) -> str:
    path = Path(os.path.expanduser(spec))
    return str(path.absolute()) if spec and path.exists() else spec
