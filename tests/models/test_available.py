"""Models by name: the user's own, the shipped one, and what is said of names that nobody knows."""

from pathlib import Path

import pytest
from demo_home import save_demo_model

from xlite.errors import CheckpointError
from xlite.models import available
from xlite.models.available import find_model, find_models, model_name, teacher_parts


@pytest.fixture
def folders(tmp_path, monkeypatch, own_home):
    """An empty home and an empty installation: (home's checkpoints, the shipped ones)."""
    monkeypatch.setattr(available, "bundled", (tmp_path / "package").joinpath)
    return own_home / "checkpoints", tmp_path / "package" / "checkpoints"


def put(folder: Path, run: str) -> Path:
    (folder / run).mkdir(parents=True)
    (folder / run / "model.safetensors").touch()
    return folder / run / "model.safetensors"


def test_a_model_is_found_as_file_folder_run_or_shipped(folders):
    home, shipped = folders
    mine, theirs = put(home, "mine"), put(shipped, "demo")
    assert find_model(str(mine)) == mine
    assert find_model(str(mine.parent)) == mine
    assert find_model("mine") == mine
    assert find_model("demo") == theirs
    assert find_model(str(put(home, "demo").parent.name)) == home / "demo" / "model.safetensors"  # home first


def test_several_models_are_joined_by_commas(folders, tmp_path):
    home, shipped = folders
    mine, theirs = put(home, "mine"), put(shipped, "demo")
    export = tmp_path / "a,b.onnx"
    export.touch()
    assert find_models("mine") == (mine,)
    assert find_models(f"mine, {theirs}") == (mine, theirs)
    assert find_models(str(export)) == (export,)  # a file of that name comes first
    with pytest.raises(CheckpointError, match="'mine,demo' names several models, and here it has to be one"):
        find_model("mine,demo")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("mine,", "'mine,' names an ensemble and lacks a member"),
        (",", "',' names an ensemble and lacks a member"),
        ("mine,,demo", "lacks a member"),
        ("mine,theirs", "'theirs' is neither a model file nor a run; the models here are demo, mine"),
        ("mine,demo,mine", "'mine,demo,mine' has mine twice: name each member of an ensemble once"),
        ("demo,nowhere/a.onnx", "there is no model file nowhere/a.onnx"),
    ],
)
def test_an_ensemble_that_cannot_be_found_is_refused_by_name(folders, spec, said):
    put(folders[0], "mine")
    put(folders[1], "demo")
    with pytest.raises(CheckpointError, match=said):
        find_models(spec)


@pytest.mark.parametrize("spec", ["stuednt", "../student", "nowhere/model.safetensors", "", "a b"])
def test_an_unknown_model_is_refused_with_the_runs_there_are(folders, spec):
    put(folders[0], "student")
    put(folders[1], "demo")
    put(folders[0].parent, "student")  # where ../student would lead
    with pytest.raises(CheckpointError, match="the models here are demo, student"):
        find_model(spec)


def test_no_model_at_all_and_a_run_without_one_are_said(folders):
    with pytest.raises(
        CheckpointError, match="'student' is neither a model file nor a run; there is no model here yet"
    ):
        find_model("student")
    (folders[0] / "young").mkdir(parents=True)
    with pytest.raises(CheckpointError, match="run 'young' has no model yet"):
        find_model("young")


def test_only_the_shipped_folder_of_the_checkout_counts(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(available, "bundled", (tmp_path / "package").joinpath)
    save_demo_model(tmp_path / "package", "leftover")
    assert available.model_files() == {}
    shipped = save_demo_model(tmp_path / "package", available.SHIPPED)
    assert available.model_files() == {"demo": shipped}


@pytest.mark.parametrize(
    ("spec", "parts"),
    [("", []), (" , ", []), ("a", ["a"]), ("a, b c ,xrv:nih,", ["a", "b c", "xrv:nih"])],
)
def test_a_teacher_has_the_parts_between_commas(spec, parts):
    assert teacher_parts(spec) == parts


def test_an_export_that_answers_otherwise_has_its_precision_in_its_name() -> None:
    names = ("model.safetensors", "model.onnx", "model.int8.onnx", "model.fp16.onnx", "other.onnx")
    assert [model_name(Path("checkpoints/demo") / name) for name in names] == [
        *("demo", "demo", "demo.int8", "demo.fp16", "other")
    ]
