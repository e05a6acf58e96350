"""The films and labels that a run trains on."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_runs import config, run_to_end
from unknown_labels import LACKING, hide_labels, hide_some

from xlite.data.folder import NihFolder
from xlite.data.imbalance import balanced_sample_weights, positive_weights
from xlite.data.predictions import write_predictions
from xlite.data.split_files import load_split
from xlite.errors import DataError
from xlite.findings import FINDINGS
from xlite.training.concern_sentences import without_positives_sentence
from xlite.training.concerns import without_positives
from xlite.training.job import check_job, open_job


@pytest.mark.slow
def test_a_run_says_what_it_cannot_learn_and_is_refused_if_that_is_all(
    films: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = films / "Data_Entry_2017_v2020.csv"
    content = table.read_text()
    folder = hide_some(films)
    split = load_split(folder, "patient")
    lacking = without_positives(folder.labels(split.stems("train")))
    assert {*LACKING} <= {*lacking}
    check_job(config(films, "asked"))
    said = [record.getMessage() for record in caplog.records if "means nothing" in record.getMessage()]
    assert said == [f"Warning: {without_positives_sentence(lacking)}"]
    # A teacher that speaks of all findings leaves nothing to say, unless its answers count for nothing.
    names = folder.table["image"].tolist()
    write_predictions(tmp_path / "said.csv", names, np.full((len(names), 14), 0.5, np.float32))
    for alpha, warned in ((0.5, 0), (0.0, 1)):
        caplog.clear()
        check_job(config(films, "asked", teacher=str(tmp_path / "said.csv"), alpha=alpha))
        assert sum("means nothing" in record.getMessage() for record in caplog.records) == warned
    for part, sentence in (
        (
            "val",
            "validation films is known, so nothing could tell which epoch is the best; use a split whose",
        ),
        ("train", "training films is known, and no teacher speaks of them: there is nothing to learn"),
    ):
        table.write_text(content)
        hide_labels(films, dict.fromkeys(split.stems(part), FINDINGS))
        with pytest.raises(DataError, match=sentence):
            check_job(config(films, "asked"))
    check_job(config(films, "asked", teacher=str(tmp_path / "said.csv"), alpha=0.5))  # which are all it needs


@pytest.mark.slow
def test_what_the_test_part_lacks_is_said_before_the_first_epoch(
    films: Path, caplog: pytest.LogCaptureFixture, quick_report: None
) -> None:
    split = load_split(NihFolder.open(films), "patient")
    folder = hide_labels(films, dict.fromkeys(split.stems("test"), FINDINGS))
    count = len(split.stems("test"))
    caplog.set_level("INFO")
    run, result = run_to_end(config(films, "unjudged", epochs=1))
    said = [record.getMessage() for record in caplog.records]
    warning = f"Warning: no label of the {count} test films is known, so the run will not be judged"
    assert said.index(warning) < next(at for at, one in enumerate(said) if one.startswith("epoch 1/1"))
    assert f"The run is not judged: no label of the {count} test films is known" in said
    assert (result.reason, run.read_progress().state) == ("finished", "finished")
    assert run.path("model.safetensors").is_file() and not run.evaluation("test").exists()
    folder.paths[split.stems("test")[0]].unlink()
    with pytest.raises(DataError, match=f"1 of the {count} films of the test part is missing"):
        check_job(config(films, "missing"))


def test_weights_and_sampler_are_those_of_what_is_known(films: Path) -> None:
    folder = hide_some(films)
    settings = config(films, "asked", loss="weighted_bce", sampler="balanced")
    job = open_job(settings, kept=None, progress=lambda done, total: None)
    labels = folder.labels(job.train_stems)
    np.testing.assert_array_equal(job.train.labels.numpy(), labels)
    assert np.isnan(labels).any()
    assert torch.equal(job.task.positive_weight, torch.from_numpy(positive_weights(labels)))
    np.testing.assert_array_equal(job.sample_weights, balanced_sample_weights(labels))
