"""Which saved evaluations are of a folder's films, and what they say of them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from noise_folder import write_noise_folder

from xlite.data.folder import NihFolder
from xlite.data.joined import join
from xlite.data.predictions import write_predictions
from xlite.evaluation.films import Films, write_labels
from xlite.findings import FINDINGS
from xlite.models import available
from xlite.places import bundled
from xlite.report.film_probabilities import prediction_files, probabilities_by_model


@pytest.fixture
def only_home(own_home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home without the models that ship."""
    monkeypatch.setattr(available, "bundled", (tmp_path / "package").joinpath)
    return own_home


@pytest.fixture
def folder(tiny_folder: Path) -> NihFolder:
    return NihFolder.open(tiny_folder)


def save(
    home: Path, folder: NihFolder, rows: list[int], value: float, model: str = "demo0", part: str = "test"
) -> Path:
    """An evaluation of some of the folder's films, `value` for each finding."""
    out = home / "checkpoints" / model / "evaluation" / part
    out.mkdir(parents=True)
    table = folder.table.iloc[rows]
    probs = np.full((len(rows), 14), value)
    write_predictions(out / "predictions.csv", table["image"].tolist(), probs)
    write_labels(out / "labels.csv", Films(table, table["image"].tolist(), probs, probs))
    return out


def test_evaluations_of_a_model_are_put_together(only_home: Path, folder: NihFolder):
    save(only_home, folder, [0, 1], 0.25, part="test")
    save(only_home, folder, [1, 5], 0.75, part="other")
    found, damaged = probabilities_by_model(folder, prediction_files())
    assert damaged == [] and list(found) == ["demo0"]
    judged = found["demo0"]
    assert judged.parts == ("test", "other") and judged.films == 3
    assert judged.probs[[0, 1, 5], 3].tolist() == [0.25, 0.25, 0.75]


def test_other_films_of_the_same_names_do_not_count(only_home: Path, folder: NihFolder):
    out = save(only_home, folder, list(range(24)), 0.5)
    labels = pd.read_csv(out / "labels.csv", dtype=str)
    labels[list(FINDINGS)] = "1"
    labels.to_csv(out / "labels.csv", index=False)
    assert probabilities_by_model(folder, prediction_files()) == ({}, [])


def test_without_labels_the_report_tells_how_many_films_have_each_finding(only_home: Path, folder: NihFolder):
    out = save(only_home, folder, [0, 1, 2], 0.5)
    (out / "labels.csv").unlink()
    positives = dict(zip(FINDINGS, folder.table[list(FINDINGS)].iloc[:3].sum().tolist(), strict=True))
    told = ",".join(f'"{name}": {{"positives": {films}}}' for name, films in positives.items())
    (out / "metrics.json").write_text(f'{{"per_class": {{{told}}}}}')
    assert probabilities_by_model(folder, prediction_files())[0]["demo0"].films == 3
    (out / "metrics.json").write_text('{"per_class": {}}')
    assert probabilities_by_model(folder, prediction_files()) == ({}, [])


def test_predictions_without_labels_and_report_do_not_count(only_home: Path, folder: NihFolder):
    """As a run keeps those of its validation part."""
    (save(only_home, folder, list(range(24)), 0.5, part="val") / "labels.csv").unlink()
    assert probabilities_by_model(folder, prediction_files()) == ({}, [])


def test_a_damaged_evaluation_gets_a_sentence_and_spares_the_others(only_home: Path, folder: NihFolder):
    out = save(only_home, folder, [0], 0.5, model="broken")
    (out / "predictions.csv").write_text("image,Mass\n")
    save(only_home, folder, [0], 0.5)
    found, (sentence,) = probabilities_by_model(folder, prediction_files())
    assert list(found) == ["demo0"]
    assert sentence.startswith("The evaluation test of broken is left out: ") and "lacks 13" in sentence


def test_the_shipped_model_did_not_judge_other_films(folder: NihFolder, own_home: Path):
    assert bundled("checkpoints", "demo", "evaluation", "test", "predictions.csv").is_file()
    assert "demo" in {model for model, _, _ in prediction_files()}
    assert probabilities_by_model(folder, prediction_files()) == ({}, [])


def test_of_several_folders_evaluations_on_all_and_on_each_are_put_together(
    only_home: Path, tmp_path: Path
) -> None:
    west = NihFolder.open(write_noise_folder(tmp_path / "west"))
    other = write_noise_folder(tmp_path / "east", patients=15, seed=1)
    table = other / "Data_Entry_2017_v2020.csv"
    table.write_text(table.read_text().replace("No Finding", "Mass"))  # so that its films are told apart
    east = NihFolder.open(other)
    both = join([west, east])
    save(only_home, both, [0, 30], 0.25, part="test")
    save(only_home, west, [0, 1], 0.5, part="all-west")
    save(only_home, east, [29], 0.75, model="demo1", part="all-east")
    found, damaged = probabilities_by_model(both, prediction_files())
    assert damaged == [] and list(found) == ["demo0", "demo1"]
    first, second = found["demo0"], found["demo1"]
    assert (first.parts, first.films) == (("test", "all-west"), 3)
    assert first.probs[[0, 1, 30], 3].tolist() == [0.25, 0.5, 0.25]
    assert (second.parts, second.films, second.probs[24 + 29, 0]) == (("all-east",), 1, 0.75)
