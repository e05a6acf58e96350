"""Trains the candidates for the shipped model, the likeliest first, until the time is up; a row for each.

    python benchmarks/candidates.py --data DATA --weights WEIGHTS --phantoms PHANTOMS --out OUT --minutes 12
    python benchmarks/candidates.py --data DATA --weights WEIGHTS --out OUT --only base,no-average --epochs 6

Each candidate is a run of XLITE_HOME: what one call did not finish the next one goes on with, exactly. First
comes a run on phantoms for each backbone, from which the others start, if a folder of them is given; then
single changes of one recipe, then teachers that leave a fold out, then students of what these say. WEIGHTS
has BACKBONE_imagenet.safetensors; a backbone without that file starts from nothing. Everyone learns from
--teacher too. OUT gets candidates.csv, candidates.zip with what each run predicted, and the model files of
the best by validation films; test films choose nothing.
"""

import argparse
import csv
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from xlite.cli.console import log_to
from xlite.config import make_config
from xlite.data.folder import NihFolder
from xlite.data.predictions import PREDICTIONS_FILE
from xlite.data.split_files import load_split
from xlite.errors import RunError, XliteError
from xlite.models.available import MODEL_FILE
from xlite.places import checkpoints_dir
from xlite.runs.run import Run
from xlite.sweeps.crossfit import FOLDS
from xlite.sweeps.leaderboard_sentences import joined_sentence
from xlite.sweeps.left_out import join_folds
from xlite.sweeps.outcome import left_by
from xlite.sweeps.status import Outcome

LITE0, LITE2 = "tf_efficientnet_lite0", "tf_efficientnet_lite2"
BASE: dict[str, Any] = {
    "backbone": LITE0, "image_size": 224, "hidden": 0, "augment": "light", "flip": False, "batch_size": 32,
    "epochs": 12, "lr": 1e-3, "ema": 0.99, "patience": 100,
}  # fmt: skip
BLENDED: dict[str, Any] = {"mixup": 0.4, "augment": "design", "dropout": 0.5}
PHANTOMS = "phantoms"
FROM_OPTIONS = ("teacher", "teacher_list", "device", "compile")
START: dict[str, Any] = {
    "weights": "imagenet", "epochs": 8, "ema": 0.999, "batch_size": 128,
    "split": "patient", "teacher": "", "teacher_list": "",
}  # fmt: skip
"""What changes on phantoms, where there are many films, and none that a teacher speaks of."""
SINGLE: dict[str, dict[str, Any]] = {
    "base": {},
    "no-phantoms": {"weights": "imagenet"},
    "labels-alone": {"teacher": "", "teacher_list": ""},
    "design": {"hidden": 256, "augment": "design", "flip": True, "ema": 0.0},
    "no-average": {"ema": 0.0},
    "gentle": {"backbone_lr": 0.3},
    "hidden-256": {"hidden": 256},
    "design-augment": {"augment": "design"},
    "flips": {"flip": True},
    "layer-decay": {"layer_decay": 0.85},
    "mixup": {"mixup": 0.4},
    "blended": BLENDED,
    "auxiliary": {"auxiliary": 0.3},
    "longer": {"epochs": 25},
    "288px": {"image_size": 288},
    "lite2-288px": {"backbone": LITE2, "image_size": 288},
    "320px": {"image_size": 320},
}
TEACHERS: dict[str, dict[str, Any]] = {"plain": {"weights": "imagenet"}, "blended": BLENDED}
"""One of each for each fold: they start and learn differently, so that they err differently."""
HEAVY: dict[str, Any] = {"backbone": LITE2, "image_size": 288}
SOFT: dict[str, Any] = {"alpha": 0.7, "temperature": 1.0}
TAUGHT: dict[str, dict[str, Any]] = {
    "taught": SOFT,
    "taught-blended": {**SOFT, **BLENDED},
    "taught-288px": {**SOFT, "image_size": 288},
    "taught-half": {**SOFT, "alpha": 0.5},
    "taught-soft": {**SOFT, "temperature": 4.0},
    "taught-longer": {**SOFT, "epochs": 25},
    "tiny": {**SOFT, "epochs": 40, "stages": 4, "weights": "imagenet"},
}


def main() -> None:
    """Trains what is left of the list, prints a row for each finished candidate, and packs what they said."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="data folder in the NIH layout")
    parser.add_argument("--split", default="unseen")
    parser.add_argument("--weights", type=Path, required=True, help="folder of ImageNet weights")
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
    options.out.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + 60 * options.minutes
    common = {name: getattr(options, name) for name in ("data", "split", *FROM_OPTIONS)}
    for name, changes in candidates(options):
        if time.monotonic() > deadline:
            break
        given = {**BASE, **common, **changes, "name": name}
        given["weights"] = start(given, options)
        trained(name, given, deadline)
    pack(finished(), options.out, options.keep)


def candidates(options: argparse.Namespace) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Names and settings, each candidate only once those that it needs have been given."""
    wanted = set(filter(None, options.only.split(",")))
    seeds = range(42, 42 + options.seeds)
    length = {"epochs": options.epochs} if options.epochs else {}
    singles = {name: {**SINGLE[name], **length} for name in SINGLE if not wanted or name in wanted}
    weight = {} if options.light_teachers else HEAVY
    students = {name: {**TAUGHT[name], **length} for name in TAUGHT if not wanted or name in wanted}
    teachers = {
        f"teacher-{kind}-{fold}": {**weight, **TEACHERS[kind], **length, "fold": f"{fold}/{FOLDS}"}
        for kind in (TEACHERS if students else ())
        for fold in range(1, FOLDS + 1)
    }
    if options.phantoms:
        later = [*singles.values(), *teachers.values(), *students.values()]
        for backbone in dict.fromkeys({**BASE, **one}["backbone"] for one in later):
            yield f"{PHANTOMS}-{backbone}", {**START, "backbone": backbone, "data": options.phantoms}
    for name, changes in singles.items():
        yield from ((f"{name}-{seed}", {**changes, "seed": seed}) for seed in seeds)
    if not students:
        return
    yield from teachers.items()
    folder = NihFolder.open(options.data)
    try:
        joined = join_folds([*teachers], folder, load_split(folder, options.split), options.out)
    except RunError as error:
        print(f"No students: {error}")
        return
    print(joined_sentence(joined), flush=True)
    taught = {
        "teacher": ",".join(filter(None, [str(joined.predictions), options.teacher])),
        "teacher_list": ",".join(filter(None, [str(joined.known), options.teacher_list])),
    }
    for name, changes in students.items():
        yield from ((f"{name}-{seed}", {**changes, **taught, "seed": seed}) for seed in seeds)


def start(given: Mapping[str, Any], options: argparse.Namespace) -> str:
    """What a candidate starts from: the run on phantoms of its backbone, ImageNet weights, or nothing."""
    first = checkpoints_dir() / f"{PHANTOMS}-{given['backbone']}" / MODEL_FILE
    if first.is_file() and given.get("weights") != "imagenet":
        return str(first)
    weights = options.weights / f"{given['backbone']}_imagenet.safetensors"
    return str(weights) if weights.is_file() else "none"


def trained(name: str, given: Mapping[str, Any], deadline: float) -> None:
    """Trains one candidate, or goes on with it; it is asked to stop when the time is up."""
    from xlite.training.loop import train

    place = checkpoints_dir() / name
    run = Run(place) if (place / "config.json").exists() else Run.create(make_config(dict(given)))
    if run.status().state == "finished":
        return
    timer = threading.Timer(max(1.0, deadline - time.monotonic()), lambda: stopped(run))
    timer.daemon = True
    began = time.monotonic()
    try:
        with run.hold(), log_to(file=run.path("log.txt")):
            timer.start()
            train(run.config(), run)
    except XliteError as error:
        print(f"{name} failed: {error}", flush=True)
    finally:
        timer.cancel()
    state = run.status()
    print(f"{name}: {state.state}, {time.monotonic() - began:.0f} s, best AUC {state.best_auc}", flush=True)


def stopped(run: Run) -> None:
    """Asks a run to stop, unless it has ended by itself."""
    with suppress(RunError):
        run.stop()


def finished() -> dict[Run, Outcome]:
    """The runs of the list on films that have finished, with what they left, the best by validation first."""
    names = {*SINGLE, *TAUGHT, *(f"teacher-{kind}" for kind in TEACHERS)}
    runs = [run for run in Run.list() if run.name.rpartition("-")[0] in names]
    left = {run: left_by(run) for run in runs if run.status().state == "finished"}
    return dict(sorted(left.items(), key=lambda one: -(one[1].val_auc or 0.0)))


def pack(runs: Mapping[Run, Outcome], out: Path, keep: int) -> None:
    """A table of the runs, a zip of what they said, and the model files of the best that left no fold out."""
    with (out / "candidates.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["candidate", "val_auc", "test_auc", "epochs"])
        for run, left in runs.items():
            writer.writerow([run.name, left.val_auc, left.test_auc, left.epochs])
            print(f"| {run.name} | {left.val_auc} | {left.test_auc} | {left.epochs} |")
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
