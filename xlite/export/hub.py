"""`xlite export --hub`: a model as a folder that is a model's repository on a hub."""

import json
import shutil
from pathlib import Path
from typing import Any

import xlite
from xlite.engines.opening import export_of
from xlite.errors import CheckpointError, DataError
from xlite.evaluation.files import METRICS_FILE
from xlite.evaluation.report import Metrics, Report
from xlite.export.folder import replaced_folder
from xlite.export.front_matter import ATTRIBUTES, license_of, with_front_matter
from xlite.findings import FINDINGS
from xlite.models.available import CARD_FILE, EXPORT_FILE, EXPORT_SUFFIX, MODEL_FILE
from xlite.models.info import FORMAT, ModelInfo, read_info
from xlite.report.card import card
from xlite.report.means import mean_auc
from xlite.report.saved import read_evaluation
from xlite.text import counted, labels_of

_TEST = Path("evaluation", "test")


def write_hub(source: Path, name: str, folder: Path) -> None:
    """Writes the repository of a model file, called `name`, into a folder; its export, too, if it has one.

    The card is the one beside the model, or is made here. Raises CheckpointError for a file without weights
    or that is not a model; RunError for a folder that may not be written.
    """
    if source.suffix == EXPORT_SUFFIX:
        raise CheckpointError(
            f"{source} is an export, which has no weights to train on or to make maps from: name the model "
            "that it was made from"
        )
    info = read_info(source)
    text, report = _card(source, name, info)
    config = {"format": FORMAT, "xlite": xlite.__version__} | info.model_dump(mode="json")
    with replaced_folder(folder) as draft:
        shutil.copyfile(source, draft / MODEL_FILE)
        if export := export_of(source):
            (draft / EXPORT_FILE).write_bytes(export.content)
        (draft / "config.json").write_text(json.dumps(config, indent=2, allow_nan=False) + "\n")
        readme = with_front_matter(_fields(source, name, info, report), text + _use(name))
        (draft / "README.md").write_bytes(readme)
        (draft / ".gitattributes").write_text(ATTRIBUTES)


def _card(source: Path, name: str, info: ModelInfo) -> tuple[str, Report | None]:
    """The card of a model, and the report on its test films that it shows, if there is one."""
    beside, report = source.with_name(CARD_FILE), None
    if source.name == MODEL_FILE and (source.parent / _TEST / METRICS_FILE).is_file():
        try:
            report = read_evaluation(name, source.parent / _TEST).report
        except DataError as error:
            raise CheckpointError(str(error)) from error
    if source.name == MODEL_FILE and beside.is_file():
        return beside.read_text(encoding="utf-8"), report
    from xlite.engines.torch_engine import TorchEngine

    parameters, megabytes = TorchEngine.load(source).size().parameters, source.stat().st_size / 1e6
    return card(info.notes.run or name, info, report, parameters, megabytes), report


def _fields(source: Path, name: str, info: ModelInfo, report: Report | None) -> dict[str, Any]:
    """As the hub's specification of model cards has them."""
    fields = {
        "language": "en",
        "license": license_of(source),
        "library_name": "xlite",
        "pipeline_tag": "image-classification",
        "tags": ["chest-x-ray", "medical-imaging", "multi-label-classification", info.backbone],
    }
    results = _results(report) if report else []
    index = {"metrics": ["roc_auc"], "model-index": [{"name": name, "results": results}]}
    return fields | (index if results else {})


def _results(report: Report) -> list[dict[str, Any]]:
    """The mean AUC on test films that are new to the model; nothing if there are none, or nobody can tell."""
    metrics: Metrics | None = report.contamination.clean if report.contamination else report
    if metrics is None:
        return []
    (over, auc), split = mean_auc(metrics), metrics.split
    if auc.value is None:
        return []
    films = f"{counted(split.images, 'film')} of {counted(split.patients, 'patient')} new to the model"
    dataset = {
        "type": "chest-x-ray",
        "name": f"{split.part} part of split {split.id}, {labels_of(split.label_version)}: {films}",
        "split": split.part,
    }
    task = {"type": "image-classification", "name": f"{len(FINDINGS)} findings in chest films"}
    said = {"type": "roc_auc", "value": auc.value, "name": f"AUC {auc}, {over}"}
    return [{"task": task, "dataset": dataset, "metrics": [said]}]


def _use(name: str) -> str:
    return f"""
## How to read a film with it

```python
from xlite import Classifier, read_image  # X-Lite: the distribution xlite-cxr

reading = Classifier.load("{name}").read(read_image("film.png"))  # "{name}": this folder
print(reading.top(3))
```
"""
