"""Two models on the films that both have."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from judged import TABLE, write_some_predictions

from xlite.data.folder import NihFolder
from xlite.data.predictions import read_predictions, write_predictions
from xlite.errors import DataError
from xlite.evaluation.compare import compare_files
from xlite.evaluation.options import ScoreOptions
from xlite.evaluation.score import judge_predictions


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
