"""What a model knows of one film: only what the lists that are here tell."""

from dataclasses import replace
from pathlib import Path

import pytest
from tiny_models import TINY, tiny_info, untrained

from xlite.data.folder import PHANTOM_NOTE, PHANTOM_TITLE, NihFolder
from xlite.data.split_files import load_split
from xlite.data.splits import Split
from xlite.evaluation.contamination.film_learned import Learned
from xlite.images import Preprocess
from xlite.models.info import ModelInfo

INFO = tiny_info(untrained(TINY), Preprocess(64))


@pytest.fixture
def split(films: Path) -> Split:
    return load_split(NihFolder.open(films), "patient")


def info_of(split: Split, **notes: object) -> ModelInfo:
    return INFO.model_copy(update={"split_id": split.id}).noting(**notes)


def test_films_of_train_and_val_are_known_and_those_of_test_are_not_spoken_of(
    films: Path, split: Split
) -> None:
    learned = Learned.of(info_of(split), NihFolder.open(films))
    facts = {part: {learned.facts(stem) for stem in split.stems(part)} for part in ("train", "val", "test")}
    assert facts == {"train": {("train",)}, "val": {("val",)}, "test": {()}}
    assert learned.facts("00009999_000") == ()


def test_nothing_is_said_if_the_split_is_not_here(films: Path, split: Split) -> None:
    learned = Learned.of(INFO, NihFolder.open(films))
    assert {learned.facts(stem) for part in ("train", "val", "test") for stem in split.stems(part)} == {()}


def test_a_fold_that_was_left_out_was_not_learned_from(films: Path, split: Split) -> None:
    folder = NihFolder.open(films)
    learned = Learned.of(info_of(split, fold="1/5"), folder)
    left_out = {*split.stems("train")} - learned.train
    assert 0 < len(left_out) < len(split.stems("train")) / 2
    assert {learned.facts(stem) for stem in left_out} == {()}


def test_other_films_of_a_known_patient_are_told(films: Path, split: Split) -> None:
    folder = NihFolder.open(films)
    known = Learned.of(info_of(split), folder)
    first = split.stems("train")[0]
    assert replace(known, train=known.train - {first}).facts(first) == ("patient",)


def test_a_teacher_that_knows_the_film_is_told(films: Path, split: Split) -> None:
    known, unknown = split.stems("test")[:2]
    (films / "known.txt").write_text(f"{known}.png\n")
    info = info_of(split, teacher_knows=({"list": "known.txt"},))
    learned = Learned.of(info, NihFolder.open(films))
    assert (learned.facts(known), learned.facts(unknown)) == (("source",), ())


def test_films_of_other_phantoms_under_the_same_names_are_not_taken_for_those(
    films: Path, split: Split
) -> None:
    stem = split.stems("train")[0]
    (films / PHANTOM_NOTE).write_text(PHANTOM_TITLE)
    drawn = NihFolder.open(films)
    assert Learned.of(info_of(split), drawn).facts(stem) == ()
    other = info_of(split, phantoms=True, data_fingerprint="0" * 12)
    assert Learned.of(other, drawn).facts(stem) == ()
    same = info_of(split, phantoms=True, data_fingerprint=drawn.fingerprint())
    assert Learned.of(same, drawn).facts(stem) == ("train",)
    (films / PHANTOM_NOTE).unlink()
    assert Learned.of(same, NihFolder.open(films)).facts(stem) == ()
