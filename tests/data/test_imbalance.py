"""Weights of classes and films, by hand and on the real table."""

import numpy as np
import pytest

from xlite.data.folder import NihFolder
from xlite.data.imbalance import (
    balanced_sample_weights,
    inverse_frequency,
    positive_weights,
)

LABELS = np.array([[1, 0, 0]] * 6 + [[1, 1, 0]] * 2 + [[0, 0, 0]] * 4)  # 8, 2 and 0 of 12 films


def test_class_weights():
    assert inverse_frequency(LABELS).tolist() == pytest.approx([12 / (3 * 8), 12 / (3 * 2), 12 / 3])
    assert positive_weights(LABELS).tolist() == [1, 2, 4]
    assert positive_weights(LABELS).dtype == np.float32


def test_a_balanced_draw_holds_as_many_films_of_each_finding():
    weights = balanced_sample_weights(LABELS)
    raw = np.array([1 / 8] * 6 + [1 / 2] * 2 + [1 / 4] * 4)
    np.testing.assert_allclose(weights, raw / raw.mean())
    assert weights[6:8].sum() == pytest.approx(weights[8:].sum())  # rare finding and No Finding alike


@pytest.mark.slow
def test_the_documents_weights_on_the_real_table(shared_data):
    folder = NihFolder.open(shared_data / "nih_tables")
    weights = inverse_frequency(folder.labels(folder.table["stem"].tolist()))
    assert weights.min() == pytest.approx(0.40, abs=0.005) and weights.max() == pytest.approx(35.3, abs=0.05)


def test_what_is_unknown_is_neither_positive_nor_negative():
    """Of the second finding 8 films are known, 2 of them with it; of the third none is."""
    labels = LABELS.astype(np.float32)
    labels[:4, 1] = labels[:, 2] = np.nan
    assert inverse_frequency(labels).tolist() == pytest.approx([12 / (3 * 8), 8 / (3 * 2), 0])
    assert positive_weights(labels).tolist() == pytest.approx([1, 8 / 6, 1])
    np.testing.assert_array_equal(balanced_sample_weights(labels), balanced_sample_weights(LABELS))
    labels[:6, 0] = np.nan  # of the first four of these nothing is known, of two no finding
    raw = np.array([0] * 4 + [1 / 6] * 2 + [1 / 2] * 2 + [1 / 6] * 4)
    np.testing.assert_allclose(balanced_sample_weights(labels), raw / raw.mean())
    raw = np.array([1 / 10] * 6 + [1 / 2] * 2 + [1 / 10] * 4)
    np.testing.assert_allclose(balanced_sample_weights(labels, with_unlabelled=True), raw / raw.mean())
    assert balanced_sample_weights(np.full((3, 2), np.nan)).tolist() == [1, 1, 1]
