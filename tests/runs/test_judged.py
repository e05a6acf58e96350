"""What a run's folder says of its model in short."""

import json
import struct
from pathlib import Path

import pytest
from demo_home import SPLIT, save_demo_evaluation, save_demo_model

from xlite.errors import DataError
from xlite.evaluation.contamination.caveats import TrainedOn
from xlite.metrics.estimate import Estimate
from xlite.report.means import shown_mean
from xlite.runs.judged import Judgement, read_judgement, read_parameters, read_row


def test_the_short_of_a_report_is_what_the_report_says(own_home: Path) -> None:
    report = save_demo_evaluation(own_home)
    found = read_judgement(own_home / "checkpoints" / "demo0" / "evaluation" / "test" / "metrics.json")
    assert found == Judgement(SPLIT, "2020", 200, shown_mean(report, "auc"))
    assert found.group == (SPLIT, "2020")


@pytest.mark.slow
def test_films_that_the_model_knows_are_counted_and_the_others_have_an_auc(own_home: Path) -> None:
    report = save_demo_evaluation(own_home, caveats=[TrainedOn(films=200, known=7)])
    assert report.contamination is not None
    clean = report.contamination.clean
    found = read_judgement(own_home / "checkpoints" / "demo0" / "evaluation" / "test" / "metrics.json")
    assert found == Judgement(
        SPLIT,
        "2020",
        200,
        shown_mean(report, "auc"),
        known=report.contamination.films,
        untold=bool(report.contamination.unknown),
        clean=None if clean is None else clean.macro.auc.value,
    )
    assert report.contaminated


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "{}",
        '{"split": [], "macro": {}}',
        json.dumps({"split": {"id": "a", "label_version": "b", "images": "x"}, "macro": {"auc": {}}}),
        json.dumps(
            {
                "split": {"id": "a", "label_version": "b", "images": 3},
                "macro": {"auc": {"value": 7, "low": None, "high": None}},
            }
        ),
    ],
)
def test_a_damaged_report_is_a_sentence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "metrics.json"
    path.write_text(content)
    with pytest.raises(DataError, match="^the evaluation .* is damaged and left out .*; delete it or"):
        read_judgement(path)
    assert read_judgement(tmp_path / "none.json") is None


@pytest.mark.parametrize(
    ("findings", "shown"),
    [(["Mass"], Estimate(0.6, 0.5, 0.7)), ([], Estimate(0.4))],
    ids=["all of the mean", "too few patients"],
)
def test_an_interval_is_read_only_where_results_shows_one(
    tmp_path: Path, findings: list[str], shown: Estimate
) -> None:
    value = shown.value
    content = {
        "split": {"id": "a", "label_version": "b", "images": 3},
        "macro": {"auc": {"value": value, "low": 0.0, "high": 0.98}},
        "macro_findings": {"auc": 1},
        "macro_fixed": {"auc": {"findings": findings, "estimate": {"value": value, "low": 0.5, "high": 0.7}}},
    }
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps(content))
    judgement = read_judgement(path)
    assert judgement is not None and judgement.auc == shown


def test_an_undefined_auc_is_none(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    auc = {"value": None, "low": None, "high": None}
    split = {"id": "a", "label_version": "b", "images": 3}
    path.write_text(json.dumps({"split": split, "macro": {"auc": auc}, "contamination": None}))
    assert read_judgement(path) == Judgement("a", "b", 3, Estimate(None))


def test_a_row_that_is_damaged_or_not_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "row.json"
    assert read_row(path) is None
    path.write_text('{"experiment_id": 3')
    assert read_row(path) is None
    path.write_text('{"experiment_id": "one", "inference_time_ms": 20.1}')
    row = read_row(path)
    assert row is not None and (row.experiment_id, row.inference_time_ms) == ("one", 20.1)


def test_parameters_are_those_that_the_network_trains(own_home: Path) -> None:
    from xlite.models.checkpoint import load_model

    path = save_demo_model(own_home)
    model, _ = load_model(path)
    assert read_parameters(path) == sum(one.numel() for one in model.parameters())


@pytest.mark.parametrize("content", [b"", b"x" * 20, struct.pack("<Q", 2) + b"[]", struct.pack("<Q", 99)])
def test_what_is_no_model_file_has_no_parameters(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    assert read_parameters(path) is None
    assert read_parameters(tmp_path / "none") is None
