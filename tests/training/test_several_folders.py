"""A run on two hospitals at once, and what its model says of both, and of one of them alone."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from command_line import Command
from noise_folder import write_noise_folder
from tiny_runs import TINY, config

from xlite.config import make_config
from xlite.data.folder import NihFolder
from xlite.data.imbalance import balanced_folder_weights, balanced_sample_weights
from xlite.data.joined import open_data
from xlite.data.predictions import read_predictions
from xlite.data.split_files import load_split
from xlite.errors import DataError
from xlite.evaluation.contamination.caveats import OtherSplit
from xlite.evaluation.evaluate import judge_model
from xlite.evaluation.options import JudgeOptions
from xlite.export.refit import split_of
from xlite.findings import FINDINGS
from xlite.models.info import read_info
from xlite.runs.command import absolute_paths, train_command
from xlite.runs.run import Run
from xlite.training.job import open_job
from xlite.training.sampler import EpochSampler

pytestmark = pytest.mark.usefixtures("quick_report", "own_home")


@pytest.fixture
def west(tmp_path: Path) -> Path:
    """60 patients with a film of Effusion and Mass and one of nothing each."""
    return _common(write_noise_folder(tmp_path / "west", patients=60))


@pytest.fixture
def east(tmp_path: Path) -> Path:
    """20 such patients, numbered as in the west."""
    return _common(write_noise_folder(tmp_path / "east", patients=20, seed=1))


def _common(folder: Path) -> Path:
    table = folder / "Data_Entry_2017_v2020.csv"
    table.write_text(re.sub(rf",({'|'.join(FINDINGS)}),", ",Effusion|Mass,", table.read_text()))
    return folder


def _train(xlite: Command, name: str, *folders: Path) -> Run:
    words = [word for key, value in TINY.items() for word in (f"--{key.replace('_', '-')}", value)]
    words += [word for folder in folders for word in ("--data", folder)]
    status, _, err = xlite("train", "--name", name, *words, "--epochs", 1, "--balance", "folder")
    assert status == 0, err
    return Run.named(name)


@pytest.mark.slow
def test_a_run_on_two_hospitals_is_judged_on_both_on_each_and_on_one_alone(
    xlite: Command, west: Path, east: Path, tmp_path: Path
) -> None:
    run = _train(xlite, "both", west, east)
    both, alone = open_data(f"{west},{east}"), [NihFolder.open(one) for one in (west, east)]
    own = [load_split(one, "patient") for one in alone]
    split = load_split(both, "patient")
    info = read_info(run.path("model.safetensors"))
    assert run.config().data == Path(f"{west},{east}")
    assert info.split_id == split.id == "+".join(sorted(one.id for one in own))
    assert info.notes.data_fingerprint == both.fingerprint() and info.label_version == "2020"
    assert info.notes.balance == "folder"
    train = [len(one.parts["train"]) for one in own]
    assert info.notes.trained_on == f"{sum(train)} films of {sum(train) // 2} patients"
    assert "20 patients with the same number in two of them" in run.path("log.txt").read_text()

    judged = run.evaluation("test")
    facts = json.loads((judged / "metrics.json").read_text())
    test = [len(one.parts["test"]) for one in own]
    assert facts["contamination"] is None and facts["split"]["images"] == sum(test)
    groups = facts["subgroups"]["folder"]["groups"]
    assert {name: group["images"] for name, group in groups.items()} == {"east": test[1], "west": test[0]}
    assert groups["west"]["per_class"]["Mass"]["positives"] == test[0] // 2
    text = (judged / "report.md").read_text()
    assert "| Finding | All folders | east | west |" in text and "Folder: west" in text
    assert f"| Hernia | undefined | undefined, 0 of {test[1]} | undefined, 0 of {test[0]} |" in text
    assert "| Sensitivity | All folders | east | west | threshold |" in text
    mass = groups["west"]["per_class"]["Mass"]
    answers = read_predictions(judged / "predictions.csv")
    assert answers.stems == split.stems("test")
    mine = both.table.iloc[both.rows(answers.stems)]["folder"].to_numpy() == "west"
    called = answers.probs[mine, FINDINGS.index("Mass")] >= facts["per_class"]["Mass"]["threshold"]
    has = both.labels(answers.stems)[mine, FINDINGS.index("Mass")] == 1
    assert mass["recall"]["value"] == pytest.approx(called[has].mean())
    assert mass["specificity"]["value"] == pytest.approx(1 - called[~has].mean())

    # One of them alone is a part of the model's own split.
    for part, known in (("test", 0), ("train", train[0])):
        report = judge_model("both", west, "patient", part, JudgeOptions(resamples=20)).report
        assert (report.contamination.films if report.contamination else 0) == known
        assert not any(isinstance(one, OtherSplit) for one in report.caveats)
    out = tmp_path / "out"
    status, _, err = xlite("evaluate", "both", "--data", east, "--data", west, "--out", out)
    assert status == 0, err
    turned = json.loads((out / "metrics.json").read_text())
    assert turned["split"]["id"] == split.id and turned["contamination"] is None
    assert turned["subgroups"]["folder"]["groups"]["west"]["images"] == test[0]
    with pytest.raises(DataError, match="has a part of its validation films: give all of them by --data"):
        judge_model("both", west, "patient", "test", JudgeOptions(resamples=20, calibration="platt"))
    with pytest.raises(DataError, match="has no split"):
        split_of(info, alone[0])
    # Another hospital's films are none that it learned from.
    other = _common(write_noise_folder(tmp_path / "north", patients=24, seed=2))
    report = judge_model("both", f"{west},{other}", "patient", "train", JudgeOptions(resamples=20)).report
    (caveat,) = [one for one in report.caveats if isinstance(one, OtherSplit)]
    assert caveat.learned is None

    status, _, err = xlite(
        "shortcuts", "both", "--data", west, "--data", east, "--part", "train", "--out", out
    )
    assert status == 0, err
    told = json.loads((out / "shortcuts.json").read_text())["told"]
    assert told["folder"]["films"] == {"east": train[1], "west": train[0]}
    assert "data folder" in (out / "shortcuts.md").read_text()


@pytest.mark.slow
def test_a_model_of_one_hospital_knows_its_films_among_those_of_two(
    xlite: Command, west: Path, east: Path
) -> None:
    _train(xlite, "west", west)
    own = load_split(NihFolder.open(west), "patient")
    for part, known in (("test", 0), ("train", len(own.parts["train"])), ("val", len(own.parts["val"]))):
        report = judge_model("west", f"{east},{west}", "patient", part, JudgeOptions(resamples=20)).report
        (caveat,) = [one for one in report.caveats if isinstance(one, OtherSplit)]
        assert (caveat.learned, caveat.known, caveat.own_split_id) == (known, known, own.id)
        assert caveat.films == sum(
            len(load_split(NihFolder.open(one), "patient").parts[part]) for one in (west, east)
        )


@pytest.mark.slow
def test_each_folder_is_drawn_as_often(west: Path, east: Path) -> None:
    labels, folders = np.zeros((9, 14)), np.array(["a"] * 6 + ["b"] * 3)
    labels[0, 1] = labels[6, 1] = 1
    np.testing.assert_allclose(balanced_folder_weights(labels, folders), [0.75] * 6 + [1.5] * 3)
    both = balanced_folder_weights(labels, folders, balanced_sample_weights)
    np.testing.assert_allclose(both, [2.25] + [0.45] * 5 + [2.25, 1.125, 1.125])
    drawn = np.array(list(EpochSampler(9, 9, seed=0, weights=both)))
    assert len(drawn) == 9

    settings = config(Path(f"{west},{east}"), "weights", balance="folder")
    job = open_job(settings, None, lambda done, total: None)
    assert job.sample_weights is not None
    of_west = np.array([not name.startswith("east~") for name in job.train_stems])
    assert job.sample_weights[of_west].sum() == pytest.approx(len(of_west) / 2)
    films = config(Path(f"{west},{east}"), "weights")
    assert open_job(films, None, lambda done, total: None).sample_weights is None
    one = config(west, "weights", balance="folder")
    assert open_job(one, None, lambda done, total: None).sample_weights is None


def test_the_command_of_a_run_names_all_its_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, xlite: Command
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = absolute_paths(make_config({"data": "west,east"}))
    assert settings.data == Path(f"{tmp_path}/west,{tmp_path}/east")
    assert train_command(settings)[:4] == ["xlite", "train", "--data", f"{tmp_path}/west,{tmp_path}/east"]
    status, _, err = xlite("train", "--data", "west", "--data", "east")
    assert status == 2 and "there is no data folder west" in err
