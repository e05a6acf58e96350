"""Batches as training draws them, and what they hold."""

from pathlib import Path

import numpy as np
import pytest

from xlite.data.eda.batch_composition import draw_batches, measure_batches
from xlite.data.folder import NihFolder
from xlite.data.imbalance import balanced_sample_weights
from xlite.findings import FINDINGS, NO_FINDING
from xlite.training.sampler import EpochSampler


def test_batches_are_those_of_training(tiny_folder: Path):
    labels = NihFolder.open(tiny_folder).table[list(FINDINGS)].to_numpy()
    for weights in (None, balanced_sample_weights(labels)):
        sampler, expected = EpochSampler(24, 5, seed=3, weights=weights), []
        for epoch in (1, 2, 3):
            sampler.set_epoch(epoch)
            expected += sampler.batches()[:, 0].tolist()
        assert draw_batches(24, 5, 10, 3, weights).tolist() == expected[:10]


def test_measured_batches_are_what_a_slow_count_gives():
    labels = np.zeros((40, 14), dtype=np.uint8)
    labels[:20, 0] = labels[15:24, 1] = labels[3, 13] = 1
    measured = measure_batches(labels, size=8, seed=0, drawn=30)
    weights = balanced_sample_weights(labels)
    for column, chances in (("in_batch", None), ("balanced", weights)):
        counts = {name: [] for name in (NO_FINDING, *FINDINGS)}
        for batch in draw_batches(40, 8, 30, 0, chances).tolist():
            for number, name in enumerate(FINDINGS):
                counts[name].append(sum(int(labels[row][number]) for row in batch))
            counts[NO_FINDING].append(sum(not any(labels[row]) for row in batch))
        without = "without" if chances is None else "balanced_without"
        for name, films in counts.items():
            row = measured.classes.loc[name]
            assert row[column] == pytest.approx(sum(films) / 30)
            assert row[without] == pytest.approx(sum(n == 0 for n in films) / 30)
    rare = measured.classes.loc["Hernia"]
    assert rare["expected"] == 8 / 40 and rare["weight"] == pytest.approx(40 / 14)
    assert rare["repeats"] == pytest.approx(weights[3]) and rare["balanced_expected"] == pytest.approx(
        8 * weights[3] / 40
    )
    common = measured.classes.loc["Atelectasis"]
    assert (common["weight"], common["pos_weight"]) == (pytest.approx(40 / 280), 1)
    assert common["pull"] == common["weighted_pull"] == pytest.approx(common["in_batch"] / 8)
    share = rare["in_batch"] / 8
    assert rare["weighted_pull"] == pytest.approx(share * 40 / 14 / (share * 40 / 14 + 1 - share))
    assert measured.classes.loc["Mass"].isna().to_dict()["weight"]
    epoch = EpochSampler(40, 40, seed=0, weights=weights)
    epoch.set_epoch(1)
    films = epoch.batches().ravel().tolist()
    assert measured.seen == len(set(films)) / 40
    assert measured.most == max(films.count(film) for film in films)
