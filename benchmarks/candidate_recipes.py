"""What `candidates.py` trains: the recipes by name, their order, and what each starts from."""

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from xlite.data.folder import NihFolder
from xlite.data.split_files import load_split
from xlite.errors import RunError
from xlite.models.available import MODEL_FILE
from xlite.places import checkpoints_dir
from xlite.sweeps.crossfit import FOLDS
from xlite.sweeps.leaderboard_sentences import joined_sentence
from xlite.sweeps.left_out import join_folds

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


def only(options: argparse.Namespace) -> set[str]:
    """The candidates that --only names."""
    return set(filter(None, options.only.split(",")))


def candidates(options: argparse.Namespace) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Names and settings, each candidate only once those that it needs have been given."""
    wanted = only(options)
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
