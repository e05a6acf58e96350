"""Confusion by counting film by film."""

import numpy as np
from demo_home import drawn_films

from xlite.findings import FINDINGS
from xlite.metrics.confusion import confusion


def test_confusion_counts_films() -> None:
    films = drawn_films(np.random.default_rng(1), count=80)
    labels, cuts = films.labels, np.full(14, 0.45)
    called = films.probs >= cuts
    found = confusion(labels, films.probs, cuts)
    expected = {name: np.zeros((14, 14), int) for name in ("together", "called", "beside", "in_place")}
    missed, silent = np.zeros(14, int), np.zeros(14, int)
    for y, call in zip(labels.astype(bool), called, strict=True):
        for a in np.flatnonzero(y):
            missed[a] += not call[a]
            silent[a] += not call.any()
            for b in range(14):
                expected["together"][a, b] += y[b]
                expected["called"][a, b] += call[b]
                expected["beside"][a, b] += call[a] and call[b] and not y[b]
                expected["in_place"][a, b] += not call[a] and call[b] and not y[b]
    assert found.findings == FINDINGS
    assert found.films == tuple(labels.sum(axis=0).astype(int))
    assert (found.missed, found.silent) == (tuple(missed), tuple(silent))
    for name, counts in expected.items():
        np.testing.assert_array_equal(getattr(found, name), counts, err_msg=name)


def test_a_probability_at_its_threshold_is_called() -> None:
    labels, probs = np.zeros((1, 14)), np.zeros((1, 14))
    labels[0, 2], probs[0, 2] = 1, 0.5
    found = confusion(labels, probs, np.full(14, 0.5))
    assert (found.films[2], found.missed[2], found.called[2][2]) == (1, 0, 1)
