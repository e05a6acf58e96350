"""What a federation is worth: every arm on the same test films."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command_line import Command
from federations import STUDENT, options

from xlite.data.folder import NihFolder
from xlite.data.splits import load_split
from xlite.federated.answers import answers
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.paired import compared_findings
from xlite.metrics.per_finding import auc_per_class, macro
from xlite.runs.run import Run

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick_report")]

ARMS = ["federated", "pooled", "alone, each on its own films", "client 1 alone", "client 2 alone"]
COLUMNS = ["arm", "auc", "sd", "federated_less_this", "low", "high", "p"]


def test_a_study_compares_all_arms_on_the_same_films_over_its_seeds(
    films: Path, own_home: Path, xlite: Command
):
    student = {name: value for name, value in STUDENT.items() if name != "seed"}
    words = options({"data": films, **student, "rounds": 1, "clients": 2, "device": "cpu", "seeds": 2})
    status, said, error = xlite("federate", "study", "--name", "worth", *words)
    assert (status, error) == (0, "")
    table = pd.read_csv(own_home / "experiments" / "federations" / "worth" / "study.csv")
    assert list(table) == COLUMNS and table["arm"].tolist() == ARMS
    others = table.iloc[1:]
    assert table.iloc[0][COLUMNS[3:]].isna().all() and others.notna().all(axis=None)
    assert (
        (others["low"] <= others["federated_less_this"]) & (others["federated_less_this"] <= others["high"])
    ).all()
    assert others["p"].between(0, 1).all() and (table["sd"] >= 0).all()

    # Each arm anew from its model files: a mean of macro AUC over seeds, all of the same test films.
    folder = NihFolder.open(films)
    split = load_split(folder, "patient")
    stems = split.stems("test")
    labels = folder.labels(stems)
    over = compared_findings(labels, Resamples(folder.patients(stems))).findings

    def mean_auc(suffix: str) -> float:
        aucs = []
        for seed in (42, 43):
            model = Run.named(f"worth-{seed}{suffix}").path("model.safetensors")
            probs = answers(model, folder, split, "test").probs
            aucs.append(float(macro(auc_per_class(labels[:, over], probs[:, over]))))
        return float(np.mean(aucs))

    found = table.set_index("arm")
    for arm, suffix in (("federated", ""), ("pooled", "-pooled"), ("client 1 alone", "-alone-1")):
        assert found.loc[arm, "auc"] == pytest.approx(mean_auc(suffix), abs=1e-4), arm
    less = found.loc["federated", "auc"] - others["auc"]
    assert others["federated_less_this"].tolist() == pytest.approx(less.tolist(), abs=2e-4)
    patients = len(set(folder.patients(stems).tolist()))
    assert f"over {int(over.sum())} findings of {len(stems)} test films of {patients} patients" in said
    assert "mean of 2 seeds" in said
