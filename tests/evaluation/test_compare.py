"""Two models on the films that both have."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from judged import TABLE, write_some_predictions

from xlite.data.folder import NihFolder
from xlite.data.predictions import Predictions, read_predictions, write_predictions
from xlite.errors import DataError
from xlite.evaluation.compare import compare_files, compare_on
from xlite.evaluation.options import ScoreOptions
from xlite.evaluation.score import judge_predictions
from xlite.findings import FINDINGS
from xlite.metrics.per_finding import auc_per_class


@pytest.fixture
def predictions(tiny_folder: Path, tmp_path: Path) -> Path:
    return write_some_predictions(tmp_path / "p.csv", tiny_folder)


def test_two_files_are_compared_on_the_films_both_have(
    predictions: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    folder, given = NihFolder.open(tiny_folder), read_predictions(predictions)
    names, labels = folder.table["image"].tolist(), folder.labels(folder.table["stem"].tolist())
    write_predictions(tmp_path / "perfect.csv", names, labels)
    found = compare_files(tmp_path / "perfect.csv", predictions, tiny_folder / TABLE, resamples=50)
    assert found.names == ("perfect.csv", "p.csv")
    assert (found.first, found.images, found.patients) == (1, 23, 12)
    alone = judge_predictions(predictions, tiny_folder, ScoreOptions(resamples=2)).report
    assert found.second == pytest.approx(alone.macro.auc.value)
    assert found.difference.value == pytest.approx(1 - found.second)
    assert found.p == pytest.approx(2 / 51)
    write_predictions(tmp_path / "others.csv", names[:1], labels[:1])
    with pytest.raises(DataError, match="share no film"):
        compare_files(tmp_path / "others.csv", predictions, tiny_folder)
    assert len(given.names) == 23


def test_films_of_one_patient_or_without_an_auc_are_refused(
    predictions: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    given = read_predictions(predictions)
    write_predictions(tmp_path / "two.csv", given.names[-1:], given.probs[-1:])
    with pytest.raises(DataError, match="one patient only"):
        compare_files(tmp_path / "two.csv", predictions, tiny_folder)
    healthy = pd.Series(given.stems).str.endswith("_001").to_numpy()
    names = np.array(given.names)[healthy].tolist()
    write_predictions(tmp_path / "healthy.csv", names, given.probs[healthy])
    with pytest.raises(DataError, match=f"{len(names)} films .* no AUC to compare"):
        compare_files(tmp_path / "healthy.csv", predictions, tiny_folder)


@pytest.mark.slow
def test_a_comparison_names_its_findings(large_table: NihFolder, tmp_path: Path) -> None:
    """Of 14 findings one is on the films of two patients only, so that some resamples lack it."""
    stems = large_table.table["stem"].tolist()
    labels = large_table.labels(stems)
    labels[:, 13] = np.isin(large_table.patients(stems), ["1", "2"])
    films = pd.DataFrame(labels, stems, columns=list(FINDINGS)).assign(patient=large_table.patients(stems))
    rng = np.random.default_rng(0)
    one, two = (Predictions(stems, stems, rng.random(labels.shape)) for _ in range(2))
    found = compare_on(films, (one, two), ("a", "b"), "t", resamples=200)
    assert (found.findings, found.in_every_resample) == (13, True)
    aucs = [auc_per_class(labels, each.probs)[:13].mean() for each in (one, two)]
    assert [found.first, found.second] == pytest.approx(aucs)
    assert found.difference.value == pytest.approx(aucs[0] - aucs[1])
    assert found.tie == (found.p >= 0.05)


def test_too_few_patients_for_any_finding_in_every_resample_are_told(
    predictions: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    found = compare_files(predictions, predictions, tiny_folder / TABLE, resamples=50)
    assert (found.findings, found.in_every_resample, found.p, found.tie) == (11, False, 1, True)
