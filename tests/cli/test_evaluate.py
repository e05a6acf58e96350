"""`xlite evaluate` and `xlite score`."""

import inspect
import json
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pytest
from command_line import Command

from xlite.cli import evaluate as cli
from xlite.cli.localise import localise
from xlite.data.predictions import write_predictions
from xlite.data.splits import PARTS
from xlite.evaluation.options import KEEP, MapOptions
from xlite.metrics.calibration import METHODS
from xlite.split_names import ALL_FILMS


def test_evaluate_takes_a_calibration_by_name_only(xlite: Command, model: str, tmp_path: Path) -> None:
    words = ["evaluate", model, "--data", tmp_path, "--out", tmp_path / "o", "--calibration", "beta"]
    status, _, err = xlite(*words)
    assert (status, err.count("\n")) == (2, 1)
    assert "'beta' is not one of 'platt', 'temperature', 'isotonic', 'none', 'keep'" in err


def test_the_choices_are_those_of_the_modules_behind_it() -> None:
    """The command cannot import them: it would begin with seconds of loading."""
    hints = get_type_hints(cli.evaluate, include_extras=True)
    calibrations, _ = get_args(get_args(hints["calibration"])[0])
    assert set(get_args(calibrations)) == {*METHODS, "none", KEEP}
    assert get_args(hints["part"])[1].metavar == "|".join((*PARTS, ALL_FILMS))
    checks = inspect.signature(localise).parameters["checks"].default
    assert checks == MapOptions.checks


@pytest.mark.slow
def test_score_tells_a_better_model_from_a_tie(xlite: Command, tiny_folder: Path, tmp_path: Path) -> None:
    from xlite.data.folder import NihFolder

    folder = NihFolder.open(tiny_folder)
    names, labels = folder.table["image"].tolist(), folder.labels(folder.table["stem"].tolist())
    noise = np.random.default_rng(0).random(labels.shape)
    perfect, chance, nudged = (tmp_path / f"{name}.csv" for name in ("perfect", "chance", "nudged"))
    for file, probs in ((perfect, labels), (chance, noise), (nudged, noise**1.01)):
        write_predictions(file, names, probs)
    out = tmp_path / "out"
    words = ["--table", tiny_folder, "--out", out, "--against"]
    status, text, _ = xlite("score", perfect, *words, chance, "--json")
    written = json.loads((out / "comparison.json").read_text())
    report = json.loads((out / "metrics.json").read_text())
    assert (status, json.loads(text), report["comparison"]) == (0, report, written)
    assert written["sentence"] in (out / "report.html").read_text()
    assert (written["first"], written["images"], written["tie"]) == (1, len(names), False)
    assert 0 < written["difference"]["low"] < 1 - written["second"] < written["difference"]["high"]
    assert written["p"] == pytest.approx(2 / 1001)
    few = "too few patients for a verdict, as no finding is in every resample. But whether "
    assert f"p 0.002: {few}perfect.csv, or its teacher, knows" in written["sentence"]
    said = xlite("score", chance, *words, perfect)[1].splitlines()[-1]
    assert f"p 0.002: {few}chance.csv, or its teacher, knows" in said
    status, text, _ = xlite("score", chance, *words, nudged)
    assert json.loads((out / "comparison.json").read_text())["tie"] is True
    assert f"p 1.000: {few}chance.csv, or its teacher, knows" in text.splitlines()[-1]


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [([0], "share films of one patient only"), ([], "holds no predictions"), (None, "no predictions file")],
)
def test_score_against_what_cannot_be_compared_writes_nothing(
    rows: list[int] | None, sentence: str, xlite: Command, tiny_folder: Path, tmp_path: Path
) -> None:
    from xlite.data.folder import NihFolder

    names = NihFolder.open(tiny_folder).table["image"].tolist()
    probs = np.full((len(names), 14), 0.5)
    write_predictions(tmp_path / "all.csv", names, probs)
    other = tmp_path / "other.csv"
    if rows is not None:
        write_predictions(other, [names[row] for row in rows], probs[rows])
    words = ["--table", tiny_folder, "--out", tmp_path / "out", "--against", other]
    status, out, err = xlite("score", tmp_path / "all.csv", *words)
    assert (status, out, err.count("\n"), sentence in err) == (2, "", 1, True)
    assert not (tmp_path / "out").exists()
