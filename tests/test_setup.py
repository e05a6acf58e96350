"""What a newcomer meets first: the settings on the command line, the README, the start scripts."""

import importlib.metadata
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import cv2
import light_install
import pytest
import yaml
from openjpeg.utils import get_openjpeg_version
from PIL import features

from xlite.cli import run
from xlite.config import TrainConfig
from xlite.images import MAX_UPLOAD_MB

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    *(
        "data phantom",
        "data download",
        "data import",
        "data check",
        "data doubts",
        "data split",
        "data leakage",
        "data cache",
        "eda",
        "train",
    ),
    *("jobs list", "jobs status", "jobs start", "jobs stop", "jobs resume", "jobs logs"),
    *("jobs rename", "jobs note", "jobs delete"),
    *("sweep phase1", "sweep phase2", "sweep phase3", "sweep search"),
    *("sweep crossfit", "sweep resume", "sweep stop"),
    *("sweep list", "sweep status", "sweep leaderboard", "sweep delete"),
    *("federate server", "federate client", "federate simulate", "federate study"),
    *("select", "select-study"),
    *("label start", "label list", "label status", "label export"),
    *("evaluate", "localise", "adapt", "shortcuts", "embed", "score", "predict", "bench", "export"),
    *("ensemble", "convert", "duty"),
    *("share", "serve", "app"),
]


def squeezed(text: str) -> str:
    """The text without the line breaks and hyphenation of a help page."""
    return re.sub(r"\s+", "", text)


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_and_stands_in_the_readme(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command.split(), "--help"]) == 0
    assert f"Usage: xlite {command} " in capsys.readouterr().out
    assert f"`xlite {command}" in README


@pytest.mark.slow
def test_the_readme_and_this_list_know_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    known: set[str] = set()
    for group in ("", "data", "jobs", "sweep", "federate", "label"):
        assert run([*group.split(), "--help"]) == 0
        listed = capsys.readouterr().out.split("Commands:\n")[1]
        known |= {f"{group} {line.split()[0]}".strip() for line in re.findall(r"^  \w.*$", listed, re.M)}
    assert known - {"data", "jobs", "sweep", "federate", "label"} == set(COMMANDS)


@pytest.mark.slow
def test_the_readme_lists_the_commands_that_answer_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    known = set()
    for command in COMMANDS:
        run([*command.split(), "--help"])
        known |= {command} if "--json" in capsys.readouterr().out.split() else set()
    [listed] = re.findall(r"^`--json` prints [^:]*: (.*?)\.$", README, re.DOTALL | re.MULTILINE)
    assert set(re.findall("`(.*?)`", listed)) == known


def test_the_readme_lists_the_variables_that_are_read() -> None:
    sources = [path for folder in ("xlite", "app", "tests") for path in (ROOT / folder).rglob("*.py")]
    texts = [path.read_text(encoding="utf-8") for path in [*sources, ROOT / "run"]]
    read = {
        name for text in texts for name in re.findall(r"""(?:environ\S*["']|\$\{)(XLITE_[A-Z_]+)""", text)
    }
    assert set(re.findall(r"`(XLITE_\w+)`", README)) == read


@pytest.mark.parametrize("command", ["train", "jobs start", "sweep search"])
def test_each_setting_is_an_option_with_its_description_and_default(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run([*command.split(), "--help"])
    page = squeezed(capsys.readouterr().out)
    for name, field in TrainConfig.model_fields.items():
        option = name.replace("_", "-")
        if (command, name) == ("sweep search", "name"):
            continue  # a study names its runs itself
        assert f"--{option}" in page
        assert squeezed(field.description or "") in page, name
        if isinstance(field.default, bool):
            assert f"--{option}/--no-{option}" in page
            assert squeezed(f"[default: {'' if field.default else 'no-'}{option}]") in page
        elif not field.is_required() and field.default != "":
            assert squeezed(f"{field.description}[default: {field.default}]") in page


HEAVY = {"torch", "pandas", "numpy", "scipy", "streamlit", "cv2", "tqdm", "asyncio"}


def test_the_commands_wait_for_what_is_heavy_until_they_need_it() -> None:
    code = "import sys; import xlite.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY & {*done.stdout.split()} == set()


@pytest.mark.slow
@pytest.mark.alone
def test_help_takes_little_more_than_the_libraries_that_it_stands_on() -> None:
    code = (
        "import sys, time; began = time.process_time(); import pydantic, typer; "
        "libraries = time.process_time(); from xlite.cli import run; run(['--help']); "
        "own = time.process_time() - libraries; "
        "print(own / (libraries - began), *sys.modules, file=sys.stderr)"
    )
    least = math.inf  # of five: what else the processor does can only add
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        times, *loaded = done.stderr.split()
        assert HEAVY & {*loaded} == set()
        least = min(least, float(times))
    assert least < 4


@pytest.mark.slow
def test_module_and_command_are_the_same() -> None:
    pages = [
        subprocess.run([*words, "--help"], capture_output=True, text=True, check=True).stdout
        for words in (["xlite"], [sys.executable, "-m", "xlite"])
        if words[0] != "xlite" or shutil.which("xlite")
    ]
    assert len(set(pages)) == 1
    assert pages[0].startswith("Usage: xlite ")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the start script with requirements that need no network: they install nothing."""
    root = tmp_path / "check out"
    (root / "app").mkdir(parents=True)
    shutil.copy(ROOT / "run", root / "run")
    (root / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "none"\nbackend-path = ["."]\n'
    )
    (root / "requirements.txt").write_text("")
    (root / "xlite").mkdir()
    (root / "xlite" / "__main__.py").write_text("import sys, json; print(json.dumps(sys.argv[1:]))")
    return root


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a bash script")
def test_run_makes_its_environment_once(checkout: Path) -> None:
    environment = {**os.environ, "XLITE_VENV": str(checkout / "an env")}
    words = [str(checkout / "run"), "xlite", "data", "check", "a b"]

    def call() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, cwd=checkout, env=environment, capture_output=True, text=True, check=True
        )

    first, second = call(), call()
    assert json.loads(first.stdout) == json.loads(second.stdout) == ["data", "check", "a b"]
    assert "Installing" in first.stderr
    assert second.stderr == ""
    words[1:] = ["app", "--server.port", "8502"]
    assert json.loads(call().stdout) == words[1:]
    (checkout / "requirements.txt").write_text("# changed\n")
    assert "Installing" in call().stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a bash script")
def test_run_explains_itself_and_asks_for_a_python(checkout: Path) -> None:
    done = subprocess.run([str(checkout / "run")], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (
        2,
        "Error: expected ./run app, ./run test or ./run xlite COMMAND\n",
    )
    tools = checkout / "tools"
    tools.mkdir()
    for name in ("bash", "dirname", "cat", "cksum", "env"):
        (tools / name).symlink_to(shutil.which(name) or name)
    done = subprocess.run(
        [str(checkout / "run"), "xlite"], env={"PATH": str(tools)}, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (
        2,
        "Error: no Python 3.11, 3.12 or 3.13 was found: install one\n",
    )


def test_every_dependency_is_bounded() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(line for lines in extras.values() for line in lines)]
    own = re.compile(r"xlite-cxr\[([\w,]+)\]")
    assert [one for one in wanted if not re.search(r">=[\d.]+.*,<[\d.]+$", one) and not own.match(one)] == []
    named = {extra for line in wanted for found in own.findall(line) for extra in found.split(",")}
    assert named <= extras.keys()
    assert (ROOT / "requirements.txt").read_text().splitlines()[-1] == "-e .[all]"


def version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def test_the_libraries_that_decode_are_those_that_security_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    floors = dict(re.findall(r"^([\w-]+)>=([\d.]+)", "\n".join(project["dependencies"]), re.M))
    assert version(floors["pillow"]) >= (12, 3) and version(floors["opencv-python-headless"]) >= (4, 13)
    [png] = re.findall(r"PNG: .*\(ver ([\d.]+)\)", cv2.getBuildInformation())
    assert version(png) >= (1, 6, 53)
    assert version(features.version("jpg_2000")) >= (2, 5, 4)
    bundled_openjpeg = ".".join(map(str, get_openjpeg_version()))
    assert f"newest wheel bundles OpenJPEG {bundled_openjpeg}." in (ROOT / "SECURITY.md").read_text()


def test_the_licence_is_the_one_that_is_named() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    text = (ROOT / "LICENSE").read_text()
    assert project["license"] == "Apache-2.0"
    assert "Apache License" in text and "END OF TERMS AND CONDITIONS" in text


def test_the_citation_has_the_newest_release_of_the_changelog() -> None:
    [(version, date), *_] = re.findall(
        r"^## \[([\d.]+)\] - (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.M
    )
    citation = (ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {version}\n" in citation and f"\ndate-released: {date}\n" in citation


def test_the_app_takes_uploads_as_large_as_the_library_does() -> None:
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert settings["server"]["maxUploadSize"] == MAX_UPLOAD_MB


@pytest.mark.slow
def test_no_script_takes_the_name_of_an_installed_package() -> None:
    """Tests put folders of scripts in front of what is installed: a script would be imported instead."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    folders = [ROOT / name for name in settings["tool"]["pytest"]["ini_options"]["pythonpath"]]
    scripts = {path.stem for folder in folders for path in folder.glob("*.py")}
    assert scripts & importlib.metadata.packages_distributions().keys() == set()


def test_the_hosted_workflow_tests_what_run_installs_and_skips_nothing() -> None:
    (installs,) = re.findall(r" test\)\n +install_once \w+ (.+)", (ROOT / "run").read_text())
    everything = installs.replace("'", '"')
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    commands = {
        name: [step["run"] for step in job["steps"] if "run" in step]
        for name, job in workflow["jobs"].items()
    }
    testing = {name for name, lines in commands.items() if any("pytest" in line for line in lines)}
    assert testing == {"test", "slow"}
    for name in testing:
        assert f"pip install {everything}" in commands[name]
        assert workflow["jobs"][name]["env"]["XLITE_REQUIRE_EXTRAS"] == "1"
    own = (ROOT / ".ci" / "run").read_text()
    assert "XLITE_REQUIRE_EXTRAS=1" in own
    pacs = "apt-get install -qy --no-install-recommends orthanc orthanc-dicomweb dcmtk dicom3tools"
    assert pacs in own and any(pacs in line for line in commands["slow"])
    assert workflow["jobs"]["slow"]["env"]["XLITE_REQUIRE_ORTHANC"] == "1"


@pytest.mark.parametrize(("required", "outcome"), [("", "skipped"), ("1", "failed")])
def test_a_library_that_is_missing_skips_a_test_or_fails_it_if_extras_are_required(
    required: str, outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XLITE_REQUIRE_EXTRAS", required)
    monkeypatch.setattr(light_install, "find_spec", lambda module: None)

    def lacking() -> None:
        raise ModuleNotFoundError("No module named 'gradio'", name="gradio")

    call = pytest.CallInfo.from_call(lacking, "call")
    report = pytest.TestReport("tests/test_one.py::test", ("", 0, ""), {}, "failed", None, "call")
    light_install.skip_without_extra(report, call)
    assert report.outcome == outcome
    refusal = {"": pytest.skip.Exception, "1": pytest.fail.Exception}[required]
    with pytest.raises(refusal, match="gradio is not installed"):
        light_install.skip_if_refused("Error: xlite share needs gradio, which is not installed: pip install")
