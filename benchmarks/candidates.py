"""Trains the candidates for the shipped model, the likeliest first, until the time is up; a row each.

    python benchmarks/candidates.py --data DATA --weights WEIGHTS --phantoms PHANTOMS --out OUT --minutes 12
    python benchmarks/candidates.py --data DATA --weights WEIGHTS --out OUT --only base,no-average --epochs 6

Each candidate is a run of XLITE_HOME for each seed: what one call did not finish the next one goes on with,
exactly; a run of that name with other settings is an error. First comes a run on phantoms for each backbone,
from which the others start, if a folder of them is given; then single changes of one recipe, then teachers
that leave a fold out, then students of what these say. Everyone learns from --teacher too. OUT gets
candidates.csv with each candidate's mean and standard deviation, runs.csv, candidates.zip with what each run
predicted, and the model files of the best by validation films; test films choose nothing.
"""

import argparse
import threading
import time
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
from candidate_recipes import (
    BASE,
    FROM_OPTIONS,
    PHANTOMS,
    SINGLE,
    TAUGHT,
    candidates,
    only,
    start,
)

from xlite.cli.console import log_to
from xlite.config import TrainConfig, make_config
from xlite.data.eda.markdown import table
from xlite.data.predictions import PREDICTIONS_FILE
from xlite.errors import RunError, XliteError
from xlite.models.available import MODEL_FILE, teacher_parts
from xlite.places import checkpoints_dir
from xlite.runs.run import Run
from xlite.sweeps.outcome import left_by
from xlite.sweeps.status import Outcome
from xlite.text import spread

FILES = ("data", "weights", "teacher", "teacher_list")
MACHINE = {"device", "compile"}


def main() -> None:
    """Trains what is left of the list, prints a row for each finished candidate, and packs what they said."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="data folder in the NIH layout")
    parser.add_argument("--split", default="unseen")
    parser.add_argument(
        "--weights",
        type=Path,
        required=True,
        help="folder of BACKBONE_imagenet.safetensors; a backbone without one starts from random weights",
    )
    parser.add_argument("--phantoms", type=Path, help="data folder of phantoms, to be learned from first")
    parser.add_argument("--teacher", default="", help="as of `xlite train`, for all that learn from films")
    parser.add_argument("--teacher-list", default="")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=12.0, help="after which no more is trained")
    parser.add_argument("--only", default="", metavar="A,B", help="of the single changes and the students")
    parser.add_argument("--epochs", type=int, default=0, help="of each candidate, instead of its own")
    parser.add_argument("--seeds", type=int, default=1, help="with which each candidate is trained")
    parser.add_argument("--light-teachers", action="store_true", help="as large as the students: for a CPU")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--keep", type=int, default=2, help="model files of so many of the best")
    options = parser.parse_args()
    if unknown := sorted(only(options) - {*SINGLE, *TAUGHT}):
        parser.error(f"no candidate is called {', '.join(unknown)}; they are {', '.join([*SINGLE, *TAUGHT])}")
    if not options.weights.is_dir():
        parser.error(f"there is no folder {options.weights}; give one of ImageNet weights, or an empty one")
    options.out.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + 60 * options.minutes
    common = {name: getattr(options, name) for name in ("data", "split", *FROM_OPTIONS)}
    runs = []
    for name, changes in candidates(options):
        given = {**BASE, **common, **changes, "name": name}
        given["weights"] = start(given, options)
        try:
            runs.append(trained(make_config(given), deadline))
        except XliteError as error:
            parser.error(str(error))
    pack(finished(runs), options.out, options.keep)


def trained(config: TrainConfig, deadline: float) -> Run:
    """Trains one candidate, or goes on with it; it is asked to stop when the time is up.

    Raises RunError if a run of its name has other settings.
    """
    from xlite.training.loop import train

    run = Run(checkpoints_dir() / config.name)
    there = run.path(Run.settings_file).exists()
    if there:
        check_same(config, run.config())
    left = deadline - time.monotonic()
    if left < 0 or (there and run.status().state == "finished"):
        return run
    run = run if there else Run.create(config)
    timer = threading.Timer(max(1.0, left), lambda: stopped(run))
    timer.daemon = True
    began = time.monotonic()
    try:
        with run.hold(), log_to(file=run.path("log.txt")):
            timer.start()
            train(run.config(), run)
    except XliteError as error:
        print(f"{run.name} failed: {error}", flush=True)
    finally:
        timer.cancel()
    state = run.status()
    took = time.monotonic() - began
    print(f"{run.name}: {state.state}, {took:.0f} s, best AUC {state.best_auc}", flush=True)
    return run


def check_same(wanted: TrainConfig, there: TrainConfig) -> None:
    """RunError if two configurations differ by more than the machine and where files lie."""
    new, old = recipe(wanted), recipe(there)
    differ = [
        f"{name} {old[name] or 'none'}, not {new[name] or 'none'}" for name in new if new[name] != old[name]
    ]
    if differ:
        raise RunError(
            f"the run {wanted.name} has other settings ({'; '.join(differ)}): delete it, or set another "
            "XLITE_HOME"
        )


def recipe(config: TrainConfig) -> dict[str, object]:
    """What a run is of: its settings, without the machine, and of files their names alone."""
    files = {
        name: ",".join(Path(part).name for part in teacher_parts(str(getattr(config, name))))
        for name in FILES
    }
    return {**config.model_dump(exclude=MACHINE), **files}


def in_words(row: Any) -> list[str]:
    """A candidate's row: mean and standard deviation over its seeds, or over the folds left out."""
    val, test = (
        spread(mean, deviation if row.runs > 1 else None)
        for mean, deviation in ((row.val_auc, row.val_sd), (row.test_auc, row.test_sd))
    )
    return [row.Index, str(row.runs), val, test]


def stopped(run: Run) -> None:
    """Asks a run to stop, unless it has ended by itself."""
    with suppress(RunError):
        run.stop()


def finished(runs: Sequence[Run]) -> dict[Run, Outcome]:
    """Those on films that have finished, with what they left, the best by validation first."""
    on_films = [run for run in runs if run.folder.exists() and not run.name.startswith(f"{PHANTOMS}-")]
    left = {run: left_by(run) for run in on_films if run.status().state == "finished"}
    return dict(sorted(left.items(), key=lambda one: -(one[1].val_auc or 0.0)))


def pack(runs: Mapping[Run, Outcome], out: Path, keep: int) -> None:
    """Tables of runs and candidates, what they said, and the models of the best that left no fold out."""
    rows = [
        (run.name.rpartition("-")[0], run.name, left.val_auc, left.test_auc, left.epochs)
        for run, left in runs.items()
    ]
    each = pd.DataFrame(rows, columns=["candidate", "run", "val_auc", "test_auc", "epochs"])
    each.to_csv(out / "runs.csv", index=False)
    found = each.groupby("candidate", sort=False).agg(
        runs=("run", "size"),
        val_auc=("val_auc", "mean"),
        val_sd=("val_auc", "std"),
        test_auc=("test_auc", "mean"),
        test_sd=("test_auc", "std"),
    )
    found.to_csv(out / "candidates.csv")
    print(table(["candidate", "runs", "val", "test"], map(in_words, found.itertuples())))
    with zipfile.ZipFile(out / "candidates.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for run in runs:
            said = [run.evaluation(part) / PREDICTIONS_FILE for part in ("val", "test")]
            for path in (run.path("config.json"), run.path("metrics.csv"), *said):
                if path.exists():
                    packed.write(path, path.relative_to(checkpoints_dir()))
    best = [run for run in runs if not run.config().fold][:keep]
    for place, run in enumerate(best, 1):
        (out / f"{place}-{run.name}.safetensors").write_bytes(run.path(MODEL_FILE).read_bytes())


if __name__ == "__main__":
    main()
