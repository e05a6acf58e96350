"""A Gradio Space as a folder; `tests/test_package.py` starts one."""

import ast
import importlib.metadata
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import xlite
from xlite.classify import Classifier
from xlite.errors import CheckpointError, RunError
from xlite.export import space
from xlite.export.space import requirements, write_space

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(exported, tmp_path_factory):
    out = tmp_path_factory.mktemp("space") / "demo"
    write_space(exported[1], exported[0], "tiny", out)
    return out


def test_a_space_says_what_it_is(folder):
    _, head, text = (folder / "README.md").read_text().split("---\n", 2)
    assert yaml.safe_load(head) == {
        "title": "X-Lite: tiny",
        "emoji": "🩻",
        "colorFrom": "green",
        "colorTo": "gray",
        "sdk": "gradio",
        "sdk_version": importlib.metadata.version("gradio"),
        "python_version": f"{sys.version_info.major}.{sys.version_info.minor}",
        "app_file": "app.py",
        "pinned": False,
        "license": "unknown",
        "short_description": "Reads a chest film: 14 findings, a map for each",
        "tags": ["chest-x-ray", "medical-imaging"],
    }
    assert len(yaml.safe_load(head)["short_description"]) <= 60
    assert "Research software, not a medical device" in text and "split patient-42-0 (2020 labels)" in text


def test_a_space_holds_all_that_it_runs(folder, exported):
    assert (folder / "tiny.onnx").read_bytes() == exported[1].read_bytes()
    assert Classifier.load(folder / "tiny.onnx").name == "tiny"
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    inside = [path for path in (ROOT / "xlite").rglob("*") if path.is_file()]
    package = {path.relative_to(ROOT).as_posix() for path in inside if "__pycache__" not in path.parts}
    assert package <= names
    beside = {"app.py", "requirements.txt", "README.md", "LICENSE", ".gitattributes", ".xlite-export.json"}
    parts = [path for part in ("app", "checkpoints/gate") for path in (ROOT / part).rglob("*")]
    bundled = {
        f"xlite/bundled/{path.relative_to(ROOT).as_posix()}"
        for path in parts
        if path.is_file() and not {"__pycache__", "web"} & set(path.parts)
    }
    assert names - package - beside == bundled | {"tiny.onnx"}
    assert not [path for path in folder.rglob("*") if path.is_symlink()]
    for path in folder.rglob("*.py"):
        assert str(ROOT) not in path.read_text(encoding="utf-8"), path


def test_requirements_are_those_of_the_package(folder, monkeypatch, tmp_path):
    here = (folder / "requirements.txt").read_text().splitlines()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert here == requirements() and set(project["dependencies"]) <= set(here)
    names = {need.partition(">")[0] for need in here}
    assert {"gradio", "numpy", "onnxruntime"} <= names and "xlite-cxr" not in names
    monkeypatch.setattr(space, "bundled", (tmp_path / "nowhere").joinpath)  # as installed
    said = [
        "b<2,>=1",
        "a",
        "xlite-cxr[serve]; extra == 'share'",
        "g; extra == 'share'",
        "u; extra == 'serve'",
    ]
    monkeypatch.setattr(importlib.metadata.PathDistribution, "requires", said)
    assert requirements() == ["a", "b<2,>=1", "g", "u"]


def test_what_cannot_run_is_no_space(exported, tmp_path, monkeypatch):
    with pytest.raises(CheckpointError, match="is not an ONNX file"):
        write_space(exported[0], exported[0], "tiny", tmp_path / "space")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "app.py").write_text("mine")
    with pytest.raises(RunError, match="has app.py, which is not of an earlier export, and would be lost"):
        write_space(exported[1], exported[0], "tiny", tmp_path / "mine")

    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(space, "distribution", missing)
    with pytest.raises(RunError) as error:
        write_space(exported[1], exported[0], "tiny", tmp_path / "space")
    assert str(error.value) == (
        "a Space is made from what is installed, and gradio is not: `pip install 'xlite-cxr[share]'`"
    )
    assert not (tmp_path / "space").exists()


def started(folder, **environment):
    """The command and the variables that `app.py` hands over to."""
    code = (
        "import os, runpy, sys; os.execve = lambda program, words, environment: print((words[1:], environment"
        "['PYTHONPATH'], environment['XLITE_HOSTS'])); runpy.run_path(sys.argv[1], run_name='__main__')"
    )
    words = [sys.executable, "-c", code, str(folder / "app.py")]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    return ast.literal_eval(done.stdout)


def test_it_is_open_in_a_space_and_nowhere_else(folder):
    script, model = str(folder / "xlite/bundled/app/share.py"), str(folder / "tiny.onnx")
    assert started(folder) == ([script, model], str(folder), "")
    names = {"XLITE_HOSTS": "xray.example.org", "SPACE_HOST": "one-tiny.hf.space", "PYTHONPATH": "/more"}
    words = [script, model, "--space", "--host", "0.0.0.0"]
    assert started(folder, SPACE_ID="one/tiny", **names) == (
        words,
        f"{folder}:/more",
        "xray.example.org one-tiny.hf.space",
    )
    asked = {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": "7000"}
    assert started(folder, SPACE_ID="one/tiny", **asked)[0] == [*words[:-1], "127.0.0.1", "--port", "7000"]
    assert xlite.__version__ in (folder / "README.md").read_text()
