"""What a study names is looked for before it is made."""

from pathlib import Path

import pytest

from xlite.cli import run as run_cli
from xlite.errors import CheckpointError, DataError, RunError
from xlite.places import checkpoints_dir, sweeps_dir
from xlite.sweeps.check import check_effects, check_sources
from xlite.sweeps.phases import plan_phase
from xlite.sweeps.plan import Design, Range, make_plan

pytestmark = pytest.mark.usefixtures("quick")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"teacher": "nosuch"}, "'nosuch' is neither a model file nor a run"),
        ({"teacher": "xrv:all,nosuch.csv"}, "the teacher's predictions file nosuch.csv is not there"),
        ({"data": "nowhere"}, "there is no data folder"),
        ({"weights": "nosuch.pth"}, "nosuch.pth': expected imagenet, none or a file"),
        ({"teacher-list": "nosuch.txt"}, "there is no list of a teacher's films"),
    ],
)
def test_what_is_not_there_is_told_before_a_study_is_made(
    given: dict, sentence: str, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = {"data": tiny_folder, "attention": "none", "teacher": "xrv:all", **given}
    options = [word for name, value in values.items() for word in (f"--{name}", str(value))]
    assert run_cli(["sweep", "phase2", "--after", "", *options]) == 2
    assert sentence in capsys.readouterr().err
    assert not sweeps_dir().exists() and not checkpoints_dir().exists()
    assert not (tiny_folder / "splits").exists()


@pytest.mark.parametrize(
    ("kind", "given", "vary", "sentence"),
    [
        ("search", {}, {"alpha": [0.5, 0.7]}, "alpha varies without effect: it needs a teacher"),
        ("search", {"teacher": ""}, {"temperature": [2, 4]}, "temperature varies .*: it needs a teacher"),
        (
            "search",
            {"teacher": "xrv:all", "alpha": 0},
            {"temperature": [2, 4]},
            "temperature varies without effect: it needs .* and an alpha over 0",
        ),
        (
            "search",
            {},
            {"focal_gamma": [1, 2]},
            "--focal-gamma varies .*: it needs a focal loss, as in --loss foc",
        ),
        ("search", {}, {"focal_alpha": [0.1, 0.2], "loss": ["bce", "weighted_bce"]}, "--focal-alpha varies"),
        (
            "search",
            {},
            {"feature_weight": [0, 1]},
            "--feature-weight varies .*: it needs a teacher that is one",
        ),
        ("search", {}, {"teacher": ["", "t.csv", "a,b"], "feature_weight": [0, 1]}, "feature-weight varies"),
        ("search", {}, {"teacher": ["m.onnx"], "feature_weight": [0, 1]}, "feature-weight varies"),
        ("phase2", {"teacher": "xrv:all", "attention": "none", "alpha": 0}, {}, "temperature varies"),
    ],
)
def test_a_space_whose_trials_would_be_alike_is_one_sentence_and_makes_nothing(
    kind: str, given: dict, vary: dict, sentence: str, tiny_folder: Path
) -> None:
    given = {"data": tiny_folder, **given}
    plan = plan_phase("phase2", given) if kind == "phase2" else make_plan("search", given, vary, Design("s"))
    with pytest.raises(RunError, match=sentence):
        check_sources(plan)
    assert not sweeps_dir().exists() and not (tiny_folder / "splits").exists()


@pytest.mark.parametrize(
    ("given", "vary"),
    [
        ({}, {"teacher": ["", "t.csv"], "alpha": [0.5, 0.7], "temperature": [2, 4]}),
        ({"teacher": "t.csv"}, {"alpha": Range(low=0, high=1), "temperature": [2, 4]}),
        ({}, {"loss": ["bce", "focal"], "focal_gamma": [1, 2], "focal_alpha": [0.1, 0.2]}),
        ({}, {"teacher": ["t.csv", "xrv:all,t.csv"], "feature_weight": [0, 1]}),
    ],
)
def test_a_space_in_which_a_setting_counts_somewhere_is_fine(given: dict, vary: dict) -> None:
    check_effects(make_plan("search", {"data": "d", **given}, vary, Design("s", trials=3)))


def test_the_parts_of_a_teacher_may_have_spaces_around_them(tiny_folder: Path) -> None:
    plan = make_plan("search", {"data": tiny_folder}, {"lr": [1e-4, 1e-3]}, Design("s"))
    plan = plan.model_copy(update={"fixed": {**plan.fixed, "teacher": "xrv:all, xrv:nih , nosuch"}})
    with pytest.raises(CheckpointError, match="'nosuch' is neither a model file nor a run"):
        check_sources(plan)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("vary", "given", "sentence"),
    [
        (
            "backbone=resnet18,resnet81",
            {},
            "'resnet81' is not a backbone that timm knows; did you mean resnet",
        ),
        ("backbone=resnet18,deit_tiny_patch16_224", {"image-size": 96}, "takes films of 224 px only"),
        ("lr=0.1,0.2", {"device": "gpu"}, "--device 'gpu' is unknown: expected"),
        ("lr=0.1,0.2", {"split": "mine"}, "has no split 'mine'"),
    ],
)
def test_a_wrong_name_is_one_sentence_before_a_study_is_made(
    vary: str, given: dict, sentence: str, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    assert run_cli(["sweep", "search", "--data", str(tiny_folder), "--vary", vary, *options]) == 2
    said = capsys.readouterr().err
    assert said.startswith("Error: ") and sentence in said and said.count("\n") == 1
    assert not sweeps_dir().exists() and not checkpoints_dir().exists()
    assert not (tiny_folder / "splits").exists()


def test_a_study_of_a_folder_without_films_is_refused(tiny_folder: Path) -> None:
    for film in (tiny_folder / "images").iterdir():
        film.unlink()
    plan = make_plan("search", {"data": tiny_folder}, {"lr": [1e-4, 1e-3]}, Design("s"))
    with pytest.raises(DataError, match="there are no films in .*: put them into its folder images"):
        check_sources(plan)
    assert not (tiny_folder / "splits").exists()
