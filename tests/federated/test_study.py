"""A study: arms trained on the same films by the same settings, compared on the same test films."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command_line import Command
from federations import STUDENT, options

from xlite.data.folder import NihFolder
from xlite.data.split_files import load_split
from xlite.errors import RunError
from xlite.federated.answers import answers
from xlite.federated.dealing import Deal, not_labelled
from xlite.federated.study import Also, Arm, Study, noise_costs, run_study
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.estimate import Estimate
from xlite.metrics.paired import compared_findings
from xlite.metrics.per_finding import auc_per_class, macro
from xlite.metrics.significance import Found
from xlite.places import federations_dir
from xlite.runs.run import Run

ARMS = ["federated", "pooled", "alone, each on its own films", "client 1 alone", "client 2 alone"]
COLUMNS = ["arm", "auc", "sd", "federated_less_this", "low", "high", "p"]


@pytest.mark.slow
@pytest.mark.usefixtures("quick_report")
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

    # Each arm anew from its model files: a mean of the mean AUC over seeds, all of the same test films.
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


@pytest.mark.slow
@pytest.mark.usefixtures("quick_report")
def test_other_federations_are_compared_with_the_first_one_on_the_same_films(films: Path):
    values = {"data": films, "device": "cpu", **STUDENT, "rounds": 1, "clients": 2}
    also = [Also.read("norms=local"), Also.read("norms=frozen, dp-epsilon=1e9,dp-clip=1e9")]
    found = run_study("both", values, Deal(labelled=0.5), 2, also)
    assert [arm.name for arm in found.arms] == [
        "federated", "pooled", "alone, each on its own films", "client 1 alone", "client 2 alone",
        "federated, norms=local", "federated, norms=frozen, dp-epsilon=1e9,dp-clip=1e9",
    ]  # fmt: skip
    assert [len(arm.aucs) for arm in found.arms] == [2] * 7
    first, *others = found.arms
    assert first.less is None
    for arm in others:
        difference = sum(first.aucs) / 2 - sum(arm.aucs) / 2
        assert arm.less is not None and arm.less.difference.value == pytest.approx(difference, abs=1e-12)
    table = pd.read_csv(federations_dir() / "both" / "study.csv")
    assert table["arm"].tolist() == [arm.name for arm in found.arms]
    for seed in (42, 43):
        plain, local, private = (Run.named(f"both-{seed}{end}") for end in ("", "-also-1", "-also-2"))
        assert not local.path("model.safetensors").exists() and private.path("model.safetensors").exists()
        assert local.config().model_dump(exclude={"name"}) == plain.config().model_dump(exclude={"name"})
        lacking = not_labelled(2, Deal(labelled=0.5), seed)
        for run in (plain, local, private):
            for place, findings in enumerate(lacking, 1):
                known = NihFolder.open(run.path("clients") / str(place)).table.drop(columns=findings)
                assert not known.isna().any(axis=None)


def test_the_cost_of_noise_is_said_of_each_federation_that_has_some():
    also = [Also.read(typed) for typed in ("norms=local", "norms=frozen,dp-epsilon=8")]
    less = Found(Estimate(0.04, -0.117, 0.183), 0.55)
    arms = [Arm("federated", [0.5]), *(Arm(f"federated, {one.typed}", [0.4], less) for one in also)]
    assert noise_costs(Study(arms, 18, 5, 8, 100), also) == [
        "What norms=frozen,dp-epsilon=8 costs in AUC, against the first federation: +0.040 "
        "(-0.117 to +0.183)."
    ]


@pytest.mark.parametrize(
    "typed, wrong",
    [
        ("norm=local", "norm"),
        ("data=elsewhere", "data"),
        ("seed=3", "seed"),
        ("clients=9", "clients"),
        ("", ""),
    ],
)
def test_a_federation_of_a_study_decides_about_nothing_else(typed: str, wrong: str):
    with pytest.raises(RunError, match=f"--also {typed!r} has {wrong!r}, which no federation of a study"):
        Also.read(typed)


@pytest.mark.usefixtures("quick_report")
def test_a_wrong_value_is_refused_before_anything_trains(films: Path):
    values = {"data": films, "device": "cpu", **STUDENT, "rounds": 1, "clients": 2}
    with pytest.raises(RunError, match="norms is 'shared': input should be 'averaged', 'local' or 'frozen'"):
        run_study("wrong", values, Deal(), 2, [Also.read("norms=shared")])
    assert not list(Run.parent().iterdir()) if Run.parent().exists() else True
