import csv
import logging
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlite.errors import DataError
from xlite.places import results_csv
from xlite.runs.notes import Notes
from xlite.runs.results import (
    COLUMNS,
    Experiment,
    append_result,
    read_experiments,
    read_results,
    readable_and_damaged,
    to_csv,
)

HEADER = (
    "experiment_id,date,model,backbone,attention,kd_temp,kd_alpha,train_loss,val_auc,test_auc,"
    "inference_time_ms,model_size_mb,notes"
)
ROW = Experiment(
    "007",
    date="2026-03-01",
    model="student",
    backbone="resnet18",
    attention="none",
    train_loss=0.25,
    val_auc=np.float32(0.5),
    test_auc=float("nan"),
)
SPLIT = "patient-42-1a2b3c4d"
NOTES = Notes(SPLIT, "2020", 42, teacher='a "quoted", name')
SAID = f'split {SPLIT}; labels 2020; seed 42; teacher a "quoted", name'
LINE = (
    "007,2026-03-01,student,resnet18,none,,,0.25,0.5,,,,"
    f'"split {SPLIT}; labels 2020; seed 42; teacher a ""quoted"", name"'
)

APPENDER = """
import sys, time
from pathlib import Path
from xlite.runs.notes import Notes
from xlite.runs.results import Experiment, append_result
folder, number, start = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
for i in range(50):
    time.sleep(max(0, start + i * 0.02 - time.time()))  # all at once, and 25 times with a file yet to be made
    notes = Notes("patient-42-1", teacher="x" * 3000)
    append_result(Experiment(f"{number}-{i}"), notes, folder / f"{i // 2}.csv")
"""
FLOOD = """
import sys
from pathlib import Path
from xlite.runs.notes import Notes
from xlite.runs.results import Experiment, append_result
for i in range(200):
    notes = Notes("patient-42-1", teacher="x" * 300)
    append_result(Experiment(f"{sys.argv[2]}-{i}"), notes, Path(sys.argv[1]))
"""
FULL_DISK = """
import resource, sys
from pathlib import Path
from xlite.runs.notes import Notes
from xlite.runs.results import Experiment, append_result
path = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 5, resource.RLIM_INFINITY))
try:
    append_result(Experiment("lost"), Notes("patient-42-1"), path)
except OSError as error:
    print("refused", error.errno)
"""


def test_a_row_is_written_exactly_and_read_back() -> None:
    append_result(ROW, NOTES)
    append_result(Experiment("b", kd_temp=4.0), Notes(SPLIT, teacher="two\nlines"))
    line = f"b,,,,,4.0,,,,,,,split {SPLIT}; teacher two lines"
    assert results_csv().read_text() == f"{HEADER}\n{LINE}\n{line}\n"
    first, second = read_experiments()
    assert first == replace(ROW, val_auc=0.5, test_auc=None, notes=SAID)
    assert (second.kd_temp, second.val_auc) == (4.0, None)
    table = read_results()
    assert list(table.columns) == list(COLUMNS)
    assert table["experiment_id"].tolist() == ["007", "b"]
    assert table["notes"].tolist() == [SAID, f"split {SPLIT}; teacher two lines"]
    assert table["attention"].tolist() == ["none", ""]
    np.testing.assert_array_equal(table["val_auc"], [0.5, np.nan])
    np.testing.assert_array_equal(table["kd_temp"], [np.nan, 4.0])


def test_without_a_file_the_log_is_empty() -> None:
    table = read_results()
    assert (list(table.columns), len(table), read_experiments()) == (list(COLUMNS), 0, [])


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(COLUMNS[:-1]), st.one_of(st.text(), st.integers(), st.floats(), st.none())
    ),
    st.dictionaries(st.sampled_from(COLUMNS[:-1]), st.text()),
    st.text(),
)
def test_any_row_is_one_line_of_13_cells(
    tmp_path_factory: pytest.TempPathFactory, one: dict, two: dict, teacher: str
) -> None:
    path = tmp_path_factory.mktemp("log") / "results.csv"
    append_result(Experiment(**{"experiment_id": "", **one}), Notes(SPLIT, teacher=teacher), path)
    append_result(Experiment(**{"experiment_id": "", **two}), Notes(SPLIT), path)
    lines = path.read_text(encoding="utf-8").split("\n")
    assert (lines[0], lines[-1], len(lines)) == (HEADER, "", 4)
    assert [len(cells) for cells in csv.reader(lines[:3])] == [13, 13, 13]


@pytest.mark.slow
def test_many_processes_lose_no_row_and_write_one_header(tmp_path: Path) -> None:
    folder, start = tmp_path / "experiments", str(time.time() + 2)
    words = [sys.executable, "-c", APPENDER, str(folder)]
    children = [subprocess.Popen([*words, str(number), start]) for number in range(8)]
    assert [child.wait() for child in children] == [0] * 8
    for i in range(25):
        with open(folder / f"{i}.csv", newline="") as file:
            header, *rows = csv.reader(file)
        assert header == list(COLUMNS)
        assert sorted(row[0] for row in rows) == sorted(
            f"{p}-{j}" for p in range(8) for j in (2 * i, 2 * i + 1)
        )
        assert {(len(row), row[12]) for row in rows} == {(13, "split patient-42-1; teacher " + "x" * 3000)}


@pytest.mark.release
@pytest.mark.slow
def test_64_processes_append_200_rows_each(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    children = [
        subprocess.Popen([sys.executable, "-c", FLOOD, str(path), str(number)]) for number in range(64)
    ]
    assert [child.wait() for child in children] == [0] * 64
    with open(path, newline="") as file:
        header, *rows = csv.reader(file)
    assert header == list(COLUMNS)
    assert sorted(row[0] for row in rows) == sorted(f"{p}-{i}" for p in range(64) for i in range(200))
    assert {(len(row), row[12]) for row in rows} == {(13, "split patient-42-1; teacher " + "x" * 300)}


def test_no_row_is_without_its_split() -> None:
    with pytest.raises(ValueError, match="needs the id of the split"):
        append_result(Experiment("a"), Notes("", "2020", 1))
    with pytest.raises(ValueError, match="'by hand' would be lost"):
        append_result(Experiment("a", notes="by hand"), Notes(SPLIT))
    assert not results_csv().exists()
    append_result(Experiment("a"), Notes(SPLIT))
    assert read_results()["notes"][0] == f"split {SPLIT}"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of a file")
def test_a_full_disk_leaves_no_torn_row() -> None:
    append_result(ROW, NOTES)
    before = results_csv().read_bytes()
    child = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(results_csv())], capture_output=True, text=True, check=True
    )
    assert child.stdout.startswith("refused")
    assert results_csv().read_bytes() == before


def test_a_row_without_its_line_end_is_kept_apart() -> None:
    append_result(ROW, NOTES)
    torn = results_csv().read_bytes()[:-1]
    results_csv().write_bytes(torn)
    assert read_results().empty
    append_result(Experiment("next"), NOTES)
    assert read_results()["experiment_id"].tolist() == ["007", "next"]


def test_another_table_is_not_touched() -> None:
    results_csv().parent.mkdir()
    results_csv().write_text("a,b\n1,2\n")
    for act in (lambda: append_result(ROW, NOTES), read_results):
        with pytest.raises(DataError, match="is not an experiment log"):
            act()
    assert results_csv().read_text() == "a,b\n1,2\n"


def test_the_columns_are_those_of_the_header() -> None:
    assert ",".join(COLUMNS) == HEADER
    with pytest.raises(TypeError, match="auc"):
        Experiment("a", auc=1)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"b,{'x,' * 12}y", "has 14 cells and should have 13"),
        ("b,2026", "has 2 cells and should have 13"),
        (f"b,,,,,,,good{',' * 5}", "has 'good' for train_loss and should have a number or nothing"),
        (f"b,,,,,,,1e999{',' * 5}", "has '1e999' for train_loss and should have a number or nothing"),
        (f"b,,,,,,,0_1{',' * 5}", "has '0_1' for train_loss and should have a number or nothing"),
        (f"b,,,,,,,,-5{',' * 4}", "has '-5' for val_auc and should have a number 0-1 or nothing"),
        (f"b,,,,,,,,,8.5{',' * 3}", "has '8.5' for test_auc and should have a number 0-1 or nothing"),
        (
            '=cmd|x,2026,student,x,none,abc,nan,inf,1e999,-5,x,1.62,"x"',
            "has 'abc' for kd_temp and should have a number or nothing",
        ),
        ('"b,,,,,,,,,,,,', "is not CSV (unexpected end of data)"),
        (f"b\r{',' * 12}", "is not CSV (new-line character seen in unquoted field"),
        (f"b\xff{',' * 12}", "is not text in UTF-8"),
        (f"b\0{',' * 12}", "has a NUL byte"),
        ("\0" * 50, "has a NUL byte"),
    ],
)
def test_a_damaged_row_is_left_out_with_one_warning(
    line: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    append_result(ROW, NOTES)
    with open(results_csv(), "ab") as file:
        file.write(line.encode("latin-1") + b"\n")
    before = results_csv().read_bytes()
    append_result(Experiment("next"), NOTES)
    assert results_csv().read_bytes().startswith(before)
    assert read_results()["experiment_id"].tolist() == ["007", "next"]
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.message.startswith(f"Warning: line 3 of {results_csv()} {words}")
    assert record.message.endswith("; it is left out: mend or delete it")


def test_many_damaged_rows_are_one_warning() -> None:
    append_result(ROW, NOTES)
    with open(results_csv(), "a") as file:
        file.write("\n" + "torn\n" * 8)
    append_result(ROW, NOTES)
    found, damage = readable_and_damaged()
    assert [one.experiment_id for one in found] == ["007", "007"]
    assert str(damage) == (
        f"line 4 of {results_csv()} has 1 cell and should have 13; it is left out (and 7 more: "
        "5, 6, 7, 8, 9, …): mend or delete them"
    )


@pytest.mark.slow
def test_a_flipped_bit_costs_one_row_at_most_two() -> None:
    for name in "abc":
        append_result(replace(ROW, experiment_id=name), NOTES)
    content = results_csv().read_bytes()
    start, end = content.index(b"\nb,"), content.index(b"\nc,")
    for at in range(start + 1, end + 1):
        for bit in range(8):
            flipped = bytearray(content)
            flipped[at] ^= 1 << bit
            results_csv().write_bytes(flipped)
            names = [one.experiment_id for one in readable_and_damaged()[0]]
            assert names[0] == "a" and (at == end or names[-1] == "c")


@pytest.mark.parametrize("kind", ["mkfifo", "mkdir"])
def test_what_is_no_file_in_the_place_of_the_log_is_a_sentence_at_once(kind: str) -> None:
    if not hasattr(os, kind):
        pytest.skip("this system has no pipes in folders")
    results_csv().parent.mkdir(parents=True)
    getattr(os, kind)(results_csv())
    with pytest.raises(DataError, match=rf"the experiment log cannot be read: .*{results_csv()}"):
        readable_and_damaged()


def test_a_row_that_may_be_there_is_not_written_twice() -> None:
    for _ in range(2):
        append_result(ROW, NOTES, unless_there=True)
    append_result(replace(ROW, experiment_id="8"), NOTES, unless_there=True)
    append_result(ROW, NOTES)  # another experiment may have ended alike
    assert read_results()["experiment_id"].tolist() == ["007", "8", "007"]


def test_what_a_spreadsheet_would_run_or_a_terminal_obey_stays_text(tmp_path: Path) -> None:
    log = tmp_path / "results.csv"
    row = replace(ROW, model="=cmd|' /C calc'!A0", backbone="-x", attention="\x1b[2J", train_loss=-0.25)
    append_result(row, Notes(SPLIT, teacher="name\udce9.csv"), log)
    text = log.read_text(encoding="utf-8")
    assert text.splitlines()[1].startswith(
        r"007,2026-03-01,'=cmd|' /C calc'!A0,'-x,'\x1b[2J,,,-0.25,0.5,,,,'split "
    )
    [found] = read_experiments(log)
    assert found == replace(row, test_auc=None, notes=f"split {SPLIT}; teacher name\udce9.csv")
    assert to_csv([found]) == log.read_bytes()
