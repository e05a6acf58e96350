"""`xlite export` as a folder, and options that say different things."""

import json
import shutil
from pathlib import Path

import pytest
from command_line import Command

from xlite.models.available import EXPORT_FILE

pytestmark = pytest.mark.slow


@pytest.fixture
def source(exported: tuple[Path, Path], tmp_path: Path) -> Path:
    """A model in a run's folder, with its export beside it."""
    folder = tmp_path / "run"
    folder.mkdir()
    shutil.copyfile(exported[1], folder / EXPORT_FILE)
    return Path(shutil.copyfile(exported[0], folder / "model.safetensors"))


def test_a_space_and_a_repository_are_written(xlite: Command, source: Path, tmp_path: Path) -> None:
    space, hub = tmp_path / "space", tmp_path / "hub"
    status, out, err = xlite("export", source, "--space", space)
    size = sum(path.stat().st_size for path in space.rglob("*") if path.is_file()) / 1e6
    assert (status, out, err) == (
        0,
        f"{space} ({size:.1f} MB) is a Gradio Space; `hf upload OWNER/NAME {space} . --repo-type space` "
        "pushes it. Its README.md says that the model's licence is unknown: write yours there first\n",
        "",
    )
    assert (space / "run.onnx").read_bytes() == source.with_name(EXPORT_FILE).read_bytes()
    for _ in range(2):  # the second in place of the first
        status, out, _ = xlite("export", source, "--hub", hub, "--json")
        size = sum(path.stat().st_size for path in hub.iterdir()) / 1e6
        assert (status, json.loads(out)) == (0, {"folder": str(hub), "megabytes": size})
    assert "# Model card: run\n" in (hub / "README.md").read_text()


def test_an_export_gives_a_space_and_no_repository(xlite: Command, source: Path, tmp_path: Path) -> None:
    export = source.with_name(EXPORT_FILE)
    assert xlite("export", export, "--space", tmp_path / "space")[0] == 0
    assert (tmp_path / "space" / "run.onnx").read_bytes() == export.read_bytes()
    status, out, err = xlite("export", export, "--hub", tmp_path / "hub")
    assert (status, out) == (2, "")
    assert err == (
        f"Error: {export} is an export, which has no weights to train on or to make maps from: name the "
        "model that it was made from\n"
    )
    assert not (tmp_path / "hub").exists()


@pytest.mark.parametrize("option", ["--web", "--space", "--hub"])
def test_a_folder_of_others_is_left_alone(xlite: Command, source: Path, tmp_path: Path, option: str) -> None:
    folder, file = tmp_path / "folder", tmp_path / "file"
    folder.mkdir()
    (folder / "README.md").write_text("mine")
    file.write_text("mine")
    status, out, err = xlite("export", source, option, folder)
    assert (status, out, err) == (
        2,
        "",
        f"Error: {folder} has README.md, which is not of an earlier export, and would be lost: name a folder "
        "that is empty or not there yet\n",
    )
    status, out, err = xlite("export", source, option, file)
    said = f"Error: {file} is not a folder; name one that is empty or not there yet\n"
    assert (status, out, err) == (2, "", said)
    assert ((folder / "README.md").read_text(), file.read_text()) == ("mine", "mine")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--web", "a", "--space", "b"), "--web a and --space b write different things: give one of them"),
        (
            ("--out", "c.onnx", "--hub", "a", "--web", "b"),
            "--web b and --hub a and --out c.onnx write different things: give one of them",
        ),
        (("--hub", "a", "--runtime", "b"), "--runtime b is for a page: give --web DIR, too, or leave it out"),
        (("--runtime", "b"), "--runtime b is for a page: give --web DIR, too, or leave it out"),
        (("--web", "a", "--fp16"), "--fp16 makes a file, and --web a folder: export, then name the file"),
        (
            ("--space", "a", "--int8", "--data", "d"),
            "--int8 makes a file, and --space a folder: export, then name the file",
        ),
        (
            ("--hub", "a", "--fp16"),
            "--fp16 makes a file, and --hub a folder: its weights are those of the model",
        ),
    ],
)
def test_options_that_say_different_things_are_refused(
    xlite: Command, source: Path, options: tuple[str, ...], sentence: str
) -> None:
    assert xlite("export", source, *options) == (2, "", f"Error: {sentence}\n")
