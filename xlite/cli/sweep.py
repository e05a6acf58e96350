"""`xlite sweep`: studies of many runs, from a terminal."""

import functools
import sys
from pathlib import Path
from typing import Annotated

import typer

from xlite.cli.console import Json, ask_twice, busy, log_to, print_json, print_table, say
from xlite.cli.train import with_config_options
from xlite.config import MOST_FOLDS
from xlite.errors import RunError
from xlite.extras import demand
from xlite.runs.status import with_state
from xlite.runs.work_folder import LOG_FILE
from xlite.sweeps.check import check_sources
from xlite.sweeps.crossfit import FOLDS
from xlite.sweeps.kinds import KINDS, plan_of
from xlite.sweeps.leaderboard import Leaderboard
from xlite.sweeps.leaderboard_sentences import board_as_json, caption, verdict, warnings
from xlite.sweeps.leaderboard_table import leaderboard_rows
from xlite.sweeps.phases import BACKBONES, Phase
from xlite.sweeps.plan import Design, Plan, parse_vary, read_space, without_password
from xlite.sweeps.status import SweepStatus, TrialStatus
from xlite.sweeps.sweep import Sweep
from xlite.sweeps.trials_table import trial_rows
from xlite.text import counted, number

app = typer.Typer(help="Studies of many runs: the three phases, or any search.", rich_markup_mode=None)
# A study names its runs itself.
with_run_options = functools.partial(with_config_options, without=["name"])
with_crossfit_options = functools.partial(with_config_options, without=["name", "fold"])

StudyName = Annotated[str, typer.Argument(metavar="STUDY", help="Name of the study")]
Study = Annotated[
    str, typer.Option(metavar="NAME", help="Name of the study; called again with it, the study goes on")
]
Seeds = Annotated[int, typer.Option(min=1, help="Seeds a configuration is trained with")]
Backbones = Annotated[
    str,
    typer.Option(metavar="A,B", help=f"Backbones to try; without it {','.join(BACKBONES)}"),
]
After = Annotated[
    str, typer.Option(metavar="STUDY", help="The study it follows; without it the phase before")
]
Storage = Annotated[
    str, typer.Option(metavar="URL", help="Optuna storage that several machines share; SQLite without it")
]


@app.command(help=KINDS["phase1"].help)
@with_run_options
def phase1(
    study: Study = "phase1",
    seeds: Seeds = KINDS["phase1"].seeds,
    backbones: Backbones = "",
    storage: Storage = "",
    *,
    values: dict[str, object],
) -> None:
    """Students alone."""
    _phase("phase1", values, Design(study, seeds, storage=storage), backbones)


@app.command(help=KINDS["phase2"].help)
@with_run_options
def phase2(
    study: Study = "phase2",
    seeds: Seeds = KINDS["phase2"].seeds,
    backbones: Backbones = "",
    after: After = "",
    storage: Storage = "",
    *,
    values: dict[str, object],
) -> None:
    """Distillation."""
    _phase("phase2", values, Design(study, seeds, storage=storage, after=after), backbones)


@app.command(help=KINDS["phase3"].help)
@with_run_options
def phase3(
    study: Study = "phase3",
    seeds: Seeds = KINDS["phase3"].seeds,
    after: After = "",
    storage: Storage = "",
    *,
    values: dict[str, object],
) -> None:
    """The winner, on all of train."""
    _phase("phase3", values, Design(study, seeds, storage=storage, after=after))


@app.command(help=KINDS["search"].help)
@with_run_options
def search(
    study: Study = "search",
    vary: Annotated[
        list[str] | None,
        typer.Option(metavar="SETTING=…", help="What varies: backbone=a,b or lr=1e-4..1e-2:log; repeat it"),
    ] = None,
    space: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="What varies, as JSON instead")
    ] = None,
    trials: Annotated[
        int, typer.Option(min=0, help="Configurations that TPE picks; without it a grid of all of them")
    ] = 0,
    seeds: Seeds = KINDS["search"].seeds,
    prune: Annotated[
        bool,
        typer.Option("--prune/--no-prune", help="End trials early that are worse than most at their epoch"),
    ] = True,
    storage: Storage = "",
    *,
    values: dict[str, object],
) -> None:
    """Any search over settings of a run."""
    varying = {**(read_space(space) if space else {}), **dict(map(parse_vary, vary or []))}
    design = Design(study, seeds, trials, prune, storage)
    _work(plan_of("search", values, design, varying=varying))


@app.command(help=KINDS["crossfit"].help)
@with_crossfit_options
def crossfit(
    study: Study = "crossfit",
    folds: Annotated[int, typer.Option(min=2, max=MOST_FOLDS, help="Folds of the train part")] = FOLDS,
    seeds: Seeds = KINDS["crossfit"].seeds,
    storage: Storage = "",
    *,
    values: dict[str, object],
) -> None:
    """A teacher of models that each leave a fold out."""
    _work(plan_of("crossfit", values, Design(study, seeds, storage=storage), folds=folds))


@app.command()
def resume(study: StudyName) -> None:
    """Go on with a study that was stopped, failed or killed."""
    demand("train")
    _go_on(Sweep.named(study))


@app.command()
def stop(study: StudyName) -> None:
    """Ask a study to end.

    Its run gives up the epoch it is in, and all of it can go on.
    """
    Sweep.named(study).stop()
    say(f"Study {study} ends after the current step of its run.")


@app.command()
def delete(
    study: StudyName,
    runs: Annotated[bool, typer.Option("--runs", help="Delete its runs with their models too")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking")] = False,
) -> None:
    """Delete a study: its plan, trials and leaderboard.

    Nobody may be working on it. Asks twice. Its runs stay unless --runs is given, and so do their rows in
    results.csv and what a shared storage holds.
    """
    sweep = Sweep.named(study)
    doomed = sweep.runs() if runs else []
    with_runs = counted(len(doomed), "run")
    if not yes:
        ask_twice("study", study, f"with {with_runs} and their models" if runs else "but not its runs")
    sweep.delete(doomed)
    say(f"Study {study} is deleted{f' with {with_runs}' if runs else ', and its runs are kept'}.")


@app.command("list")
def list_studies(as_json: Json = False) -> None:
    """All studies, the one begun last first."""
    found = []
    for sweep in Sweep.list():
        try:
            sweep.plan()
            found.append((sweep, sweep.status()))
        except RunError as error:
            say(f"Warning: {error}", file=sys.stderr)
    if as_json:
        print_json([_as_dict(sweep, status) for sweep, status in found])
    elif found:
        print_table(
            ["study", "kind", "state", "finished", "of"],
            [
                [sweep.name, sweep.plan().kind, now.state, now.count("finished"), now.total]
                for sweep, now in found
            ],
        )
        for sweep, now in found:
            if now.state == "failed" and now.message:
                say(f"{sweep.name} failed: {now.message}")
    else:
        say("No studies yet; `xlite sweep phase1 --data DATA` begins one.")


@app.command()
def status(study: StudyName, as_json: Json = False) -> None:
    """What a study does now, trial by trial."""
    sweep = Sweep.named(study)
    now = sweep.status()
    if as_json:
        print_json(_as_dict(sweep, now))
        return
    say(f"{study} {with_state(now)}")
    if now.trials:
        print_table(
            ["run", "state", "validation AUC", "configuration"],
            [
                [row["Run"], row["State"], _auc(row["Validation AUC"]), row["Configuration"]]
                for row in trial_rows(now.trials, apart=False)
            ],
        )


@app.command()
def leaderboard(study: StudyName, as_json: Json = False) -> None:
    """A study's configurations and the winner.

    By validation AUC.
    """
    found = Sweep.named(study).leaderboard()
    if found is None:
        raise RunError(f"no trial of study {study!r} has finished yet")
    if as_json:
        print_json(board_as_json(found))
    else:
        _print_leaderboard(found)


def _auc(value: object) -> str:
    return number(value if isinstance(value, float) else None, "-", 4)


def _phase(phase: Phase, values: dict[str, object], design: Design, backbones: str = "") -> None:
    names = [name.strip() for name in backbones.split(",") if name.strip()]
    _work(plan_of(phase, values, design, backbones=names))


def _work(plan: Plan) -> None:
    """Begins or goes on with a study, in the foreground."""
    demand("train")
    with busy("Looking for what the study names"):
        check_sources(plan)  # before it is made for a wrong folder or backbone
    _go_on(Sweep.open(plan))


def _go_on(sweep: Sweep) -> None:
    from xlite.sweeps.work import work_on

    with log_to(file=sweep.path(LOG_FILE)):
        found = work_on(sweep)
    if found is None:
        say(f"Go on with: xlite sweep resume {sweep.name}")
    else:
        _print_leaderboard(found)


def _print_leaderboard(found: Leaderboard) -> None:
    rows = leaderboard_rows(found, digits=4)
    print_table(["", *rows[0]], [[place, *row.values()] for place, row in enumerate(rows, 1)])
    say(caption(found))
    if said := verdict(found):
        say(said)
    for text in warnings(found):
        say(f"Warning: {text}")


def _as_dict(sweep: Sweep, status: SweepStatus) -> dict[str, object]:
    storage = without_password(sweep.storage())
    return {
        "study": sweep.name,
        "kind": sweep.plan().kind,
        "storage": storage,
        **status.model_dump(mode="json"),
        "trials": [_trial_as_dict(trial) for trial in status.trials],
    }


def _trial_as_dict(trial: TrialStatus) -> dict[str, object]:
    """A trial as JSON, what its teacher knows in words."""
    from xlite.report.caveat_sentences import sentence

    knows = trial.contamination
    return trial.model_dump(mode="json") | {"contamination": sentence(knows) if knows else None}
