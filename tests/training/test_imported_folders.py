"""A folder of each kind of data set: imported, checked, split, one epoch of training, and judged.

Each label of each set comes out in the report as the finding that it is: so many films with it and without.
"""

from pathlib import Path

import pytest
from foreign_sets import SETS
from tiny_runs import config, run_to_end

from xlite.data.folder import NihFolder
from xlite.data.folder_check import check_folder
from xlite.data.importing.sources import read_source
from xlite.data.importing.write import write_import
from xlite.data.split_files import load_split
from xlite.evaluation.evaluate import judge_model
from xlite.evaluation.options import JudgeOptions
from xlite.evaluation.report import Report
from xlite.split_names import ALL_FILMS

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick_report", "own_home")]

FILMS: dict[str, dict[str, tuple[int, int]]] = {
    "chexpert": {"Effusion": (14, 14)},
    "mimic": {"Pneumonia": (12, 12)},
    "padchest": {
        "Atelectasis": (12, 13), "Cardiomegaly": (6, 19), "Effusion": (7, 18), "Pneumothorax": (1, 24),
    },
    "vindr": {"Cardiomegaly": (9, 6)},
    "rsna": {"Pneumonia": (4, 8)},
    "siim": {"Pneumothorax": (4, 8)},
    "openi": {"Cardiomegaly": (7, 6), "Pleural_Thickening": (7, 6)},
    "chestx-det": {"Nodule": (10, 10)},
    "xrv": {"Effusion": (6, 0)},
    "medmnist": {
        "Atelectasis": (3, 19), "Effusion": (3, 19),
        **dict.fromkeys(("Mass", "Pneumonia", "Consolidation", "Emphysema", "Pleural_Thickening"), (1, 21)),
    },
    "csv": {"Effusion": (12, 12), "Edema": (5, 18)},
}  # fmt: skip
"""With each finding that some film of a set has, and without it, as the set was written."""


@pytest.mark.parametrize("kind", SETS)
def test_an_imported_folder_is_trained_on_and_judged(kind: str, tmp_path: Path) -> None:
    source, out = SETS[kind](tmp_path / "source"), tmp_path / "data"
    write_import(kind, source, *read_source(kind, source), out)
    folder = NihFolder.open(out)
    assert check_folder(folder).ok
    split = load_split(folder, "patient")
    run, _ = run_to_end(config(out, "imported", epochs=1))
    metrics = run.evaluation("test") / "metrics.json"
    assert Report.model_validate_json(metrics.read_bytes()).split.images == len(split.parts["test"])
    report = judge_model("imported", out, "patient", ALL_FILMS, JudgeOptions(resamples=20)).report
    found = {name: (one.positives, one.films) for name, one in report.per_class.items() if one.positives}
    assert found == {name: (some, some + others) for name, (some, others) in FILMS[kind].items()}
