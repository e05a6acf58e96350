"""Evaluations beside models: read, old ones too, or named in a sentence."""

import json
from pathlib import Path

import pytest
from demo_home import SPLIT, save_demo_evaluation

from xlite.errors import DataError, RunError
from xlite.models.available import SHIPPED, TINY
from xlite.report.saved import (
    Evaluation,
    evaluation_name,
    on_test_films,
    read_evaluation,
    saved_evaluations,
)


def own_evaluations() -> tuple[list[Evaluation], list[str]]:
    """Without those of the shipped models."""
    found, damaged = saved_evaluations()
    return [one for one in found if one.model not in (SHIPPED, TINY)], damaged


def folder_of(home: Path, name: str) -> Path:
    return home / "checkpoints" / name / "evaluation" / "test"


@pytest.mark.slow
def test_an_evaluation_is_read_under_the_name_of_its_folder(own_home: Path, no_charts: None) -> None:
    written = save_demo_evaluation(own_home, "before")
    (own_home / "checkpoints" / "before").rename(own_home / "checkpoints" / "after")
    found, damaged = own_evaluations()
    assert damaged == []
    [one] = found
    assert (one.model, one.report.model, one.group) == ("after", "after", (SPLIT, "test", "2020"))
    assert one.report.macro == written.macro
    assert one.folder == folder_of(own_home, "after")


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("metrics.json", "", "EOF while parsing a value"),
        ("metrics.json", "[" * 100_000, "recursion limit exceeded"),
        ("curves.json", '{"a":' * 100_000, "recursion limit exceeded"),
        ("metrics.json", "[]", "TypeError"),
        ("metrics.json", '{"split": {"id": 3}}', "split"),
        ("curves.json", "{}", "Atelectasis"),
        ("curves.json", None, "older X-Lite"),
    ],
)
def test_a_damaged_one_is_a_sentence_with_its_reason(
    own_home: Path, no_charts: None, file: str, content: str | None, reason: str
) -> None:
    save_demo_evaluation(own_home)
    path = folder_of(own_home, "demo0") / file
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    found, [damaged] = own_evaluations()
    assert found == []
    assert str(path.parent) in damaged and reason in damaged and damaged.count("\n") == 0


def test_the_metrics_of_a_file_are_those_that_were_written(own_home: Path, no_charts: None) -> None:
    save_demo_evaluation(own_home)
    folder = folder_of(own_home, "demo0")
    one = read_evaluation("demo0", folder)
    content = json.loads((folder / "metrics.json").read_text())
    assert one.report.macro.auc.value == content["macro"]["auc"]["value"]
    assert (
        one.curves["Mass"].roc.tpr == json.loads((folder / "curves.json").read_text())["Mass"]["roc"]["tpr"]
    )


def test_the_report_on_test_films_is_that_of_the_model_beside_it(own_home: Path, no_charts: None) -> None:
    report = save_demo_evaluation(own_home, "one")
    folder = own_home / "checkpoints" / "one"
    other = folder_of(own_home, "one").rename(folder / "evaluation" / "validated")
    facts = json.loads((other / "metrics.json").read_text())
    facts["split"]["part"] = "val"
    (other / "metrics.json").write_text(json.dumps(facts))
    model = folder / "model.safetensors"
    assert on_test_films(model) is None  # only validation films so far
    save_demo_evaluation(own_home, "one")
    for name in ("model.safetensors", "model.onnx"):
        found = on_test_films(folder / name)
        assert found and found.macro == report.macro
    assert on_test_films(folder / "model.int8.onnx") is None  # it answers otherwise
    assert on_test_films(own_home / "student.safetensors") is None
    (folder_of(own_home, "one") / "metrics.json").write_text("{}")
    with pytest.raises(DataError, match=r"The evaluation .* is damaged and left out"):
        on_test_films(model)


def test_an_evaluation_is_called_after_what_it_is_of(tmp_path: Path) -> None:
    assert evaluation_name("patient", "test", tmp_path) == "patient-test"
    assert evaluation_name("patient", "all", tmp_path / "clinic") == "all-clinic"
    assert evaluation_name("patient", "all", Path(f"{tmp_path}/clinic,{tmp_path}/ward")) == "all-clinic-ward"
    assert evaluation_name("patient", "all", tmp_path / "Haus der .. Lüfte") == "all-Haus-der-L-fte"
    with pytest.raises(RunError, match="cannot be a run's name"):
        evaluation_name("../patient", "test", tmp_path)
