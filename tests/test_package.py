"""X-Lite as others get it: the wheel, installed outside the checkout, and what `import xlite` gives."""

import ast
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import time
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from gradio_client import Client, handle_file
from servers import free_port

import xlite
from xlite import FINDINGS, Classifier, read_image
from xlite.findings import spoken

ROOT = Path(__file__).resolve().parents[1]
PUBLIC = {
    "FINDINGS",
    "CheckpointError",
    "Classifier",
    "DataError",
    "ImageError",
    "Reading",
    "RunError",
    "XliteError",
    "__version__",
    "read_image",
}


def test_the_public_names_are_these() -> None:
    assert set(xlite.__all__) == PUBLIC <= set(dir(xlite))
    for name in PUBLIC:
        assert getattr(xlite, name) is not None
    with pytest.raises(AttributeError, match="NoSuchName"):
        xlite.NoSuchName  # noqa: B018


def test_a_bare_import_loads_nothing_heavy() -> None:
    code = (
        "import sys, time; began = time.process_time(); import xlite; took = time.process_time() - began; "
        "print(took < 0.1, {'torch', 'numpy', 'cv2', 'pydantic'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True set()\n"


def test_every_error_that_is_imported_is_an_xlite_error() -> None:
    for name in PUBLIC:
        if name.endswith("Error"):
            assert issubclass(getattr(xlite, name), xlite.XliteError), name


def test_the_api_page_names_what_can_be_imported() -> None:
    page = (ROOT / "docs" / "API.md").read_text(encoding="utf-8")
    assert {name for name in PUBLIC if f"| `{name}" in page} == PUBLIC


def test_the_example_of_the_readme_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    [example] = re.findall(
        r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    exec(example, names)
    reading = names["reading"]
    assert isinstance(reading, xlite.Reading)
    assert reading.top(1)[0][0] in xlite.FINDINGS
    assert len([line for line in example.splitlines() if line]) <= 4


def build(kind: str, source: Path, out: Path) -> Path:
    """The distribution of that kind, made from a folder of sources."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(out)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    [path] = out.glob("xlite_cxr-*.whl" if kind == "wheel" else "xlite_cxr-*.tar.gz")
    return path


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, unpacked."""
    out = tmp_path_factory.mktemp("sdist")
    archive = build("sdist", ROOT, out)
    with tarfile.open(archive) as file:
        file.extractall(out, filter="data")
    return out / archive.name.removesuffix(".tar.gz")


@pytest.fixture(scope="module")
def wheel(sdist: Path) -> Path:
    """The wheel that the source distribution gives."""
    return build("wheel", sdist, sdist.parent)


def fresh_environment(root: Path) -> tuple[Path, Path]:
    """A new environment without X-Lite, which borrows its dependencies from this one: packages, programs."""
    venv.create(root)
    places = {"base": str(root), "platbase": str(root)}
    site, programs = (Path(sysconfig.get_path(name, "venv", places)) for name in ("purelib", "scripts"))
    # A folder named in a .pth file is searched, but its own .pth files are not read: the checkout stays out.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return site, programs


def pip_install(programs: Path, *words: str | Path, cwd: Path) -> None:
    """Installs into an environment that has no pip, from files alone."""
    pip = ["-m", "pip", "--disable-pip-version-check", "--python", str(programs / "python")]
    call(sys.executable, *pip, "install", "-q", "--no-index", *words, cwd=cwd)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel in a fresh environment; its programs."""
    root = tmp_path_factory.mktemp("installed")
    site, programs = fresh_environment(root / "venv")
    python = programs / "python"
    pip_install(programs, "--no-deps", wheel, cwd=root)
    found = call(python, "-c", "import xlite; print(xlite.__file__)", cwd=root)
    assert Path(found.strip()).is_relative_to(site)
    return programs


def environment() -> dict[str, str]:
    """The variables of this process but for those that lead to the checkout."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "XLITE_", "STREAMLIT_"))}
    return kept | {"OMP_NUM_THREADS": "1"}


def call(*words: str | Path, cwd: Path) -> str:
    """What a command prints that must succeed."""
    done = subprocess.run(list(words), cwd=cwd, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def answering(cwd: Path, port: int, *words: str | Path, **variables: str) -> Iterator[str]:
    """A server that has begun to answer; ended at the end."""
    with open(cwd / "server.log", "wb") as log:
        server = subprocess.Popen(
            list(words), cwd=cwd, env=environment() | variables, stdout=log, stderr=subprocess.STDOUT
        )
    address, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 120
    try:
        while True:
            try:
                httpx.get(address, timeout=5)
                break
            except httpx.TransportError:
                text = (cwd / "server.log").read_text()
                assert server.poll() is None and time.monotonic() < deadline, text
                time.sleep(0.2)
        yield address
    finally:
        server.kill()
        server.wait()


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_what_runs_beside_it(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted: set[str] = set()
    for folder in (
        "xlite",
        "app",
        "pages",
        "checkpoints/demo",
        "checkpoints/tiny",
        "checkpoints/gate",
        "checkpoints/lungs",
        ".streamlit",
    ):
        files = (path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file())
        inside = "" if folder == "xlite" else "xlite/bundled/"
        wanted |= {inside + path.as_posix() for path in files}
    assert {name for name in names if ".dist-info/" not in name} == {
        name for name in wanted if "__pycache__" not in name and not name.endswith(".int8.onnx")
    }


@pytest.mark.slow
def test_the_installed_command_works_anywhere(installed: Path, tmp_path: Path) -> None:
    command = installed / "xlite"
    assert call(command, "--help", cwd=tmp_path).startswith("Usage: xlite ")
    film = ROOT / "app" / "examples" / "effusion.png"
    call(command, "predict", "demo", film, "--out", tmp_path / "out", "--heatmaps", "1", cwd=tmp_path)
    [header, row] = (tmp_path / "out" / "predictions.csv").read_text().splitlines()
    assert len(header.split(",")) == len(row.split(",")) == 15
    assert len(list((tmp_path / "out").rglob("*.png"))) == 1


@pytest.mark.slow
def test_the_installed_app_answers_with_the_settings_that_come_with_it(
    installed: Path, tmp_path: Path
) -> None:
    port = free_port()
    words = ["app", "--server.headless", "true", f"--server.port={port}"]
    with answering(tmp_path, port, installed / "xlite", *words) as address:
        assert httpx.get(f"{address}/_stcore/health").text == "ok"
    log = (tmp_path / "server.log").read_text()
    assert f"localhost:{port}" in log and "Network URL" not in log and "External URL" not in log


@pytest.mark.slow
def test_the_installed_demo_answers(installed: Path, tmp_path: Path) -> None:
    port = free_port()
    with answering(tmp_path, port, installed / "xlite", "share", "demo", "--port", str(port)) as address:
        assert "X-Lite" in httpx.get(address).text


@pytest.mark.slow
def test_a_space_runs_by_what_it_holds(installed: Path, tmp_path: Path) -> None:
    call(installed / "xlite", "export", "demo", "--space", tmp_path / "space", cwd=tmp_path)
    _, programs = fresh_environment(tmp_path / "venv")
    gone = subprocess.run([programs / "python", "-c", "import xlite"], cwd=tmp_path, env=environment())
    assert gone.returncode == 1
    space = Path(shutil.move(tmp_path / "space", tmp_path / "elsewhere"))
    pip_install(programs, "-r", space / "requirements.txt", cwd=space)  # all is there: nothing else is needed
    port, name = free_port(), "one-demo.hf.space"
    variables = {
        **{"SPACE_ID": "one/demo", "SPACE_HOST": name, "SYSTEM": "spaces"},
        **{"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port)},
    }
    with answering(space, port, programs / "python", "app.py", **variables) as address:
        for host, status in ((f"127.0.0.1:{port}", 200), (name, 200), ("other.example.org", 403)):
            answer = httpx.get(address, headers={"host": host, "x-forwarded-proto": "https"})
            assert (answer.status_code, "X-Lite" in answer.text) == (status, status == 200), host
        film = ROOT / "app" / "examples" / "normal_pa.png"
        visitor = Client(address, verbose=False, download_files=tmp_path / "down")
        maps, label = visitor.predict(handle_file(film), api_name="/read")
    reading = Classifier.load("demo").read(read_image(film))
    told = {row["label"]: row["confidence"] for row in label["confidences"]}
    wanted = {spoken(name): value for name, value in zip(FINDINGS, reading.probabilities, strict=True)}
    assert told == pytest.approx(wanted, abs=1e-4)
    assert maps.count("data:image/jpeg;base64,") == 4  # the film and three maps over it
    assert "Traceback" not in (space / "server.log").read_text()


@pytest.mark.slow
def test_a_model_repository_reads_films(installed: Path, tmp_path: Path) -> None:
    call(installed / "xlite", "export", "demo", "--hub", tmp_path / "hub", cwd=tmp_path)
    film = ROOT / "app" / "examples" / "effusion.png"
    code = (
        "import sys; from xlite import Classifier, read_image; "
        "print(Classifier.load(sys.argv[1]).read(read_image(sys.argv[2])).top(14))"
    )
    answers = [call(installed / "python", "-c", code, name, film, cwd=tmp_path) for name in ("hub", "demo")]
    assert answers[0] == answers[1] and len(ast.literal_eval(answers[0])) == 14
