"""What a study may vary, and over which values a form offers it first. No torch."""

from xlite.config import TrainConfig, Value, choices_of, limits_of
from xlite.sweeps.plan import Range

_STAY = (
    *("data", "name", "split", "allow_leakage", "skip_missing", "fold", "seed", "teacher_list"),
    *("device", "devices", "nodes", "workers", "tensorboard", "auto_batch", "compile"),
)
"""Of the films, of the run or of the machine: nothing to search for."""

_USUAL = {
    "lr": Range(low=1e-4, high=1e-2, log=True),
    "weight_decay": Range(low=1e-5, high=1e-1, log=True),
    "temperature": Range(low=1.0, high=8.0),
    "alpha": Range(low=0.5, high=1.0),
    "dropout": Range(low=0.0, high=0.6),
    "ema": Range(low=0.9, high=0.999),
    "image_size": Range(low=128, high=320),
    "batch_size": Range(low=16, high=128, log=True),
    "epochs": Range(low=5, high=30),
}
"""Where others have found good values; the design document has temperatures of 2-8 and alphas of .5-.9."""


def can_vary() -> list[str]:
    """The settings that a search may vary."""
    return [name for name in TrainConfig.model_fields if name not in _STAY]


def is_number(name: str) -> bool:
    """Whether a setting is a number, and so may run over a range."""
    return TrainConfig.model_fields[name].annotation in (int, float)


def is_switch(name: str) -> bool:
    """Whether a setting is on or off."""
    return TrainConfig.model_fields[name].annotation is bool


def usual_range(name: str) -> Range:
    """The range that a form offers for a number: within its limits, a tenth to ten times its default."""
    if name in _USUAL:
        return _USUAL[name]
    default, limits = TrainConfig.model_fields[name].default, limits_of(name)
    lowest, highest = limits.get("ge", 0), limits.get("le", default * 10 or 1)
    low, high = max(lowest, default / 10), min(highest, default * 10 or 1)
    if isinstance(default, int):
        return Range(low=round(low), high=max(round(high), round(low) + 1), log=low >= 1)
    return Range(low=float(low), high=float(high), log=low > 0)


def usual_values(name: str) -> list[Value]:
    """The values that a form offers for a setting: all of a choice, of a number its default and the ends of
    its range.
    """
    default = TrainConfig.model_fields[name].default
    if is_switch(name):
        return [True, False]
    if choices := choices_of(name):
        return list(choices)
    if is_number(name):
        ends = usual_range(name)
        return sorted({ends.low, default, ends.high})
    return [default]
