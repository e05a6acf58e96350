"""The whole report, and the tabs of the page."""

import json
from pathlib import Path

import pytest
from demo_home import drawn_report

from xlite.evaluation.contamination.caveats import TrainedOn
from xlite.evaluation.report import Report
from xlite.models.checkpoint import load_model
from xlite.models.student import describe
from xlite.places import bundled
from xlite.report.card import write_card
from xlite.report.curves_json import read_curves
from xlite.report.document import Heading, Text, to_markdown
from xlite.report.sections.whole import tabs, whole
from xlite.report.view import View
from xlite.report.write import curves_of

pytestmark = pytest.mark.slow


def test_the_shipped_models_report_and_card_are_what_the_code_makes_of_its_metrics(tmp_path: Path) -> None:
    demo = bundled("checkpoints", "demo")
    folder = demo / "evaluation" / "test"
    metrics, curves = (json.loads((folder / name).read_text()) for name in ("metrics.json", "curves.json"))
    view = View(Report.model_validate(metrics), read_curves(curves))
    assert (folder / "report.md").read_text() == to_markdown(*whole(view))
    model, info = load_model(demo / "model.safetensors")
    size = (demo / "model.safetensors").stat().st_size / 1e6
    (tmp_path / "demo").mkdir()
    write_card(tmp_path / "demo" / "card.md", info, view.report, describe(model, 224).parameters, size)
    assert (tmp_path / "demo" / "card.md").read_text() == (demo / "MODEL_CARD.md").read_text()


def test_sections_without_facts_are_left_out_of_the_document_and_said_in_the_tabs() -> None:
    report, films = drawn_report()
    view = View(report, curves_of(report, films))
    title, blocks = whole(view)
    assert title == "Report on demo"
    headings = [block.text for block in blocks if isinstance(block, Heading)]
    assert headings == [
        "Findings", "Curves", "Published results", "Thresholds", "Calibration", "Subgroups",
        "What is called in its place", "What this may and may not be used for",
    ]  # fmt: skip
    found = tabs(view)
    assert list(found) == [
        "Findings", "Published", "Thresholds", "Calibration", "Subgroups", "Confusion", "Maps",
        "Radiologists",
    ]  # fmt: skip
    assert len(found["Maps"]) == len(found["Radiologists"]) == 1
    assert found["Radiologists"] == [Text("Radiologists' labels were not given to this evaluation.")]
    pages = [to_markdown("", section) for section in (blocks, *found.values())]
    assert not any("--" in text.replace("---", "") or "xlite " in text for text in pages)
    known = frozenset(films.stems[:20])
    contaminated, _ = drawn_report(caveats=[TrainedOn(films=200, known=20, stems=known)])
    assert next(iter(tabs(View(contaminated, view.curves)))) == "Clean films"
