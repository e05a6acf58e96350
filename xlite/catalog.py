"""What there is to choose from: models, their evaluations, bundled example films, a data folder. No torch."""

import csv
import json
import os
from dataclasses import dataclass
from pathlib import Path

from xlite.config import PACKAGE_ROOT, checkpoints_dir
from xlite.findings import FINDINGS, spoken
from xlite.training.run import Run

EXAMPLES = PACKAGE_ROOT / "app" / "examples"
MODEL_FILE = "model.safetensors"
PARTS = ("train", "val", "test")


@dataclass(frozen=True)
class Evaluation:
    """What `xlite evaluate` wrote about one model on one part of one split."""

    model: str
    folder: Path
    metrics: dict
    roc: dict

    @property
    def split_id(self) -> str:
        """Identity of the split: figures of different splits are never ranked together."""
        return self.metrics["split"]["id"]

    @property
    def part(self) -> str:
        """train, val or test."""
        return self.metrics["split"]["part"]

    @property
    def group(self) -> tuple[str, str, str]:
        """What has to be equal before two evaluations may be compared: split, part, edition of the labels."""
        return self.split_id, self.part, self.metrics["split"]["label_version"]

    @property
    def source(self) -> str:
        """One line that belongs on each of its figures: split, part, films, patients, labels."""
        split = self.metrics["split"]
        return (
            f"split {self.split_id}, {self.part} part: {split['images']:,} films of {split['patients']:,} "
            f"patients, {split['label_version']} labels"
        )


@dataclass(frozen=True)
class Example:
    """A bundled synthetic film and what was drawn into it."""

    path: Path
    findings: str


def _folders() -> list[Path]:
    """Folders of models: the shipped ones first, then one's own, each newest first."""
    found: dict[Path, None] = {}
    for parent in (PACKAGE_ROOT / "checkpoints", checkpoints_dir()):
        folders = [path.resolve() for path in parent.glob("*") if path.is_dir()] if parent.is_dir() else []
        found |= dict.fromkeys(sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True))
    return list(found)


def model_files() -> dict[str, Path]:
    """Model files by name: shipped models first, then one's own runs, newest first."""
    files: dict[str, Path] = {}
    for folder in _folders():
        if (folder / MODEL_FILE).is_file():
            files.setdefault(folder.name, folder / MODEL_FILE)
    return files


def model_card(name: str) -> str | None:
    """The model card (Markdown) beside a model, None where there is none."""
    card = model_files()[name].with_name("MODEL_CARD.md")
    return card.read_text(encoding="utf-8") if card.is_file() else None


def evaluations() -> list[Evaluation]:
    """Every evaluation in `<model>/evaluation/*/`, in the order of the models; a run's own report first."""
    found = []
    for folder in _folders():
        paths = folder.glob("evaluation/*/metrics.json")
        for path in sorted(paths, key=lambda path: (path.parent.name not in PARTS, path.parent.name)):
            roc = path.with_name("roc.json")
            if roc.is_file():
                metrics, curves = json.loads(path.read_bytes()), json.loads(roc.read_bytes())
                found.append(Evaluation(folder.name, path.parent, metrics, curves))
    return found


def judged_on_test(model: str) -> Evaluation | None:
    """The evaluation of a model on its test part, None where there is none yet."""
    return next((e for e in evaluations() if e.model == model and e.part == "test"), None)


def examples() -> list[Example]:
    """The bundled films, in the order of `app/examples/examples.csv`; empty where they are not installed."""
    table = EXAMPLES / "examples.csv"
    if not table.is_file():
        return []
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    films = [(EXAMPLES / row[0], row[1].split("|")) for row in rows if row]
    return [Example(path, ", ".join(map(spoken, findings))) for path, findings in films if path.is_file()]


def default_data() -> str:
    """The data folder to begin with: $XLITE_DATA, else that of the newest run, else empty."""
    runs = [] if os.environ.get("XLITE_DATA") else Run.list()
    return os.environ.get("XLITE_DATA") or (str(runs[0].config().data) if runs else "")


def format_interval(value: dict | None) -> str:
    """`0.812 (0.790 to 0.834)` from {value, low, high}; a dash where the figure is undefined."""
    if not value or value["value"] is None:
        return "–"
    if value["low"] is None or value["high"] is None:
        return f"{value['value']:.3f}"
    return f"{value['value']:.3f} ({value['low']:.3f} to {value['high']:.3f})"


def metrics_rows(evaluation: Evaluation) -> list[dict]:
    """The per-finding figures of an evaluation as rows of a table, in NIH order."""
    rows = []
    for finding in FINDINGS:
        figures = evaluation.metrics["per_class"][finding]
        rows.append(
            {
                "Finding": spoken(finding),
                "Positives": figures["positives"],
                "AUC": figures["auc"]["value"],
                "AUC low": figures["auc"]["low"],
                "AUC high": figures["auc"]["high"],
                "AP": figures["ap"]["value"],
                **{label: figures[name] for label, name in _COLUMNS.items()},
            }
        )
    return rows


_COLUMNS = {
    "Threshold": "threshold",
    "F1": "f1",
    "Precision": "precision",
    "Recall": "recall",
    "Specificity": "specificity",
    "ECE": "ece",
}
