"""What a study needs, looked for before it is made: none begins if its trials would be refused one by one."""

import itertools
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xlite.config import FOCAL, TrainConfig
from xlite.errors import DataError, RunError, Setting, words_from_json
from xlite.models.available import (
    EXPORT_SUFFIX,
    PREDICTION_SUFFIXES,
    check_teacher_part,
    teacher_parts,
)
from xlite.sweeps.plan import Plan, Range
from xlite.text import last_line


def check_sources(plan: Plan) -> None:
    """DataError or RunError if a file, backbone, device or split that the plan names is not to be had, or if
    what varies changes nothing.

    Looks at every value that a setting may take. Takes some seconds, as each student is built once.
    """
    from xlite.data.joined import open_data
    from xlite.data.layout import data_roots
    from xlite.data.split_files import load_split
    from xlite.data.tables import find_table
    from xlite.training.concern_sentences import concern_words
    from xlite.training.concerns import NoFilms  # slow, and all commands import this module

    check_effects(plan)
    for root in data_roots(str(plan.fixed["data"])):
        find_table(root)
    for part in (part for spec in _values(plan, "teacher") for part in teacher_parts(spec)):
        check_teacher_part(part)
    for weights in _values(plan, "weights"):
        if weights not in ("imagenet", "none"):
            _check_file("starting weights", weights, "imagenet, none or a file")
    for films in (part for spec in _values(plan, "teacher_list") for part in teacher_parts(spec)):
        _check_file("list of a teacher's films", films, "a file")
    folder = open_data(str(plan.fixed["data"]))
    if not folder.paths:
        raise DataError(*concern_words(NoFilms(folder.root, len(folder.table))))
    _try_out(plan)
    # The last, for it writes: a split that is not there yet is made.
    (split,), (leaks,) = _values(plan, "split"), _values(plan, "allow_leakage")
    load_split(folder, split, allow_leakage=leaks)


def check_effects(plan: Plan) -> None:
    """RunError if a setting varies and no trial heeds it: those that differ in it alone would be alike."""
    teachers, alphas = _values(plan, "teacher"), _values(plan, "alpha")
    focal = any(loss in FOCAL for loss in _values(plan, "loss"))
    a_focal_loss = ("a focal loss, as in ", Setting("loss"), " focal")
    a_teacher = ("a teacher: give ", Setting("teacher"))
    one_network = ("a teacher that is one network: a run, a model file or xrv:NAME",)
    needs: dict[str, tuple[bool, Sequence[str]]] = {
        "alpha": (any(teachers), a_teacher),
        "temperature": (any(teachers) and any(alphas), (*a_teacher, ", and an alpha over 0")),
        "feature_weight": (any(map(_has_features, teachers)), one_network),
        "focal_gamma": (focal, a_focal_loss),
        "focal_alpha": (focal, a_focal_loss),
    }
    for name, (heeded, needed) in needs.items():
        if name in plan.vary and not heeded:
            raise RunError(Setting(name), " varies without effect: it needs ", *needed)


def _has_features(spec: str) -> bool:
    """Whether a teacher has one network, beside predictions files, and that is not an export."""
    networks = [part for part in teacher_parts(spec) if not part.endswith(PREDICTION_SUFFIXES)]
    return len(networks) == 1 and not networks[0].endswith(EXPORT_SUFFIX)


def _values(plan: Plan, name: str) -> list[Any]:
    """What a setting may be in a plan's trials; of a range its ends."""
    if name in plan.vary:
        choices = plan.vary[name]
        return [choices.low, choices.high] if isinstance(choices, Range) else choices
    return [plan.fixed.get(name, TrainConfig.model_fields[name].default)]


def _check_file(what: str, path: str, expected: str) -> None:
    if not Path(path).is_file():
        raise RunError(f"there is no {what} {path!r}: expected {expected}")


def _try_out(plan: Plan) -> None:
    """RunError for a device or backbone that is not to be had, or one that cannot take films of that size."""
    students = list(itertools.product(_values(plan, "backbone"), _values(plan, "image_size")))
    asked = json.dumps({"devices": _values(plan, "device"), "students": students})
    words = [sys.executable, "-m", "xlite.sweeps.build_students", asked]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        died = f"the students cannot be tried: exit status {done.returncode}"
        raise RunError(last_line(done.stderr, died))
    if done.stdout:
        raise RunError(*words_from_json(json.loads(done.stdout)["refused"]))
