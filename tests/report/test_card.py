"""The model card says what the model file and its report say, and nothing of the machine."""

from pathlib import Path

import pytest
from demo_home import SPLIT, drawn_report

from xlite.evaluation.contamination.caveats import Said, TrainedOn
from xlite.images import Preprocess
from xlite.models.info import ModelInfo
from xlite.report.card import write_card
from xlite.report.caveat_sentences import sentence

pytestmark = pytest.mark.slow

NOTES = {
    "run": "night", "teacher": "big,small", "seed": 7, "loss": "focal", "trained_on": "9 films of 4 patients",
    "teacher_knows": ({"list": "known.txt"},), "start_knows": (),
}  # fmt: skip


def test_the_card_holds_the_metrics_of_the_report(tmp_path: Path) -> None:
    info = ModelInfo(
        backbone="resnet18", attention="mhsa", hidden=256, dropout=0.3, preprocess=Preprocess(224),
        split_id=SPLIT, label_version="2020", notes=NOTES,
    )  # fmt: skip
    report, _ = drawn_report(caveats=[Said(text="another edition")])
    write_card(tmp_path / "CARD.md", info, report, 11_300_000, 45.2)
    card = (tmp_path / "CARD.md").read_text()
    assert card.startswith("# Model card: night\n")
    for part in (
        "resnet18, attention mhsa",
        "11.30 M parameters, 45.2 MB",
        "| Teacher | big, small |",
        "| Behind its teachers | the films of a list, known.txt |",
        "| Loss against labels | focal |",
        "| Trained on | 9 films of 4 patients: the train part of ",
    ):
        assert part in card
    assert f"| **mean of 13** | | **{report.macro.auc}** |" in card
    assert (
        "Chosen on: validation patients with the finding; if fewer than 10 have it, or do not, there" in card
    )
    assert "*" not in card.replace("**", "")
    assert "200 films of 100 patients" in card and f"split {SPLIT}" in card
    assert "| Hernia | 0 | undefined | undefined |" in card
    assert all(f"- {sentence(caveat)}" in card for caveat in report.caveats)
    assert "No diagnosis" in card
    assert "~~" not in card
    assert "attention mhsa, head of 256 units, " in card
    write_card(tmp_path / "CARD.md", info.model_copy(update={"hidden": 0}), report, 11_300_000, 45.2)
    assert "attention mhsa, head of one linear layer, " in (tmp_path / "CARD.md").read_text()
    write_card(tmp_path / "CARD.md", info.model_copy(update={"stages": 4}), report, 11_300_000, 45.2)
    assert "resnet18, its first 4 stages, attention mhsa" in (tmp_path / "CARD.md").read_text()
    contaminated, _ = drawn_report(caveats=[TrainedOn(films=200, known=7)])
    write_card(tmp_path / "CARD.md", info, contaminated, 11_300_000, 45.2)
    card = (tmp_path / "CARD.md").read_text()
    assert "**Contaminated: 7 of 200 films are not new" in card
    assert f"| **mean of 13** | | **~~{report.macro.auc}~~** |" in card
