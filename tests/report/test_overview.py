"""What the cards of the Overview page say."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from demo_home import BACKBONE, SPLIT, drawn_report, save_demo_model

from xlite.errors import CheckpointError, DataError
from xlite.evaluation.contamination.caveats import TeacherKnows
from xlite.evaluation.contamination.source_facts import SeenByTeacher, TeacherSaid, TeacherUnknown
from xlite.models.duty import Duty
from xlite.report import overview
from xlite.report.means import shown_mean
from xlite.report.overview import (
    auc_headline,
    auc_of,
    data_headline,
    device_headline,
    disk_headline,
    free_space,
    low_disk,
    model_headline,
)
from xlite.report.sentences import clean_in_short, source

TEACHERS = (TeacherSaid(text="it knows"),)
SEEN = SeenByTeacher(split_id="s", part="test", films=200, trained=60, with_val=60, patients=60)


@pytest.mark.slow
def test_a_clean_auc_stands_alone() -> None:
    report, _ = drawn_report()
    found = auc_headline(report)
    assert (found.value, found.detail) == (str(report.macro.auc), f"Mean of 13  \n{source(report)}")


@pytest.mark.slow
def test_the_clean_films_take_the_place_of_a_contaminated_auc() -> None:
    _, films = drawn_report()
    known = TeacherKnows(teachers=(SEEN,), known=60, stems=frozenset(films.stems[:60]))
    report, _ = drawn_report(caveats=[known])
    found = auc_headline(report)
    assert report.contamination and report.contamination.clean
    assert found.value == str(shown_mean(report.contamination.clean, "auc"))
    assert found.detail.splitlines()[:2] == [
        "On the 140 clean films, mean of 13  ",
        f"~~{report.macro.auc}~~ on all: 60 of 200 test films are known to its teacher  ",
    ]


@pytest.mark.slow
def test_an_auc_without_clean_films_is_struck_through() -> None:
    report, _ = drawn_report(caveats=[TeacherKnows(teachers=TEACHERS, known=7)])
    found = auc_headline(report)
    assert found.value == f"~~{report.macro.auc}~~"
    assert found.detail.startswith(f"7 of 200 test films are known to its teacher. {clean_in_short(report)}")


@pytest.mark.slow
def test_an_auc_of_which_nobody_knows_whether_it_is_clean_says_so_in_a_clause() -> None:
    report, _ = drawn_report(caveats=[TeacherKnows(teachers=(TeacherUnknown(kind="weights", name="w.pt"),))])
    found = auc_headline(report)
    assert (found.value, found.detail.splitlines()[0]) == (
        str(report.macro.auc),
        "Mean of 13; whether the model or what it learned from knows these films is not known  ",
    )


@pytest.mark.slow
def test_the_auc_is_that_of_the_report_or_not_measured() -> None:
    report, _ = drawn_report()
    assert auc_of(report) == auc_headline(report)
    assert auc_of(None).value == "Not measured yet"


def test_a_data_folder_is_counted(tiny_folder: Path, tmp_path: Path) -> None:
    whole = data_headline(tiny_folder)
    assert (whole.value, whole.detail) == ("24 films", "12 patients, 2020 labels")
    next((tiny_folder / "images").iterdir()).unlink()
    assert data_headline(tiny_folder).detail == "12 patients, 2020 labels, 1 in the table only"
    with pytest.raises(DataError):
        data_headline(tmp_path / "none")


def test_a_model_is_named_with_what_its_file_says(own_home: Path, tmp_path: Path) -> None:
    path = save_demo_model(own_home)
    found = model_headline(Duty("demo0", path))
    assert found.value == "demo0"
    assert found.detail.startswith(BACKBONE) and "films of 64 px" in found.detail
    assert f"trained on split {SPLIT}, 2020 labels" in found.detail
    (tmp_path / "no.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError):
        model_headline(Duty("no", tmp_path / "no.safetensors"))
    assert model_headline(Duty("", None)).value == "None yet"


def test_an_export_is_named_with_what_its_file_says(exported: tuple[Path, Path]) -> None:
    found = model_headline(Duty("mine", exported[1]))
    assert found.value == "mine" and "films of 96 px" in found.detail


def test_little_space_is_said(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    much = disk_headline(123_456_000_000)
    assert (much.value, much.detail) == ("123.5 GB free", "where runs and their reports are kept")
    assert low_disk(123_456_000_000) == low_disk(2 * 10**9) == ""
    assert low_disk(300_000_000) == (
        "There is little space left (0.3 GB): a run that finds the disk full fails. Delete runs that you no "
        "longer need, or name another folder by XLITE_HOME."
    )
    asked: list[Path] = []

    def usage(folder: Path) -> SimpleNamespace:
        asked.append(folder)
        return SimpleNamespace(free=7)

    monkeypatch.setattr(overview.shutil, "disk_usage", usage)
    assert free_space() == 7
    (own_home / "checkpoints").mkdir()
    free_space()
    assert asked == [own_home, own_home / "checkpoints"]


def test_the_device_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert device_headline().value == "CPU"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert device_headline().value == "Apple GPU"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: "H100")
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda index: SimpleNamespace(total_memory=80 * 2**30)
    )
    found = device_headline()
    assert (found.value, found.detail) == ("H100", "80 GiB of memory")
