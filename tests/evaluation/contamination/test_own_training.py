"""What a model's own training says against its metrics."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from judged import amend, part_judged, save_tiny_model

from xlite.data.folder import NihFolder
from xlite.data.published_splits import published_split
from xlite.data.split_files import load_split
from xlite.data.train_part import leave_out
from xlite.evaluation.contamination.caveats import (
    ChosenOn,
    NotProbabilities,
    OtherEdition,
    OtherSplit,
    SharedPatients,
    TrainedOn,
)
from xlite.evaluation.contamination.contamination import teacher_caveat
from xlite.evaluation.contamination.own_training import split_caveats, training_caveats
from xlite.evaluation.contamination.sources import Source
from xlite.evaluation.evaluate import judge_model
from xlite.evaluation.options import JudgeOptions
from xlite.evaluation.report import Contamination, Report
from xlite.findings import FINDINGS
from xlite.metrics.calibration import Platt
from xlite.models.info import read_info
from xlite.report.sentences import clean

pytestmark = pytest.mark.slow


@pytest.fixture
def model(tiny_folder: Path, own_home: Path) -> Path:
    return save_tiny_model(own_home, tiny_folder)


def judged(model: Path, data: Path, split: str = "patient", part: str = "test") -> Report:
    return judge_model(model, data, split, part, JudgeOptions(resamples=20)).report


def test_the_parts_a_model_learned_from_are_named(model: Path, tiny_folder: Path) -> None:
    split = load_split(NihFolder.open(tiny_folder), "patient")
    for part, kind in (("train", TrainedOn), ("val", ChosenOn)):
        report, stems = judged(model, tiny_folder, part=part), split.stems(part)
        caveat = report.caveats[0]
        assert isinstance(caveat, kind)
        assert (caveat.known, caveat.stems) == (len(stems), frozenset(stems))
        contamination = report.contamination
        assert (contamination.films, contamination.of, contamination.clean) == (len(stems), len(stems), None)
        assert contamination.reasons == (caveat,)
    assert judged(model, tiny_folder).contamination is None


def test_of_a_share_of_train_only_those_films_were_trained_on(model: Path, tiny_folder: Path) -> None:
    amend(model, notes={"train_share": 0.5})
    caveat = judged(model, tiny_folder, part="train").caveats[0]
    films = len(load_split(NihFolder.open(tiny_folder), "patient").stems("train"))
    assert isinstance(caveat, TrainedOn)
    assert caveat.films == films and 0 < caveat.known < films


def test_of_a_model_that_left_a_fold_out_only_the_others_were_trained_on(
    model: Path, tiny_folder: Path
) -> None:
    amend(model, notes={"fold": "2/3"})
    folder = NihFolder.open(tiny_folder)
    split = load_split(folder, "patient")
    caveat = judged(model, tiny_folder, part="train").caveats[0]
    assert isinstance(caveat, TrainedOn)
    assert caveat.stems == set(split.stems("train")) - set(leave_out(folder, split, "2/3")[1])


def test_another_split_counts_the_films_the_model_knows(model: Path, tiny_folder: Path) -> None:
    folder = NihFolder.open(tiny_folder)
    own, other = load_split(folder, "image", allow_leakage=True), load_split(folder, "official")
    amend(model, split_id=own.id)
    learned, judged_on = own.stems("train") + own.stems("val"), other.stems("test")
    inside = len(set(learned) & set(judged_on))
    known = np.isin(folder.patients(judged_on), folder.patients(learned))
    assert 0 < inside < known.sum()
    report = judged(model, tiny_folder, split="official")
    assert report.caveats[0] == OtherSplit(
        split_id=other.id,
        own_split_id=own.id,
        films=len(judged_on),
        learned=inside,
        known=known.sum(),
        stems=frozenset(np.array(judged_on)[known].tolist()),
    )
    assert report.split.id == other.id


def test_what_a_model_of_a_published_split_knows_is_counted_in_any_folder(
    model: Path, tiny_folder: Path
) -> None:
    amend(model, split_id="unseen-42-2f11840a")
    folder = NihFolder.open(tiny_folder)
    own = published_split("unseen-42-2f11840a", folder)
    assert own is not None
    learned, films = own.stems("train") + own.stems("val"), folder.table["stem"].tolist()
    patients = {stem[:8] for stem in learned}
    known = frozenset(stem for stem in films if stem[:8] in patients)
    [caveat] = split_caveats(read_info(model), part_judged(folder, "mine", films))
    assert isinstance(caveat, OtherSplit)
    assert 0 < len(known) < len(films) and caveat.stems == known
    assert caveat.learned == len({*learned} & {*films})
    source = teacher_caveat([Source(split=own.id)], part_judged(folder, "mine", films))
    assert source is not None and source.stems == known


@pytest.mark.parametrize("split_id", ["mine-1-00000000", "patient-42-00000000", "anything"])
def test_a_model_of_an_unknown_split_says_that_it_is_not_known(
    model: Path, tiny_folder: Path, split_id: str
) -> None:
    amend(model, split_id=split_id)
    report = judged(model, tiny_folder)
    unknown = OtherSplit(
        split_id=report.split.id, own_split_id=split_id, films=report.split.images, learned=None
    )
    assert report.caveats[0] == unknown
    films = report.split.images
    assert report.contamination == Contamination(films=0, of=films, reasons=(), unknown=(unknown,))
    assert clean(report) == (
        "There are no metrics on clean films alone: this folder does not have the model's own split, "
        f"{split_id}, so what it knows cannot be told"
    )


def test_a_leaky_split_is_judged_with_the_count(model: Path, tiny_folder: Path) -> None:
    folder = NihFolder.open(tiny_folder)
    split = load_split(folder, "image", allow_leakage=True)
    amend(model, split_id=split.id)
    test = split.stems("test")
    known = np.isin(folder.patients(test), folder.patients(split.stems("train") + split.stems("val")))
    assert known.any()
    assert judged(model, tiny_folder, split="image").caveats[0] == SharedPatients(
        films=len(test), known=known.sum(), stems=frozenset(np.array(test)[known].tolist())
    )


def test_what_training_did_to_the_scores_is_said(model: Path, tiny_folder: Path) -> None:
    folder = NihFolder.open(tiny_folder)
    notes = {"loss": "weighted_bce", "sampler": "balanced"}
    amend(model, notes=notes, calibration=None, label_version="2017")
    assert training_caveats(read_info(model), folder) == [
        OtherEdition(learned="2017", judged="2020"),
        NotProbabilities(causes=("weighted_bce", "balanced sampler"), findings=FINDINGS),
    ]
    amend(model, notes={}, label_version="unknown")
    assert training_caveats(read_info(model), folder) == [OtherEdition(learned="unknown", judged="2020")]
    unknown = replace(folder, label_version="unknown")
    assert training_caveats(read_info(model), unknown) == []  # its own folder, whatever its edition
    amend(model, split_id="patient-42-00000000")
    assert training_caveats(read_info(model), unknown) == [OtherEdition(learned="unknown", judged="unknown")]
    for scale, bare in (
        ((2.0,) * 14, None),
        ((1.0, *(2.0,) * 12, 1.0), ("Atelectasis", "Hernia")),
        ((1.0,) * 14, FINDINGS),
    ):
        platt = Platt(scale=scale, bias=(0.0,) * 14)
        amend(model, notes={"loss": "focal"}, calibration=platt, label_version="2020")
        expected = [NotProbabilities(causes=("focal",), findings=bare)] if bare else []
        assert training_caveats(read_info(model), folder) == expected
        report = judged(model, tiny_folder)
        assert [one for one in report.caveats if isinstance(one, NotProbabilities)] == expected
    assert report.calibration.in_use == "none"  # a calibrator that leaves all as it was


def test_own_validation_films_are_known_whichever_split_names_them(model: Path, tiny_folder: Path) -> None:
    own = tiny_folder / "splits" / "patient"
    load_split(NihFolder.open(tiny_folder), "patient")
    found = [judged(model, tiny_folder, part="val").contamination]
    shutil.copytree(own, own.with_name("swapped"))
    for name, other in (("val", "test"), ("test", "val")):
        shutil.copy(own / f"{name}.csv", own.with_name("swapped") / f"{other}.csv")
    found.append(judged(model, tiny_folder, split="swapped").contamination)
    count = len(load_split(NihFolder.open(tiny_folder), "patient").parts["val"])
    assert [(one.films, one.of, one.clean) for one in found] == [(count, count, None)] * 2
