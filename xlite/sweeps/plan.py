"""What a study tries: settings that are fixed, settings that vary, and which of their combinations."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeGuard

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from xlite.config import SEED, TrainConfig, Value, make_config
from xlite.errors import RunError, Setting
from xlite.files import read_file
from xlite.places import check_run_name
from xlite.runs.command import absolute_paths, option_words

Kind = Literal["phase1", "phase2", "phase3", "search", "crossfit"]
_LONGEST_NAME = 70  # a run's name is this and its number


class Range(BaseModel):
    """Numbers from `low` to `high`, both among them; on a logarithmic scale if `log` is set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: int | float
    high: int | float
    log: bool = False

    def __str__(self) -> str:
        return f"{self.low}..{self.high}{':log' if self.log else ''}"


class Plan(BaseModel):
    """All choices of one study. `trials` is how many configurations Optuna's TPE picks; 0 tries them all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    study: str
    kind: Kind
    fixed: dict[str, Value]
    vary: dict[str, list[Value] | Range]
    trials: int = 0
    prune: bool = False
    storage: str = ""
    after: str = ""

    def config(self, values: Mapping[str, Value], name: str = "") -> TrainConfig:
        """The settings of one trial: the fixed ones with `values` for those that vary."""
        return make_config({**self.fixed, **values, "name": name})

    def combinations(self) -> list[dict[str, Value]]:
        """Every combination of the varying settings, all of them with one seed before the next seed."""
        lists = {name: values for name, values in self.vary.items() if isinstance(values, list)}
        names = sorted(lists, key=lambda name: name != "seed")
        tried = itertools.product(*(lists[name] for name in names))
        return [{name: values[names.index(name)] for name in lists} for values in tried]

    def seeds(self) -> int:
        """With how many seeds each configuration is trained."""
        seeds = self.vary.get("seed", [0])
        return len(seeds) if isinstance(seeds, list) else 1

    def total(self) -> int:
        """How many trials the study has."""
        return self.trials or len(self.combinations())

    def command(self) -> list[str]:
        """The command line that makes this study."""
        words = ["xlite", "sweep", self.kind, "--study", self.study]
        words += ["--after", self.after] if self.after else []
        for name, value in self.fixed.items():
            words += option_words(name, value)
        if not self.trials:
            seeds = self.vary["seed"]
            if isinstance(seeds, list) and seeds[0] != SEED:
                words += ["--seed", str(seeds[0])]
            words += ["--seeds", str(self.seeds())]
        if self.kind == "search":
            for name, choices in self.vary.items():
                if self.trials or name != "seed":
                    words += ["--vary", f"{name.replace('_', '-')}={_as_typed(choices)}"]
            words += ["--trials", str(self.trials)] if self.trials else []
            words += [] if self.prune == _prunes(self.trials, self.seeds()) else ["--no-prune"]
        elif self.kind == "crossfit":
            words += ["--folds", str(len(self.combinations()) // self.seeds())]
        elif isinstance(self.vary.get("backbone"), list):
            words += ["--backbones", _as_typed(self.vary["backbone"])]
        return words + (["--storage", without_password(self.storage)] if self.storage else [])


@dataclass(frozen=True)
class Design:
    """How a study goes about its search.

    study: its name; seeds: how many a configuration is trained with; trials: how many configurations TPE
    picks, 0 for all of them; prune: whether hopeless trials end early; storage: the URL of one that machines
    share, else SQLite; after: the study that it follows.
    """

    study: str = ""
    seeds: int = 1
    trials: int = 0
    prune: bool = False
    storage: str = ""
    after: str = ""


def make_plan(kind: Kind, fixed: Mapping[str, object], vary: Mapping[str, object], design: Design) -> Plan:
    """A plan whose every trial has settings that a run accepts; RunError with one sentence otherwise.

    vary: {setting: list of values, or Range}; what is fixed does not vary. Paths become absolute. If all
    combinations are tried, each is trained with the seeds of the design, counted up from the fixed one.
    """
    seeds, trials = design.seeds, design.trials
    if len(check_run_name(design.study)) > _LONGEST_NAME:
        raise RunError(
            f"{design.study!r} is too long for a study's name: use up to {_LONGEST_NAME} characters"
        )
    if "data" not in fixed:
        raise RunError(
            "a study needs a data folder in the NIH layout, real or phantom: give ", Setting("data")
        )
    if seeds < 1 or trials < 0 or (trials and seeds > 1):
        raise RunError(
            f"{seeds} seeds with {trials} trials is not a study: a search by TPE tries each configuration "
            "with one seed, a grid with one or more"
        )
    settled = {name: _typed(name, value) for name, value in fixed.items()}
    possible = {name: _choices(name, choices) for name, choices in vary.items()}
    varying = {name: choices for name, choices in possible.items() if name not in settled}
    if not trials:
        if "seed" in varying:
            raise RunError(
                "the seeds of a grid are counted, not varied: give how many, and ",
                Setting("seed"),
                " for the first",
            )
        first = int(settled.pop("seed", SEED))
        varying = {**varying, "seed": [first + number for number in range(seeds)]}
    plan = Plan(
        study=design.study,
        kind=kind,
        fixed=settled,
        vary=varying,
        trials=trials,
        prune=design.prune and _prunes(trials, seeds),
        storage=design.storage,
        after=design.after,
    )
    _check(plan)
    return plan


def _prunes(trials: int, seeds: int) -> bool:
    """Whether hopeless trials may end early: of several seeds the lucky ones alone would be left to count."""
    return bool(trials) or seeds == 1


def _check(plan: Plan) -> None:
    """Raises RunError if a grid has no end, or a search nothing to pick."""
    ranges = {name: choices for name, choices in plan.vary.items() if isinstance(choices, Range)}
    if ranges and not plan.trials:
        name, choices = next(iter(ranges.items()))
        raise RunError(
            Setting(name),
            f" runs over {choices}, which cannot all be tried: give some values, as in "
            f"{name}={choices.low},{choices.high}, or a number of trials, which TPE picks",
        )
    if plan.trials and not plan.vary:
        raise RunError("a search needs something to vary, such as lr=1e-4..1e-2:log or attention=none,mhsa")


def _typed(name: str, value: object) -> Value:
    """A setting's value as a run would have it and JSON knows it; RunError if it is none."""
    if name == "name":
        raise RunError("a study names its runs itself, after its own name, so it takes no ", Setting("name"))
    config = absolute_paths(make_config({"data": ".", name: value}))
    typed: Value | Path = getattr(config, name)
    return str(typed) if isinstance(typed, Path) else typed


def _choices(name: str, choices: object) -> list[Value] | Range:
    """The values of a varying setting, each as a run would have it."""
    if name in ("data", "split"):
        raise RunError(Setting(name), " cannot vary: metrics on different films cannot be ranked")
    if isinstance(choices, Range):
        low, high = _typed(name, choices.low), _typed(name, choices.high)
        if not _is_number(low) or not _is_number(high) or low >= high or (choices.log and low <= 0):
            what = f" cannot run over {choices}: expected two numbers, the lower one first"
            raise RunError(Setting(name), what)
        return Range(low=low, high=high, log=choices.log)
    if isinstance(choices, str) or not isinstance(choices, Sequence) or not choices:
        raise RunError(Setting(name), f" varies over {choices!r}: expected a list of values, or low and high")
    return list(dict.fromkeys(_typed(name, value) for value in choices))


def _is_number(value: Value) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def without_password(url: str) -> str:
    """A storage's URL as it may be shown."""
    return re.sub(r"(//[^:/@]*):[^@]*@", r"\1:***@", url)


def parse_vary(text: str) -> tuple[str, list[str] | Range]:
    """`backbone=a,b` or `lr=1e-4..1e-2:log` as (setting, values or Range); RunError if it is neither."""
    name, equals, choices = text.partition("=")
    if not equals or not choices:
        raise RunError(
            f"{text!r} varies no setting: expected SETTING=A,B,C or SETTING=LOW..HIGH or "
            "SETTING=LOW..HIGH:log"
        )
    name = name.strip().replace("-", "_")
    ends, _, scale = choices.partition(":")
    low, dots, high = ends.partition("..")
    if not dots:
        return name, [value.strip() for value in choices.split(",")]
    try:
        return name, _range({"low": _number(low), "high": _number(high), "log": scale == "log"})
    except ValueError as error:
        raise RunError(f"{text!r} varies no setting: {low!r} and {high!r} are not two numbers") from error


def read_space(path: Path) -> dict[str, list[Any] | Range]:
    """What varies, from JSON: {"backbone": ["a", "b"], "lr": {"low": 1e-4, "high": 1e-2, "log": true}}."""
    try:
        space = from_json(read_file(path))
        if not isinstance(space, dict):
            raise ValueError("it is not an object of settings")
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read as a search space: {error}") from error
    return {name: _range(value) if isinstance(value, dict) else value for name, value in space.items()}


def _range(values: dict[str, Any]) -> Range:
    try:
        return Range.model_validate(values)
    except ValidationError as error:
        raise RunError(f"{values} is not a range: expected low, high and, if it is, log") from error


def _number(text: str) -> int | float:
    return int(text) if text.strip().lstrip("-").isdigit() else float(text)


def _as_typed(choices: list[Value] | Range) -> str:
    return str(choices) if isinstance(choices, Range) else ",".join(map(str, choices))
