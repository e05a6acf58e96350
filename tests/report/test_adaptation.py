"""An adaptation in words: each verdict by the interval, and why there is none."""

import pytest

from xlite.evaluation.adaptation.adaptation import Change
from xlite.metrics.estimate import Estimate
from xlite.report.adaptation import verdict


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        (Estimate(-0.02, -0.03, -0.01), "better, by -0.020 (-0.030 to -0.010)."),
        (Estimate(0.02, 0.01, 0.03), "worse, by +0.020 (+0.010 to +0.030)."),
        (Estimate(0.0, -0.01, 0.01), "no difference beyond chance, +0.000 (-0.010 to +0.010)."),
        (Estimate(-0.02), "whether that is more than chance it cannot say below 1,000 patients."),
    ],
    ids=["better", "worse", "chance", "no interval"],
)
def test_a_mean_moved(difference: Estimate, said: str) -> None:
    change = Change(before=Estimate(0.05), after=Estimate(0.03), difference=difference)
    assert verdict(change, 1000) == f"goes from 0.050 to 0.030: {said}"
