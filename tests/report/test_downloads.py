"""A saved evaluation as files to take away."""

import json
from pathlib import Path

import pytest
from demo_home import SPLIT, save_demo_evaluation

from xlite.evaluation.report import Report
from xlite.report.downloads import downloads
from xlite.report.saved import read_evaluation

pytestmark = pytest.mark.slow


def test_each_file_is_made_when_it_is_asked_for(own_home: Path, no_charts: None) -> None:
    written = save_demo_evaluation(own_home)
    folder = own_home / "checkpoints" / "demo0" / "evaluation" / "test"
    found = {one.title: one for one in downloads(read_evaluation("demo0", folder))}
    assert [one.name for one in found.values()] == [
        f"demo0-{SPLIT}-test.{suffix}" for suffix in ("html", "pdf", "md", "json", "csv")
    ]
    markdown = found["Markdown"].make().decode()
    assert markdown.startswith("# Report on demo0\n") and f"split {SPLIT}, test part" in markdown.lower()
    assert found["HTML"].make().decode().startswith("<!doctype html>")
    assert found["PDF"].make().startswith(b"%PDF-")
    assert Report.model_validate(json.loads(found["JSON"].make())).macro == written.macro
    assert found["Probabilities (CSV)"].make() == (folder / "predictions.csv").read_bytes()
    (folder / "predictions.csv").unlink()
    assert len(downloads(read_evaluation("demo0", folder))) == 4
