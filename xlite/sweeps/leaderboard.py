"""What came of a study: its configurations by validation AUC, compared in pairs, and which one is chosen.

The winner is chosen by the validation films alone; the test films are only shown. What cannot be told from
the first there is a tie with it, and of those that tie the lightest model is chosen.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from xlite.config import checkpoints_dir
from xlite.data.folder import NihFolder
from xlite.data.predictions import read_predictions
from xlite.findings import FINDINGS
from xlite.metrics.bootstrap import draw_macro_auc, interval, paired_difference
from xlite.sweeps.plan import Plan
from xlite.text import counted

COMPARED = 10
"""How many of the first configurations are compared: a search may have hundreds, and each takes seconds."""
SAME_SIZE = 1.01
"""Model files of one architecture differ by what their headers say."""


def make_leaderboard(
    plan: Plan, trials: Sequence[Mapping[str, Any]], split_id: str, folder: NihFolder, *, ended: bool = True
) -> dict[str, Any]:
    """The finished trials by configuration, best mean validation AUC first.

    {"study", "kind", "split_id", "vary", "warnings", "rows", "winner", "verdict"}; each row has its values,
    runs and seeds, val_auc and test_auc (means of the single models) with val_sd and test_sd, size and
    latency. The first rows are compared with row 0 by patient bootstrap ("averaged" and "against_first", by
    part; "tie", on val, None where it cannot be told). Once the study has ended the winner, an index of rows,
    is chosen; it is None where the predictions of row 0 are not on this machine.
    """
    rows = _rows(trials)
    compared = rows[:COMPARED]
    for part in ("val", "test"):
        _compare(compared, part, folder)
    for row in compared[1:]:
        row["tie"] = _ties(rows[0], row)
    winner, verdict = None, ""
    if ended and rows:
        winner = None if rows[0]["absent"] and len(rows) > 1 else _choose(compared)
        verdict = _verdict(plan.study, rows, winner)
    return {
        "study": plan.study,
        "kind": plan.kind,
        "split_id": split_id,
        "vary": [name for name in plan.vary if name != "seed"],
        "warnings": _warnings(trials),
        "rows": rows,
        "winner": winner,
        "verdict": verdict,
    }


def name_of(values: Mapping[str, Any]) -> str:
    """A configuration as a person reads it: `resnet18, attention none, alpha 0.5`."""
    return ", ".join(
        str(value) if name == "backbone" else f"{name.replace('_', ' ')} {_short(value)}"
        for name, value in values.items()
    )


def remark(found: Mapping[str, Any], place: int) -> str:
    """What is to be said of a row of a leaderboard: where it ties with the first, and whether it is chosen.

    A winner is one only where others were compared with it and none of them ties.
    """
    rows = found["rows"]
    if len(rows) == 1:
        return "the only one" if found["verdict"] else ""
    row, level = rows[place], [other["tie"] for other in rows[1:]]
    ties = ["val"] if row["tie"] else []
    ties += ["test"] if row["against_first"].get("test", {}).get("tie") else []
    said = [f"tie on {' and '.join(ties)}"] if ties else []
    said += ["best, but ties"] if place == 0 and True in level else []
    if place == found["winner"]:
        said.append("wins" if True not in level and False in level else "chosen")
    unknown = found["verdict"] and 0 < place < COMPARED and row["tie"] is None
    return "; ".join(said + (["not compared"] if unknown else []))


def _rows(trials: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for trial in trials:
        if trial["state"] == "finished":
            groups[repr(sorted(_without_seed(trial["values"]).items()))].append(trial)
    rows = [
        {
            "values": _without_seed(group[0]["values"]),
            "runs": [trial["run"] for trial in group],
            "seeds": len(group),
            "val_auc": _mean(group, "val_auc"),
            "val_sd": _spread(group, "val_auc"),
            "test_auc": _mean(group, "test_auc"),
            "test_sd": _spread(group, "test_auc"),
            "model_size_mb": _mean(group, "model_size_mb"),
            "inference_time_ms": _mean(group, "inference_time_ms"),
            "absent": {trial["run"]: trial.get("where", "") for trial in group if not _is_here(trial["run"])},
            "averaged": {},
            "against_first": {},
            "tie": None,
        }
        for group in groups.values()
    ]
    return sorted(rows, key=lambda row: -row["val_auc"])


def _warnings(trials: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the runs' reports say of their teachers, each sentence once, with the runs where not of all."""
    finished = [trial for trial in trials if trial["state"] == "finished"]
    runs: dict[str, list[str]] = defaultdict(list)
    for trial in finished:
        if trial.get("contamination"):
            runs[trial["contamination"]].append(trial["run"])
    return [
        text if len(names) == len(finished) else f"{text} (runs {', '.join(names)})"
        for text, names in runs.items()
    ]


def _without_seed(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != "seed"}


def _mean(trials: Sequence[Mapping[str, Any]], key: str) -> float | None:
    values = [trial[key] for trial in trials if trial.get(key) is not None]
    return float(np.mean(values)) if values else None


def _spread(trials: Sequence[Mapping[str, Any]], key: str) -> float | None:
    """Standard deviation over the seeds; None of one seed."""
    values = [trial[key] for trial in trials if trial.get(key) is not None]
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def _compare(rows: Sequence[dict[str, Any]], part: str, folder: NihFolder) -> None:
    """Adds to each row the AUC of its seeds' averaged probabilities on the films of a part, and by how much
    the first row is above it on the same resampled patients. Rows whose predictions are not here stay as
    they are.
    """
    there = [(row, _averaged(row["runs"], part)) for row in rows]
    known = [(row, films) for row, films in there if films]
    if not known or not there[0][1]:
        return
    stems = [stem for stem in known[0][1] if stem in folder and all(stem in films for _, films in known)]
    patients = folder.patients(stems)
    if len(np.unique(patients)) < 2:
        return
    labels = folder.labels(stems)
    drawn = [
        draw_macro_auc(labels, np.stack([films[stem] for stem in stems]), patients) for _, films in known
    ]
    for (row, _), (whole, draws) in zip(known, drawn, strict=True):
        low, high = interval(draws)
        if math.isnan(low):
            continue
        row["averaged"][part] = {"value": whole, "low": low, "high": high}
        if row is not rows[0]:
            found = paired_difference(drawn[0], (whole, draws))
            row["against_first"][part] = {**found["difference"], "p": found["p"], "tie": found["tie"]}


def _averaged(runs: Sequence[str], part: str) -> dict[str, np.ndarray]:
    """Probabilities (14,) by film, averaged over the runs; empty where a file is not on this machine."""
    files = [_predictions(run, part) for run in runs]
    if not all(map(Path.is_file, files)):
        return {}
    read = [read_predictions(file) for file in files]
    by_film = [dict(zip(found.stems, found.probs, strict=True)) for found in read]
    return {
        stem: np.mean([films[stem] for films in by_film], axis=0).reshape(len(FINDINGS))
        for stem in read[0].stems
        if all(stem in films for films in by_film)
    }


def _predictions(run: str, part: str) -> Path:
    return checkpoints_dir() / run / "evaluation" / part / "predictions.csv"


def _is_here(run: str) -> bool:
    """Whether the run's validation films can be compared on this machine."""
    return _predictions(run, "val").is_file()


def _choose(rows: Sequence[dict[str, Any]]) -> int:
    """The winner's place: of the first and those that tie with it on the validation films, the lightest."""
    level = [0] + [place for place, row in enumerate(rows) if row["tie"]]
    sizes = {place: rows[place]["model_size_mb"] or math.inf for place in level}
    lightest = min(sizes.values())
    return next(place for place in level if sizes[place] <= lightest * SAME_SIZE)


def _ties(first: Mapping[str, Any], row: Mapping[str, Any]) -> bool | None:
    """Whether a row cannot be told from the first on the validation films; None where that is not known.

    Either the 95 % interval of their difference over patients reaches zero, or the means lie within two
    standard errors of their seeds.
    """
    films = row["against_first"].get("val")
    apart = None if films is None else films["low"] > 0
    if apart is False:
        return True
    if first["val_sd"] is not None and row["val_sd"] is not None:
        error = math.hypot(first["val_sd"] / first["seeds"] ** 0.5, row["val_sd"] / row["seeds"] ** 0.5)
        if first["val_auc"] - row["val_auc"] <= 2 * error:
            return True
    return None if apart is None else False


def _verdict(study: str, rows: Sequence[dict[str, Any]], winner: int | None) -> str:
    """Which one is chosen and why, in plain words."""
    best = rows[winner or 0]
    spread = "" if best["val_sd"] is None else f" ± {best['val_sd']:.4f}"
    said = f"validation AUC {best['val_auc']:.4f}{spread} ({counted(best['seeds'], 'seed')})"
    if len(rows) == 1:
        return f"The only configuration has {said}."
    name = name_of(best["values"])
    if winner is None:
        return f"No winner: the best, {name}, {said}, was compared with none, {_why_not(study, [best])}."
    others = rows[1:COMPARED]
    unknown = [row for row in others if row["tie"] is None]
    sentences = [f"Chosen by the validation films: {name}, {said}."]
    if len(unknown) < len(others):
        known = [row for row in others if row["tie"] is not None]
        sentences.append(_noise(rows[0], known, best, all_of_them=len(known) == len(rows) - 1))
        count = f"{len(unknown)} {'was' if len(unknown) == 1 else 'were'} not compared"
    else:
        count = "None was compared with it"
    return " ".join(sentences + ([f"{count}, {_why_not(study, unknown)}."] if unknown else []))


def _noise(
    first: Mapping[str, Any], others: Sequence[dict[str, Any]], best: Mapping[str, Any], *, all_of_them: bool
) -> str:
    """How many of the others that were compared cannot be told from the first, and what that did."""
    level = sum(bool(row["tie"]) for row in others)
    if not level:
        beaten = "No other one" if all_of_them else f"Of the {len(others)} compared with it none"
        return f"{beaten} is within its noise."
    compared = "" if all_of_them else " compared"
    from_it = "it" if best is first else f"the best ({name_of(first['values'])}, {first['val_auc']:.4f})"
    if level < len(others):
        told = f"{level} of the {len(others)} others{compared} cannot be told from {from_it}"
    elif level == 1:
        told = f"the other one{compared} cannot be told from {from_it}"
    else:
        told = f"none of the {len(others)} others{compared} can be told from {from_it}"
    if best is first:
        return f"A tie: {told}{' and is not lighter' if level == 1 else ', and none that ties is lighter'}."
    return f"A tie: {told}, and of those that tie this is the lightest ({best['model_size_mb']:.1f} MB)."


def _why_not(study: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Why these could not be compared, and what to do about it."""
    absent = {run: where for row in rows for run, where in row["absent"].items()}
    if not absent:
        return "as the validation films are too few"
    names = list(absent)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    places = ", ".join(sorted(set(filter(None, absent.values())))) or "another home"
    return (
        f"as predictions of {', '.join(names[:3])}{more} are not here (trained in {places}): "
        f"run `xlite sweep resume {study}` there, or here once these runs are in checkpoints/"
    )


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
