"""The leaderboard: configurations compared in pairs, and the one that is chosen."""

from pathlib import Path

import numpy as np
import pytest
from played import grid

from xlite.data.folder import NihFolder
from xlite.data.predictions import write_predictions
from xlite.data.split_files import load_split
from xlite.metrics.estimate import Estimate
from xlite.places import checkpoints_dir
from xlite.sweeps.leaderboard import Leaderboard, Optimism
from xlite.sweeps.leaderboard_sentences import verdict
from xlite.sweeps.leaderboard_table import remark
from xlite.sweeps.ranking import make_leaderboard
from xlite.sweeps.status import TrialStatus

pytestmark = pytest.mark.usefixtures("quick")


def trial(run: str, backbone: str, seed: int, val: float, size: float = 6.0, **more: str) -> TrialStatus:
    return TrialStatus(
        run=run,
        values={"backbone": backbone, "seed": seed},
        val_auc=val,
        test_auc=val,
        model_size_mb=size,
        inference_time_ms=1.0,
        **{"state": "finished", **more},
    )


def board(trials: list[TrialStatus], folder: Path) -> Leaderboard:
    plan = grid(folder, backbone=["a", "b"], seeds=3)
    return make_leaderboard(plan, trials, "patient-42-1", NihFolder.open(folder))


def predict(run: str, folder: NihFolder, skill: float, parts: tuple[str, ...] = ("val",)) -> None:
    """Leaves the run's predictions on the patient split: the labels if its skill is 1, noise if it is 0."""
    split = load_split(folder, "patient")
    for part in parts:
        labels = folder.labels(split.stems(part))
        noise = np.random.default_rng(1).random(labels.shape)
        out = checkpoints_dir() / run / "evaluation" / part
        out.mkdir(parents=True)
        probs = skill * labels + (1 - skill) * noise
        write_predictions(out / "predictions.csv", split.parts[part], probs)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("other", "size", "winner", "tie"),
    [
        ([0.70, 0.71, 0.72], 3.0, 0, False),
        ([0.79, 0.80, 0.81], 3.0, 1, True),
        ([0.79, 0.80, 0.81], 9.0, 0, True),
        ([0.79, 0.80, 0.81], 5.99, 0, True),
    ],
)
def test_the_winner_is_the_lightest_of_those_within_the_seeds_noise(
    large_table: NihFolder, other: list[float], size: float, winner: int, tie: bool
) -> None:
    for name, skill in (("a", 1.0), ("b", 0.0)):
        for seed in range(3):
            predict(f"{name}{seed}", large_table, skill)
    trials = [trial(f"a{n}", "a", n, val) for n, val in enumerate([0.80, 0.81, 0.82])]
    trials += [trial(f"b{n}", "b", n, val, size) for n, val in enumerate(other)]
    found = board(trials, large_table.root)
    assert (found.ended, found.winner, found.rows[1].tie) == (True, winner, tie)
    chosen = found.rows[winner]
    assert f"{chosen.name}, validation AUC {chosen.val_auc:.4f} ± 0.0100 (3 seeds)" in verdict(found)
    assert ("A tie" in verdict(found), "a, 0.8100" in verdict(found)) == (tie, winner == 1)
    said = {
        (0, False): ["wins", ""],
        (0, True): ["best, but ties; chosen", "tie on validation"],
        (1, True): ["best, but ties", "tie on validation; chosen"],
    }
    assert [remark(found, place) for place in range(2)] == said[winner, tie]


@pytest.mark.slow
def test_the_best_is_not_counted_among_those_that_tie_with_it(large_table: NihFolder) -> None:
    """Of eight configurations all are alike, then all but one, then more than are compared."""
    trials = [trial(f"{name}0", name, 1, 0.9) for name in "abcdefghijkl"]
    for each in trials:
        predict(each.run, large_table, 0.0 if each.run == "h0" else 1.0)
    found = board(trials[:7], large_table.root)
    assert "none of the 6 others" in verdict(found)
    assert [remark(found, place) for place in (0, 6)] == ["best, but ties; chosen", "tie on validation"]
    found = board(trials[:8], large_table.root)
    assert "6 of the 7 others" in verdict(found)
    found = board(trials[:7] + trials[8:], large_table.root)
    assert "none of the 9 others compared" in verdict(found)


@pytest.mark.slow
def test_test_films_never_choose(large_table: NihFolder) -> None:
    """The first is perfect on val, the second, which is lighter, on test: the first wins."""
    for run, good, bad in (("a0", "val", "test"), ("b0", "test", "val")):
        predict(run, large_table, 1.0, (good,))
        predict(run, large_table, 0.0, (bad,))
    found = board([trial("a0", "a", 1, 0.9, 9.0), trial("b0", "b", 1, 0.6, 3.0)], large_table.root)
    val, test = (found.rows[1].against_first[part] for part in ("val", "test"))
    assert (val.low > 0, val.tie, test.high < 0, test.tie) == (True, False, True, False)
    assert (found.winner, found.rows[1].tie, val.p) == (0, False, 2 / 1001)
    assert found.rows[0].averaged["val"].value == 1.0


@pytest.mark.slow
def test_what_was_not_compared_is_not_told_apart(large_table: NihFolder) -> None:
    """Of four configurations two were trained in another home, and one run has lost its predictions."""
    values = {"a0": 0.9, "b0": 0.8, "c0": 0.7, "d0": 0.6}
    for run, skill in (("a0", 1.0), ("d0", 0.0)):
        predict(run, large_table, skill)
    trials = [trial(run, run[0], 1, val, where="two:/home") for run, val in values.items()]
    found = board(trials, large_table.root)
    assert [row.tie for row in found.rows] == [None, None, None, False]
    assert [remark(found, place) for place in range(4)] == ["wins", "not compared", "not compared", ""]
    assert [row.absent for row in found.rows] == [{}, {"b0": "two:/home"}, {"c0": "two:/home"}, {}]
    assert "a, validation AUC 0.9000 (1 seed)" in verdict(found) and "b0, c0" in verdict(found)
    predict("b0", large_table, 1.0)
    found = board(trials, large_table.root)
    assert (found.rows[1].tie, found.winner) == (True, 0)
    assert "1 of the 2 others compared" in verdict(found) and "1 was not" in verdict(found)


@pytest.mark.slow
def test_there_is_no_winner_if_the_first_cannot_be_compared(large_table: NihFolder) -> None:
    predict("b0", large_table, 0.0)
    found = board([trial("a0", "a", 1, 0.9, where="two:/home"), trial("b0", "b", 1, 0.6)], large_table.root)
    assert (found.winner, found.rows[1].tie) == (None, None)
    assert found.rows[0].absent == {"a0": "two:/home"} and "No winner" in verdict(found)
    assert remark(found, 0) == ""


def test_films_that_are_too_few_to_compare_by_are_told(tiny_folder: Path) -> None:
    folder = NihFolder.open(tiny_folder)
    stem = load_split(folder, "patient").stems("val")[0]
    for run in ("a0", "b0"):
        out = checkpoints_dir() / run / "evaluation" / "val"
        out.mkdir(parents=True)
        write_predictions(out / "predictions.csv", folder.names([stem]), np.full((1, 14), 0.5))
    found = board([trial("a0", "a", 1, 0.9), trial("b0", "b", 1, 0.6)], tiny_folder)
    assert (found.winner, found.rows[1].tie) == (0, None)
    assert [row.absent for row in found.rows] == [{}, {}] and "too few" in verdict(found)
    assert [remark(found, place) for place in range(2)] == ["chosen", "not compared"]


@pytest.mark.slow
def test_intervals_are_there_before_the_end_and_a_winner_is_not(large_table: NihFolder) -> None:
    for run, skill in (("a0", 1.0), ("b0", 0.0)):
        predict(run, large_table, skill, ("val", "test"))
    trials = [trial("a0", "a", 1, 0.9), trial("b0", "b", 1, 0.6), trial("a1", "a", 2, 0.1, state="running")]
    plan = grid(large_table.root, backbone=["a", "b"], seeds=2)
    found = make_leaderboard(plan, trials, "patient-42-1", large_table, ended=False)
    assert (found.ended, found.winner, verdict(found)) == (False, None, "")
    first, second = found.rows
    assert (first.averaged["test"], first.seeds) == (Estimate(1.0), 1)  # too few patients for an interval
    assert second.averaged["test"].value < 0.7 and second.averaged["test"].low is None
    assert (second.tie, second.against_first["test"].tie) == (False, False)
    assert [remark(found, place) for place in range(2)] == ["", ""]


def test_runs_that_did_not_finish_do_not_count(tiny_folder: Path) -> None:
    trials = [
        trial("a0", "a", 1, 0.8),
        trial("a1", "a", 2, 0.2, state="pruned"),
        trial("b0", "b", 1, 0.9, state="failed"),
    ]
    found = board(trials, tiny_folder)
    assert [(row.values, row.seeds, row.val_auc, row.val_sd) for row in found.rows] == [
        ({"backbone": "a"}, 1, 0.8, None)
    ]
    assert "0.8000 (1 seed)" in verdict(found)
    assert remark(found, 0) == "the only one"


def test_a_board_of_no_finished_trial_is_empty(tiny_folder: Path) -> None:
    """Of two machines one may end its trial before the storage shows it that any has finished."""
    found = board([], tiny_folder)
    assert (found.rows, found.winner, verdict(found)) == ([], None, "")


@pytest.mark.slow
def test_the_leaderboard_says_what_the_best_is_the_best_of(large_table: NihFolder) -> None:
    for run, skill in (("a0", 0.3), ("a1", 0.3), ("b0", 0.3)):
        predict(run, large_table, skill)
    trials = [
        trial("a0", "a", 1, 0.9).model_copy(update={"epochs": 5, "test_auc": 0.85}),
        trial("a1", "a", 2, 0.8).model_copy(update={"epochs": 8, "test_auc": 0.84}),
        trial("b0", "b", 1, 0.7).model_copy(update={"epochs": 3}),
    ]
    found = board(trials, large_table.root)
    assert [row.epochs for row in found.rows] == [[5, 8], [3]]
    lead = found.rows[0].val_auc - 0.845
    assert found.optimism == Optimism(configurations=2, epochs=(3, 8), of_choosing=0.0, val_less_test=lead)
    assert "best of 2 configurations and of 3 to 8 epochs of each run" in verdict(found)
    again = Leaderboard.model_validate_json(found.model_dump_json())
    assert again == found
    unknown = board([*trials[:2], trial("b0", "b", 1, 0.7)], large_table.root).optimism
    assert unknown is not None and unknown.epochs is None
    away = board([*trials, trial("c0", "c", 1, 0.6, where="two:/home")], large_table.root).optimism
    assert away is not None and (away.configurations, away.of_choosing) == (3, None)
