"""Planted labels: as many of both kinds, and in the train part alone."""

from pathlib import Path

import numpy as np
import pytest
from label_noise import planted, write_planted

from xlite.data.folder import NihFolder
from xlite.data.phantom import write_phantom
from xlite.data.split_files import load_split


def test_as_many_are_made_yes_as_are_made_no() -> None:
    labels = (np.random.default_rng(0).random((500, 14)) < 0.2).astype(np.float32)
    changed = planted(labels, 0.1, np.random.default_rng(1))
    for column in range(14):
        moved = changed[:, column] - labels[:, column]
        count = round(0.1 * labels[:, column].sum())
        assert ((moved == 1).sum(), (moved == -1).sum()) == (count, count)


@pytest.mark.slow
def test_the_folder_written_differs_in_its_train_part_alone(tmp_path: Path) -> None:
    write_phantom(tmp_path / "right", images=60, patients=25, size=32, seed=7, processes=1)
    right = NihFolder.open(tmp_path / "right")
    count = write_planted(right, tmp_path / "wrong", 0.5, 0)
    wrong = NihFolder.open(tmp_path / "wrong")
    split = load_split(right, "patient")
    assert load_split(wrong, "patient").parts == split.parts and wrong.is_phantom
    assert wrong.paths.keys() == right.paths.keys()
    for part in ("train", "val", "test"):
        stems = split.stems(part)
        differ = int((wrong.labels(stems) != right.labels(stems)).sum())
        assert differ == (count if part == "train" else 0)
    assert count > 0
