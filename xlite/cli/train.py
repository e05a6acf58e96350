"""`xlite train`: every field of TrainConfig is an option; defaults and help texts live in config.py."""

import functools
import inspect
import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from pydantic.fields import FieldInfo

from xlite.cli.console import Json, busy, log_to, print_json, repeatedly, say
from xlite.config import TrainConfig, make_config
from xlite.data.layout import data_roots, joined_data
from xlite.errors import RunError, Setting, XliteError, as_option
from xlite.extras import demand
from xlite.presets import PRESET, PRESETS, of_preset
from xlite.runs.command import absolute_paths
from xlite.runs.follower import follows, led_run, let_leader_end
from xlite.runs.run import Run
from xlite.runs.work_folder import LOG_FILE

log = logging.getLogger(__name__)

Preset = Annotated[
    str,
    typer.Option(
        metavar="|".join(PRESETS),
        help="Settings that go together, instead of the defaults: design has those of the design document, "
        "good those of the shipped model, quick takes about two minutes. Options beside it win",
    ),
]


def as_typed_today(words: Sequence[str]) -> list[str]:
    """A command line with `--augment` alone or `--no-augment`, a switch once, as it would be typed now."""
    today: list[str] = []
    for word, following in zip(words, [*words[1:], "-"], strict=False):
        if word == "--no-augment":
            today += ["--augment", "none"]
        elif word == "--augment" and following.startswith("-"):
            today += [word, "design"]
        else:
            today.append(word)
    return today


def with_config_options(command: Callable[..., Any], without: Sequence[str] = ()) -> Callable[..., Any]:
    """Gives a command an option for each field of TrainConfig but those it is `without`."""
    fields = {name: field for name, field in TrainConfig.model_fields.items() if name not in without}
    return with_options(command, fields)


def with_options(command: Callable[..., Any], fields: Mapping[str, FieldInfo]) -> Callable[..., Any]:
    """Gives a command an option for each field.

    The command's last parameter, `values`, gets those that were typed, by field name.
    """
    own = [p for name, p in inspect.signature(command).parameters.items() if name != "values"]
    options = [_option(name, field) for name, field in fields.items()]

    @functools.wraps(command)
    def with_values(**given: Any) -> Any:
        typed = {name: given.pop(name) for name in fields}
        if typed.get("data"):
            typed["data"] = joined_data(typed["data"])
        return command(
            **given, values={name: value for name, value in typed.items() if value not in (None, [])}
        )

    parameters = [*options, *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own)]
    with_values.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_values.__annotations__ = {p.name: p.annotation for p in parameters}
    return with_values


def _option(name: str, field: FieldInfo) -> inspect.Parameter:
    kind: Any = list[Path] if name == "data" else field.annotation
    choices = None
    if get_origin(kind) is Literal:
        kind, choices = str, "|".join(get_args(kind))
    option = as_option(name)
    default = "" if field.is_required() or field.default == "" else f"  [default: {_shown(name, field)}]"
    settings = typer.Option(
        f"{option}/--no{option[1:]}" if kind is bool else option,
        help=f"{field.description}{default}",
        metavar="PATH" if name == "data" else choices,
        show_default=False,
    )
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, settings]
    )


def _shown(name: str, field: FieldInfo) -> str:
    """A default as one would type it."""
    if isinstance(field.default, bool):
        return f"{'' if field.default else 'no-'}{name.replace('_', '-')}"
    return str(field.default)


def new_run(values: dict[str, object], preset: str) -> Run:
    """A new run from the options that were typed, which win over those of the preset."""
    return Run.create(_typed(values, preset))


def _typed(values: dict[str, object], preset: str) -> TrainConfig:
    """The settings that were typed, and those of the preset; refused before a run is made for them."""
    if "data" not in values:
        raise RunError("a run needs a data folder in the NIH layout, real or phantom: give ", Setting("data"))
    config = make_config({**of_preset(preset), **values})
    _check_data(config)  # a wrong folder
    return config


@with_config_options
def train(
    resume: Annotated[str, typer.Option(metavar="RUN", help="Go on with this run, exactly as it was")] = "",
    preset: Preset = "",
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Say what it would take, from a few real steps, and what matters; make no run"
        ),
    ] = False,
    as_json: Json = False,
    *,
    values: dict[str, object],
) -> None:
    """Train a student, or distil one.

    It is distilled if a --teacher is given. `xlite train --resume RUN` goes on with a run, exactly.
    """
    if as_json and not dry_run:
        raise RunError("--json is for --dry-run: a run writes its metrics into its folder")
    if dry_run and resume:
        raise RunError("--dry-run is for a new run, so it takes no --resume")
    if resume and (values or preset):
        given = [PRESET] * bool(preset) + list(map(Setting, values))
        taken = [word for one in given for word in (", ", one)][1:]
        raise RunError(f"--resume goes on with the settings of run {resume!r}, so it takes no ", *taken)
    demand("train")  # before a run is made that nothing here can train
    if follows():
        return _follow(resume or str(values.get("name", "")))
    if resume:
        return _train(Run.named(resume))
    if dry_run:
        return _foretell(_typed(values, preset), as_json)
    run = new_run(values, preset)
    try:
        _train(run)
    except XliteError:
        _drop_refused(run)
        raise


def _foretell(config: TrainConfig, as_json: bool) -> None:
    """Prints what a run of these settings would take, and what matters before it is started."""
    began = time.monotonic()
    with busy("Trying a few steps"):
        from xlite.training import concern_sentences, concerns
        from xlite.training.forecast import basis, forecast_facts
        from xlite.training.probe import measure

        config = absolute_paths(config)
        films = concerns.look_at_films(config.data, config.split, config.allow_leakage, config.skip_missing)
        found = concerns.of_settings(config, films, has_gpu=True)  # a processor's time is measured below
        if refused := [one for one in found if one.refuses]:
            raise RunError(*concern_sentences.concern_words(refused[0]))
        forecast = measure(config, began)
    found += concerns.of_forecast(config, forecast)
    sentences = [str(RunError(*concern_sentences.concern_words(one))) for one in found]
    if as_json:
        print_json({**forecast.model_dump(mode="json"), "seconds": forecast.seconds, "warnings": sentences})
        return
    for title, text in forecast_facts(forecast).items():
        say(f"{title:16}{text}")
    say(basis(forecast))
    for text in sentences:
        say(f"Warning: {text}")


def _train(run: Run) -> None:
    """Trains a run in this process, from wherever its folder stands."""
    run.refuse_federated()
    with run.hold(), log_to(file=run.path(LOG_FILE)):
        log.info(f"Run {run.name} in {run.folder}")
        config = run.config()
        if unknown := run.unknown_settings():
            names = ", ".join(map(repr, unknown))
            log.warning(
                f"Warning: its config.json has what is not a setting of this X-Lite: {names}; it is kept"
            )
        _check_data(config)
        from xlite.training.loop import train as train_run

        with _live_bar(run):
            result = train_run(config, run)
        if result.reason == "stopped":
            log.info(f"Go on with: xlite train --resume {run.name}")


def _drop_refused(run: Run) -> None:
    """Deletes a new run that was refused before its first step: whoever typed the command reads why."""
    from xlite.training.recorder import BROKEN_BATCH_FILE

    stepped = run.status().epoch > 0 or run.path(BROKEN_BATCH_FILE).exists()
    if run.failed_untrained() and not stepped:
        run.delete()


def _follow(name: str) -> None:
    """Trains along with the process that leads, and leaves all writing to it: nothing it logs is shown."""
    run = led_run(name)
    from xlite.training.loop import train as train_run

    try:
        train_run(run.config(), run)
    except XliteError:
        let_leader_end(run)
        raise
    except RuntimeError as error:  # what torch raises if the others have gone
        if run.status().state == "stopped":
            return  # as the leader says
        raise RunError(f"the process that leads run {run.name!r} has gone ({error})") from error


def _check_data(config: TrainConfig) -> None:
    """Raises DataError for a wrong folder, before seconds go into importing torch."""
    from xlite.data.tables import find_table

    for folder in data_roots(config.data):
        find_table(folder)


@contextmanager
def _live_bar(run: Run) -> Iterator[None]:
    """On a terminal, a bar of the run's steps, drawn from what any other process could read too."""
    if not sys.stderr.isatty():
        yield
        return
    from tqdm import tqdm

    shape = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} steps{postfix}"
    with tqdm(desc=run.name, bar_format=shape, leave=False, file=sys.stderr) as bar:

        def draw() -> None:
            status = run.status()
            bar.total = status.epochs * status.steps or None
            left = f", {tqdm.format_interval(status.eta_s)} left" if status.eta_s else ""
            bar.set_postfix_str(f"{status.message}{left}", refresh=False)
            bar.n = max(status.epoch - 1, 0) * status.steps + status.step
            bar.refresh()

        with repeatedly(draw):
            yield
