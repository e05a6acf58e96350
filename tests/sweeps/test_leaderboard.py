"""The leaderboard as a table, a remark and a file."""

import json
from pathlib import Path

import pytest

from xlite.errors import RunError
from xlite.evaluation.contamination.caveats import Said, TeacherKnows
from xlite.evaluation.contamination.source_facts import SeenByTeacher
from xlite.metrics.estimate import Estimate, FixedMean
from xlite.sweeps.leaderboard import (
    Configuration,
    Difference,
    Joined,
    Leaderboard,
    Optimism,
    TeacherKnown,
    name_of,
)
from xlite.sweeps.leaderboard_sentences import board_as_json, caption, verdict, warnings
from xlite.sweeps.leaderboard_table import leaderboard_rows
from xlite.sweeps.sweep import Sweep

FIRST = Configuration(
    values={"backbone": "resnet18", "weight_decay": 1e-4},
    runs=["s-000", "s-002"],
    seeds=2,
    val_auc=0.81236,
    val_sd=0.0041,
    test_auc=0.8,
    averaged={"test": Estimate(0.812, 0.79, 0.834)},
    model_size_mb=44.03,
)
SECOND = Configuration(
    values={"backbone": "resnet50", "weight_decay": 0.1},
    runs=["s-001"],
    seeds=1,
    val_auc=0.8,
    against_first={"test": Difference(value=0.0123, low=-0.003, high=0.027, p=0.1234, tie=True)},
    tie=True,
)
BOARD = Leaderboard(
    study="s", kind="search", split_id="patient-42-1", vary=["backbone"], rows=[FIRST, SECOND]
)
FACTS = ("study", "kind", "split_id", "vary", "rows", "ended", "winner")
OLD = {"study": "s", "kind": "search", "split_id": "patient-42-1", "vary": ["lr"], "rows": [], "winner": None}


def test_a_board_as_a_table() -> None:
    ended = {"ended": True, "winner": 0}
    first, second = leaderboard_rows(BOARD.model_copy(update=ended))
    assert first == {
        "Configuration": "resnet18, weight decay 0.0001",
        "Remark": "best, but ties; chosen",
        "Seeds": "2",
        "Validation AUC": "0.812 ± 0.004",
        "Test AUC": "0.800",
        "Averaged, test": "0.812 (0.790–0.834)",
        "First − this, test": "–",
        "p": "–",
        "MB": "44.0",
        "ms": "–",
    }
    assert (second["Remark"], second["Averaged, test"], second["p"]) == (
        "tie on validation and test",
        "–",
        "0.123",
    )
    assert second["First − this, test"] == "+0.012 (-0.003 to +0.027)"
    first, second = leaderboard_rows(BOARD, digits=4)
    assert (first["Validation AUC"], second["Validation AUC"]) == ("0.8124 ± 0.0041", "0.8000")
    assert second["First − this, test"] == "+0.0123 (-0.0030 to +0.0270)"


def test_a_table_whose_aucs_break_before_their_interval() -> None:
    first, second = leaderboard_rows(BOARD, unbroken=True)
    assert first["Validation AUC"] == "0.812\u00a0±\u00a00.004"
    assert first["Averaged, test"] == "0.812 (0.790\u2060–\u20600.834)"
    assert second["First − this, test"] == "+0.012 (-0.003\u00a0to\u00a0+0.027)"


def test_whose_films_choose() -> None:
    assert caption(BOARD) == (
        "Split patient-42-1. The validation films choose the winner; the test films are only shown."
    )
    assert caption(BOARD.model_copy(update={"rows": [FIRST]})) == "Split patient-42-1."
    optimism = Optimism(configurations=2, epochs=(8, 8))
    assert caption(BOARD.model_copy(update={"optimism": optimism})) == (
        "Split patient-42-1. The validation films choose the winner; the test films are only shown. The "
        "highest validation AUC is the best of 2 configurations and of 8 epochs of each run, and as such "
        "too high."
    )


def test_means_say_over_which_findings_they_are() -> None:
    """A finding that hardly a patient has leaves the mean of all without an interval."""
    fixed = FixedMean(("Mass", "Pleural_Thickening"), Estimate(0.79, 0.75, 0.83))
    means = {"averaged": {"test": Estimate(0.812)}, "fixed": {"test": fixed}}
    gap = Difference(value=0.0123, low=-0.003, high=0.027, p=0.1234, tie=True, findings=12)
    first = FIRST.model_copy(update=means)
    board = BOARD.model_copy(
        update={"rows": [first, SECOND.model_copy(update={"against_first": {"test": gap}, **means})]}
    )
    one, two = leaderboard_rows(board)
    assert one["Averaged, test"] == "0.790 (0.750–0.830) of 2"
    assert two["First − this, test"] == "+0.012 (-0.003 to +0.027) of 12"
    assert caption(board).endswith(
        "only shown. “Averaged” is over the 2 findings with 10 patients or more: Mass, Pleural thickening. "
        "“First − this” is over 12 findings."
    )
    assert gap.model_copy(update={"findings": 14}).text() == "+0.012 (-0.003 to +0.027)"
    assert Leaderboard.model_validate_json(board.model_dump_json()) == board
    no_interval = FixedMean(fixed.findings, Estimate(0.79))
    assert first.model_copy(update={"fixed": {"test": no_interval}}).shown_fixed() is None


def test_settings_as_a_name() -> None:
    assert name_of({"backbone": "a", "lr": 0.000123456, "flip": False}) == "a, lr 0.0001235, flip False"
    assert FIRST.model_copy(update={"values": {}}).name == "all fixed"


def test_a_board_is_written_and_read_back_without_a_sentence(own_home: object) -> None:
    seen = SeenByTeacher(split_id="s-1-1", part="test", films=3, trained=2, with_val=2, patients=2)
    known = TeacherKnown(caveat=TeacherKnows(teachers=(seen,), known=2), runs=["s-001"])
    joined = Joined(films=20, auc=0.7, predictions=Path("p.csv"), known=Path("k.txt"), findings=9)
    facts = {"ended": True, "winner": 0, "teachers": [known], "joined": joined}
    full = BOARD.model_copy(update=facts)
    sweep = Sweep(Sweep.parent() / "s")
    sweep.folder.mkdir(parents=True)
    assert sweep.leaderboard() is None
    for board in (BOARD, full):
        sweep.write_leaderboard(board)
        assert sweep.leaderboard() == board
    kept = json.loads(sweep.path("leaderboard.json").read_text())
    assert set(kept) == {*FACTS, "teachers", "joined"}
    assert kept["joined"] == {
        "films": 20, "auc": 0.7, "predictions": "p.csv", "known": "k.txt", "findings": 9
    }  # fmt: skip
    assert board_as_json(full) == {**kept, "verdict": verdict(full), "warnings": warnings(full)}
    sweep.path("leaderboard.json").write_text('{"study": "s"}')
    with pytest.raises(RunError, match="leaderboard.json is damaged: kind"):
        sweep.leaderboard()


@pytest.mark.parametrize("ended", [{}, {"ended": True}])
def test_a_board_of_old_with_sentences_alone_says_what_it_said(ended: dict[str, bool]) -> None:
    said = {"warnings": ["teacher: it knows (runs s-001)", "teacher: too"], "verdict": "Chosen: a."}
    board = Leaderboard.model_validate({**OLD, **said, **ended})
    assert board == Leaderboard(
        **OLD,
        ended=True,
        teachers=[TeacherKnown(caveat=Said(text=text, by_teacher=True)) for text in said["warnings"]],
        old_verdict="Chosen: a.",
    )
    assert {"verdict": verdict(board), "warnings": warnings(board)} == said
    assert Leaderboard.model_validate_json(board.model_dump_json()) == board


def test_a_board_of_old_that_has_not_ended_says_nothing() -> None:
    board = Leaderboard.model_validate({**OLD, "warnings": [], "verdict": ""})
    assert board == Leaderboard(**OLD)
    assert (board.ended, verdict(board), warnings(board)) == (False, "", [])
