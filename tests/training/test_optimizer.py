"""The learning rate of each step."""

from pathlib import Path

import pytest
from tiny_runs import config

from xlite.training.optimizer import learning_rate


def test_the_learning_rate_warms_up_and_falls_to_nothing():
    settings = config(Path("x"), "x", epochs=10, lr=1e-3, warmup_epochs=1)
    rates = [learning_rate(settings, step, 20) for step in range(200)]
    assert max(rates) == pytest.approx(1e-3, rel=1e-3) and rates.index(max(rates)) == 20
    assert all(b > a for a, b in zip(rates[:20], rates[1:21], strict=True))
    assert all(b < a for a, b in zip(rates[20:], rates[21:], strict=False))
    assert rates[-1] < 1e-6
