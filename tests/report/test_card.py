"""The model card says what the model file and its report say, and nothing of the machine."""

import numpy as np

from xlite.evaluation.estimates import evaluate_predictions
from xlite.images import Preprocess
from xlite.models.checkpoint import ModelInfo
from xlite.report.card import interval, write_card


def test_the_card_holds_the_figures_of_the_report(tmp_path):
    rng = np.random.default_rng(0)
    labels = (rng.random((60, 14)) < 0.3).astype(np.float32)
    labels[:, 13] = 0
    report = evaluate_predictions(
        labels, rng.random((60, 14)), np.arange(60) // 2,
        split_id="patient-42-1a2b3c4d", part="test", label_version="2020", resamples=20,
    ) | {"contamination": None}  # fmt: skip
    info = ModelInfo(
        backbone="resnet18", attention="mhsa", hidden=256, dropout=0.3, preprocess=Preprocess(224),
        split_id="patient-42-1a2b3c4d", label_version="2020",
        notes={"run": "night", "teacher": "big", "seed": 7, "loss": "focal",
               "trained_on": "9 films of 4 patients"},
    )  # fmt: skip
    write_card(tmp_path / "CARD.md", info, report, 11_300_000, 45.2)
    card = (tmp_path / "CARD.md").read_text()
    assert card.startswith("# Model card: night\n")
    for part in (
        "resnet18, attention mhsa",
        "11.30 M parameters, 45.2 MB",
        "| Teacher | big |",
        "| Loss against labels | focal |",
        "| Trained on | 9 films of 4 patients: the train part of ",
    ):
        assert part in card
    assert f"| **mean of 13** | | **{interval(report['macro']['auc'])}** |" in card
    assert "60 films of 30 patients" in card and "split patient-42-1a2b3c4d" in card
    assert "| Hernia | 0 | undefined | undefined |" in card
    assert all(f"- {warning}" in card for warning in report["warnings"])
    assert "No diagnosis" in card
    assert "~~" not in card
    spoiled = report | {"contamination": {"films": 7, "of": 60, "reasons": ["seen"]}}
    write_card(tmp_path / "CARD.md", info, spoiled, 11_300_000, 45.2)
    card = (tmp_path / "CARD.md").read_text()
    assert "**Contaminated: 7 of 60 films" in card
    assert f"| **mean of 13** | | **~~{interval(report['macro']['auc'])}~~** |" in card


def test_an_interval_is_written_with_its_bounds():
    assert interval({"value": 0.8123, "low": 0.79, "high": 0.834}) == "0.812 (0.790–0.834)"
    assert interval({"value": 0.8123, "low": None, "high": None}) == "0.812"
    assert interval({"value": None, "low": None, "high": None}) == "undefined"
