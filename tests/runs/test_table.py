"""The table of runs: columns, filters, search, CSV."""

from pathlib import Path

import pytest
from known_runs import SPLIT, facts, judgement

from xlite.config import make_config
from xlite.places import checkpoints_dir
from xlite.runs.listing import Listing, names_of
from xlite.runs.run import Run
from xlite.runs.status import RunStatus
from xlite.runs.table import COLUMNS, SHOWN, Wanted, after_ticks, choices, table_csv, table_rows, told_columns

RUNS = [
    facts("big", backbone="resnet18", lr=0.01, tags=("paper", "old"), note="diverged at Epoch 3"),
    facts("small", state="running", teacher="a/dense.csv, b/xrv.csv", seed=3, split="official"),
    facts("smaller", state="failed", seed=33, hidden=0, tags=("paper",)),
]


def test_a_row_has_the_columns_that_are_asked_for() -> None:
    one = facts("one", best=0.64, judged=judgement(0.75), tags=("a", "b"), note="two\nlines", size_mb=13.9)
    assert table_rows([one]) == [
        {
            "Run": "one",
            "State": "finished",
            "Epoch": "3 of 8",
            "Validation AUC": 0.64,
            "Test AUC": 0.75,
            "Known test films": None,
            "Time left": None,
            "Backbone": "efficientnet_b0",
            "Teacher": None,
            "Split": "patient",
            "Tags": "a, b",
            "Note": "two lines",
        }
    ]
    wanted = ["Judged on", "Size (MB)", "Latency (ms)", "Seed", "Learning rate", "Data folder", "Teacher"]
    assert table_rows([one, RUNS[1]], wanted) == [
        {
            "Run": "one", "Judged on": SPLIT, "Size (MB)": 13.9, "Latency (ms)": None, "Seed": 42,
            "Learning rate": 0.001, "Data folder": "films", "Teacher": None,
        },
        {
            "Run": "small", "Judged on": None, "Size (MB)": None, "Latency (ms)": None, "Seed": 3,
            "Learning rate": 0.001, "Data folder": "films", "Teacher": "dense.csv, xrv.csv",
        },
    ]  # fmt: skip


def test_runs_as_their_folders_tell_them_are_rows(stopped_run: Run, tmp_path: Path) -> None:
    teachers = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for path in teachers:
        path.touch()
    values = {"data": "films", "name": "two", "epochs": 8, "teacher": ",".join(map(str, teachers))}
    other = Run.create(make_config({**values, "attention": "mhsa"}))
    Run.create(make_config({"data": "films", "name": "gone"})).delete()
    wanted = ["State", "Epoch", "Validation AUC", "Best epoch", "Time left"]
    wanted += ["Attention", "Teacher", "Minutes"]
    with other.hold():
        other.write_progress(RunStatus(state="running", epoch=2, eta_s=130.0, elapsed_s=90.0))
        rows = table_rows(Listing(checkpoints_dir()).runs()[0], wanted)
    assert rows[0] == {
        "Run": "two",
        "State": "running",
        "Epoch": "2 of 8",
        "Validation AUC": None,
        "Best epoch": None,
        "Time left": "2 min 10 s",
        "Attention": "mhsa",
        "Teacher": "a.csv, b.csv",
        "Minutes": 1.5,
    }
    assert [row["Run"] for row in rows] == ["two", "one"]
    assert {name: rows[1][name] for name in ("Validation AUC", "Best epoch", "Time left", "Teacher")} == {
        "Validation AUC": 0.64,
        "Best epoch": 2,
        "Time left": None,
        "Teacher": None,
    }


def test_columns_that_say_nothing_of_any_run_are_spared() -> None:
    assert told_columns([facts("one"), facts("two", best=0.6)]) == [
        *("State", "Epoch", "Validation AUC", "Backbone", "Split")
    ]
    assert told_columns(RUNS) == [
        *("State", "Epoch", "Time left", "Backbone", "Teacher", "Split", "Tags", "Note")
    ]


def test_every_column_can_be_shown_and_none_is_there_twice() -> None:
    [row] = table_rows([facts("one")], COLUMNS)
    assert list(row) == ["Run", *COLUMNS]
    assert len(set(COLUMNS)) == len(COLUMNS) and set(SHOWN) <= set(COLUMNS)


@pytest.mark.parametrize(
    ("judged", "auc", "known"),
    [
        (judgement(0.75, known=98), None, "98 of 150"),
        (judgement(0.75, untold=True), 0.75, "unknown"),
        (judgement(0.75), 0.75, None),
        (judgement(None), None, None),
        (None, None, None),
    ],
)
def test_an_auc_on_films_that_the_teacher_knows_is_not_among_the_others(
    judged: object, auc: float | None, known: str | None
) -> None:
    [row] = table_rows([facts("one", judged=judged)])
    assert (row["Test AUC"], row["Known test films"]) == (auc, known)


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("", ["big", "small", "smaller"]),
        ("small", ["small", "smaller"]),
        ("SMALL running", ["small"]),
        ("paper", ["big", "smaller"]),
        ("epoch diverged", ["big"]),
        ("resnet18", ["big"]),
        ("xrv", ["small"]),
        ("seed=3", ["small"]),
        ("lr=0.01", ["big"]),
        ("lr=0.001 patient", ["smaller"]),
        ("none", []),  # a default, which all have
        ("nowhere", []),
    ],
)
def test_a_search_looks_at_names_tags_notes_and_settings(search: str, names: list[str]) -> None:
    assert names_of(Wanted(search).of(RUNS)) == names


def test_filters_are_joined_by_and_their_values_by_or() -> None:
    def names(**chosen: tuple[str, ...]) -> list[str]:
        return names_of(Wanted(chosen=tuple(chosen.items())).of(RUNS))

    assert names(states=()) == ["big", "small", "smaller"]
    assert names(states=("running", "failed")) == ["small", "smaller"]
    assert names(tags=("paper",), states=("failed",)) == ["smaller"]
    assert names(teachers=("none",)) == ["big", "smaller"]
    assert names(splits=("official",), backbones=("resnet18",)) == []
    assert choices(RUNS, "tags") == ["old", "paper"]
    assert choices(RUNS, "teachers") == ["dense.csv, xrv.csv", "none"]


def test_ticks_add_runs_and_leave_those_that_are_not_in_the_table() -> None:
    names = ["a", "b", "c"]
    assert after_ticks(names, [1], []) == (["b"], ["b"])
    assert after_ticks(names, [0, 2], ["c", "hidden"]) == (["c", "hidden", "a"], ["a"])
    assert after_ticks(names, [], ["b", "hidden"]) == (["hidden"], [])
    assert after_ticks(names, [2, 7], ["b"]) == (["c"], ["c"])  # a row of a table that was longer


def test_the_csv_has_texts_that_no_spreadsheet_runs() -> None:
    rows = table_rows([facts("one", best=0.64, note='=cmd|x, "y"'), facts("two")], ["Validation AUC", "Note"])
    assert table_csv(rows).decode() == 'Run,Validation AUC,Note\none,0.64,"\'=cmd|x, ""y"""\ntwo,,\n'
    assert table_csv([]) == b""
