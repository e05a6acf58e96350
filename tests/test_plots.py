"""Figures whose axes must hold what they show and nothing that cannot be."""

import pandas as pd
import pytest

from xlite.plots import finding_curves, learning_curves


@pytest.mark.parametrize(("epochs", "limits"), [(1, [0.96, 1.04]), (51, [-1.0, 53.0])])
def test_curves_show_the_epochs_there_are_and_no_auc_that_cannot_be(epochs: int, limits: list[float]):
    numbers = range(1, epochs + 1)
    columns = ("train_loss", "val_loss", "val_auc", "val_auc_Mass")
    metrics = pd.DataFrame({"epoch": numbers, **{name: [0.5] * epochs for name in columns}})
    curves, findings = learning_curves(metrics).layout, finding_curves(metrics).layout
    for axis in (curves.xaxis, curves.xaxis2, findings.xaxis):
        assert list(axis.range) == pytest.approx(limits)
    assert (curves.yaxis.autorangeoptions.minallowed, curves.yaxis.autorangeoptions.maxallowed) == (0, None)
    for axis in (curves.yaxis2, findings.yaxis):
        assert (axis.autorangeoptions.minallowed, axis.autorangeoptions.maxallowed) == (0, 1)
