"""What matters before a run is started, and its sentences."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from forecasts import FORECAST
from tiny_runs import config
from unknown_labels import LACKING, hide_some

from xlite.data.splits import make_split
from xlite.errors import DataError, RunError
from xlite.evaluation.contamination.caveats import TeacherKnows
from xlite.evaluation.contamination.source_facts import TeacherUnknown
from xlite.findings import FINDINGS
from xlite.training.concern_sentences import concern_words
from xlite.training.concerns import (
    CostlyLoss,
    CostlySampler,
    FilmCounts,
    LittleDisk,
    LittleMemory,
    NoFilms,
    NoPositives,
    Refused,
    SharedPatients,
    Slow,
    TeacherSaw,
    look_at_films,
    of_forecast,
    of_settings,
)

pytestmark = pytest.mark.usefixtures("own_home")


def said(concern: object) -> str:
    return str(RunError(*concern_words(concern)))  # type: ignore[arg-type]


def test_a_folder_is_looked_at_without_writing_into_it(tiny_folder: Path):
    before = sorted(tiny_folder.rglob("*"))
    found = look_at_films(tiny_folder, "patient", False, False)
    assert (found.listed, found.there, found.concerns) == (24, 24, ())
    assert found.train + found.val + found.test == 24 and min(found.train, found.val, found.test) > 0
    assert sorted(tiny_folder.rglob("*")) == before


def test_findings_that_no_training_film_is_known_to_have_are_told_unless_a_teacher_may_speak_of_them(
    films: Path,
):
    assert look_at_films(films, "patient", False, False).lacking == ()
    folder = hide_some(films)
    found = look_at_films(films, "patient", False, False)
    train = folder.labels(make_split(folder).stems("train"))
    lacking = tuple(name for name, some in zip(FINDINGS, (train > 0).any(axis=0), strict=True) if not some)
    assert found.lacking == lacking and {*LACKING} <= {*lacking}
    [concern] = of_settings(config(films, "a"), found, has_gpu=True)
    assert concern == NoPositives(lacking) and not concern.refuses
    assert said(NoPositives(("Hernia",))) == (
        "no training film is known to have Hernia: the model cannot learn it, and what it says of it means "
        "nothing"
    )
    assert said(concern).endswith("the model cannot learn them, and what it says of them means nothing")
    assert of_settings(config(films, "a", teacher="xrv:all"), found, has_gpu=True) == []


def test_a_folder_without_films_refuses(tiny_folder: Path):
    for film in (tiny_folder / "images").iterdir():
        film.unlink()
    [concern] = look_at_films(tiny_folder, "patient", False, False).concerns
    assert concern == NoFilms(tiny_folder, 24) and concern.refuses
    assert said(concern) == (
        f"there are no films in {tiny_folder}, only a table of 24 films: put them into its folder images"
    )


def test_films_that_lack_are_refused_unless_they_may_be_skipped(tiny_folder: Path):
    next((tiny_folder / "images").iterdir()).unlink()
    counts = [look_at_films(tiny_folder, "patient", False, skip) for skip in (False, True)]
    assert [len(found.concerns) for found in counts] in ([1, 0], [0, 0])  # a test film refuses nothing
    whole = look_at_films(tiny_folder, "official", False, True)
    assert whole.train + whole.val + whole.test == 23


def test_a_split_that_is_not_there_and_one_that_leaks_are_refused(tiny_folder: Path):
    [unknown] = look_at_films(tiny_folder, "mine", False, False).concerns
    assert unknown.refuses and said(unknown).startswith(
        f"{tiny_folder} has no split 'mine'; expected one of "
    )
    [leaks] = look_at_films(tiny_folder, "image", False, False).concerns
    assert leaks.refuses and "the split 'image' puts films of one patient into several parts" in said(leaks)
    [allowed] = look_at_films(tiny_folder, "image", True, False).concerns
    assert isinstance(allowed, SharedPatients) and not allowed.refuses
    assert said(allowed).startswith(f"the split 'image' has {allowed.patients} patient")
    assert said(allowed).endswith(
        "in more than one part, so its metrics flatter the model: --split patient has none"
    )


def test_a_folder_without_a_table_is_an_error_as_elsewhere(tmp_path: Path):
    with pytest.raises(DataError, match="nowhere"):
        look_at_films(tmp_path / "nowhere", "patient", False, False)


@pytest.mark.parametrize(
    ("changes", "sentences"),
    [
        ({}, []),
        ({"teacher": "nosuch"}, ["'nosuch' is neither a model file nor a run; "]),
        (
            {"teacher": "gone.csv,nosuch"},
            ["the teacher's predictions file gone.csv is not there", "'nosuch' is neither a model file nor "],
        ),
        (
            {"loss": "weighted_focal", "sampler": "balanced"},
            [
                "a weighted and focal loss has its price: a public attempt on all of NIH's films lost 0.022 "
                "by weights and a sampler and 0.025 by focal of mean AUC; --loss bce has none",
                "balanced sampling has its price: it distorts probabilities until they are calibrated, "
                "and cost AUC on all the data; --sampler shuffle has none",
            ],
        ),
    ],
)
def test_what_matters_of_settings_is_told_at_once(tmp_path: Path, changes: dict, sentences: list[str]):
    found = of_settings(config(tmp_path, "a", **changes), FilmCounts(100, 100, 70, 15, 15), has_gpu=False)
    assert [one[: len(start)] for one, start in zip(map(said, found), sentences, strict=True)] == sentences
    assert [one.refuses for one in found] == [isinstance(one, Refused) for one in found]


def test_a_teacher_that_is_there_is_nothing_to_say_of(tmp_path: Path):
    (tmp_path / "said.csv").write_text("image\n")
    spec = f"{tmp_path / 'said.csv'},xrv:all"
    assert of_settings(config(tmp_path, "a", teacher=spec), FilmCounts(9, 9, 7, 1, 1), has_gpu=False) == []


def test_weeks_on_a_processor_are_said_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    all_of_nih = FilmCounts(112120, 112120, 78484, 16818, 16818)
    long = config(tmp_path, "a", epochs=50, image_size=224, device="auto")
    [concern] = of_settings(long, all_of_nih, has_gpu=False)
    assert concern == Slow(78484 * 50 / 20, 50, 224, measured=False)
    assert said(concern) == (
        "50 epochs at 224 px on a processor take about 2.3 days, going by a small network on 2 cores: a GPU "
        "takes far less; or use fewer --epochs or a smaller --image-size"
    )
    assert of_settings(long, all_of_nih, has_gpu=True) == []
    assert of_settings(long.model_copy(update={"device": "cuda"}), all_of_nih, has_gpu=False) == []
    assert of_settings(long.model_copy(update={"train_share": 0.01}), all_of_nih, has_gpu=False) == []
    # The design document's settings on 2,014 films: an hour and a half is worth a word, too.
    some = replace(all_of_nih, train=2014)
    assert [type(one) for one in of_settings(long, some, has_gpu=False)] == [Slow]


def test_what_matters_of_a_forecast(tmp_path: Path):
    settings = config(tmp_path, "a", epochs=10, image_size=224)
    assert of_forecast(settings, FORECAST) == []
    seen = TeacherKnows(teachers=(TeacherUnknown(kind="predictions", name="a.csv"),))
    changed = {"step_s": 9000.0, "memory_gb": 9.0, "cache_gb": 11.0, "run_gb": 12.0, "seen": seen}
    found = of_forecast(settings, FORECAST.model_copy(update=changed))
    assert found[0] == TeacherSaw(seen)
    assert found[2:] == [LittleMemory(9.0, 8.0), LittleDisk(11.0, 10.0), LittleDisk(12.0, 10.0)]
    assert [one.refuses for one in found] == [False, False, False, True, True]
    assert said(found[1]).startswith("10 epochs at 224 px on a processor take about 5.2 days, as measured")
    assert said(found[2]) == (
        "it needs about 9.0 GB of memory and 8.0 GB are free: use a smaller --batch-size or --auto-batch"
    )
    assert said(found[3]) == "it writes 11.0 GB and 10.0 GB are free on that disk: free some space"
    assert "a.csv" in said(found[0]) and said(found[0]).endswith("flatter the student")
    on_a_gpu = FORECAST.model_copy(update={"step_s": 9000.0, "device": "cuda:0"})
    assert of_forecast(settings, on_a_gpu) == []


def test_the_price_of_each_loss():
    assert "a weighted loss has its price" in said(CostlyLoss("weighted_bce"))
    assert "lost 0.025 by focal of mean AUC" in said(CostlyLoss("focal"))
    assert not CostlySampler().refuses
