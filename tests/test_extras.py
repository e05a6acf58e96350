"""The light install: what works without the extras, and what says which one it needs."""

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from command_line import child

from xlite.extras import EXTRAS, lacking, missing
from xlite.findings import FINDINGS
from xlite.places import bundled

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
FILM = bundled("app", "examples", "effusion.png")
GONE = [module for modules in EXTRAS.values() for module in (*modules, "starlette")]
_HIDES = """
import sys


class Hiding:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in {modules!r} else self.finder.find_spec(name, path, target)


sys.meta_path[:] = map(Hiding, sys.meta_path)
"""


def without(folder: Path, *modules: str) -> dict[str, str]:
    """The environment of a child in which these modules cannot be imported."""
    hidden = folder / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(_HIDES.format(modules=modules))
    path = os.pathsep.join([str(hidden), os.environ.get("PYTHONPATH") or str(ROOT)])
    return os.environ | {"PYTHONPATH": path}


@pytest.fixture
def light(tmp_path: Path) -> dict[str, str]:
    """The environment of a base install."""
    return without(tmp_path, *GONE)


def test_the_extras_are_those_of_the_distribution() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    homes = metadata.packages_distributions()
    brought = {
        extra: {re.split(r"[\[<>]", line)[0].lower().replace("_", "-") for line in lines}
        for extra, lines in extras["optional-dependencies"].items()
    }
    for extra, modules in EXTRAS.items():
        for module in modules:
            names = {name.lower().replace("_", "-") for name in homes.get(module, [])}
            assert not names or names & brought[extra], module
    # Each extra's own libraries are known by a module, but for what several share.
    known = {name.lower().replace("_", "-") for module in GONE for name in homes.get(module, [])}
    for extra in EXTRAS:
        assert brought[extra] - known <= {"xlite-cxr"} | (brought[extra] - _installed()), extra
    base = {re.split(r"[\[<>]", line)[0] for line in extras["dependencies"]}
    assert not base & set().union(*(brought[extra] for extra in EXTRAS))


def _installed() -> set[str]:
    return {one.name.lower().replace("_", "-") for one in metadata.distributions()}


@pytest.mark.parametrize(
    ("words", "command", "module", "extra"),
    [
        ("train --data {data} --name one", "train", "torch", "train"),
        ("jobs start --data {data} --name one", "jobs start", "torch", "train"),
        ("sweep search --data {data} --vary lr=0.1,0.2", "sweep search", "torch", "train"),
        ("evaluate demo --data {data} --out out", "evaluate", "torch", "train"),
        ("export demo --out out.onnx", "export", "onnx", "train"),
        ("data split {data} --strategy image --allow-leakage", "data split", "sklearn", "report"),
        ("eda {data} --out eda.md", "eda", "sklearn", "report"),
        ("federate simulate --data {data} --name one", "federate simulate", "flwr", "federated"),
        ("app", "app", "streamlit", "app"),
        ("share demo", "share", "gradio", "share"),
        ("serve", "serve", "fastapi", "serve"),
        ("serve --dicom --to PACS@localhost:4242", "serve", "pynetdicom", "dicom"),
        ("predict demo {data} --dicom-out out", "predict", "pynetdicom", "dicom"),
    ],
)
def test_what_needs_an_extra_says_so_and_leaves_nothing(
    words: str,
    command: str,
    module: str,
    extra: str,
    light: dict[str, str],
    tiny_folder: Path,
    own_home: Path,
    tmp_path: Path,
) -> None:
    before = sorted(own_home.rglob("*"))
    done = child(*words.format(data=tiny_folder).split(), env=light, cwd=tmp_path)
    remedy = f"pip install 'xlite-cxr[{extra}]'"
    if extra == "federated":
        remedy = (
            "give it an environment of its own, in a checkout by "
            "`python3 -m venv fed && fed/bin/pip install '.[federated]'`"
        )
    told = f"xlite {command} needs {module}, which is not installed: {remedy}"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"Error: {told}\n")
    assert sorted(own_home.rglob("*")) == before


def test_another_module_that_is_missing_is_a_fault_and_no_sentence(tiny_folder: Path, tmp_path: Path) -> None:
    done = child("data", "check", tiny_folder, env=without(tmp_path, "pandas"))
    assert done.returncode == 1 and done.stderr.startswith("Traceback")
    assert missing(ModuleNotFoundError("No module named 'x'", name="x"), "xlite train") is None
    assert missing(ModuleNotFoundError("No name"), "xlite train") is None
    inner = ModuleNotFoundError("No module named 'torch.nn'", name="torch.nn")
    assert missing(inner, "xlite train") == (
        "xlite train needs torch, which is not installed: pip install 'xlite-cxr[train]'"
    )


def test_a_page_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in EXTRAS["train"]:
        monkeypatch.setitem(sys.modules, module, None)
    assert lacking("train", "Training") == (
        "Training needs torch, which is not installed: pip install 'xlite-cxr[train]'"
    )


def test_the_base_install_reads_films(light: dict[str, str], tmp_path: Path) -> None:
    done = child("predict", "demo", FILM, "--out", tmp_path / "out", "--heatmaps", 1, "--json", env=light)
    assert (done.returncode, done.stderr) == (0, "")
    [probabilities] = json.loads(done.stdout).values()
    assert list(probabilities) == [*FINDINGS, "guards", "worth"]
    assert len(list((tmp_path / "out").rglob("*.png"))) == 1


def test_what_only_torch_reads_is_a_sentence(light: dict[str, str], tmp_path: Path) -> None:
    for words in (
        ("predict", "own.safetensors", FILM, "--out", "out"),
        ("predict", "demo", FILM, "--out", "out", "--heatmaps", "1", "--map", "gradcam++"),
        ("predict", "demo", FILM, "--out", "out", "--device", "cuda"),
    ):
        (tmp_path / "own.safetensors").write_bytes(
            bundled("checkpoints", "demo", "model.safetensors").read_bytes()
        )
        done = child(*words, env=light, cwd=tmp_path)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
        assert "torch" in done.stderr and "is not installed: pip install 'xlite-cxr[train]'" in done.stderr
    assert done.stderr.lower().startswith("error: device 'cuda' needs torch, which is not installed")


def test_the_base_install_looks_at_data_and_scores(light: dict[str, str], tmp_path: Path) -> None:
    films = tmp_path / "films"
    drawn = ("data", "phantom", films, "--images", 24, "--patients", 12, "--size", 224)
    for words in (drawn, ("data", "check", films), ("data", "split", films), ("jobs", "list")):
        done = child(*words, env=light)
        assert (done.returncode, done.stderr) == (0, ""), words
    done = child("predict", "demo", films, "--out", tmp_path / "out", env=light)
    assert done.returncode == 0, done.stderr
    predictions = tmp_path / "out" / "predictions.csv"
    done = child("score", predictions, "--table", films, "--out", tmp_path / "report", env=light)
    said = "report.html has no charts, which need plotly, and that is not installed: pip install"
    assert (done.returncode, done.stdout.count(said)) == (0, 1), done.stderr
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert page.count(said) == 1 and "<table>" in page
    assert "<script" not in page and "<figure" not in page
    assert said not in (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "report" / "metrics.json").read_text())["split"]["images"] == 24


def test_reading_one_film_loads_no_library_that_it_does_not_need(tmp_path: Path) -> None:
    code = (
        "import sys; from xlite.cli import run; "
        f"run(['predict', 'demo', {str(FILM)!r}, '--out', {str(tmp_path / 'out')!r}]); "
        "print({'torch', 'pandas', 'pydicom', 'plotly', 'onnx'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "set()\n"
