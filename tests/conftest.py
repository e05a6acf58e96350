"""Fixtures that many test files share: the cheapest real things."""

import functools
import gc
import itertools
import os
import shutil
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

# The models of the tests are tiny: threads would cost them more time than they save.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
from command_line import Command
from light_install import skip_if_refused, skip_without_extra
from noise_folder import HEADER_2020, write_noise_folder

from xlite.config import make_config
from xlite.data.folder import NihFolder
from xlite.findings import FINDINGS
from xlite.runs.run import Run
from xlite.runs.status import RunStatus

# What its tests share imports Optuna, which the base install lacks.
collect_ignore = [] if find_spec("optuna") or os.environ.get("XLITE_REQUIRE_EXTRAS") else ["sweeps"]

# A suite in the background of a shell ignores Ctrl-C, and its children would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# Whatever is imported before the first test stays to the end: to search it for garbage takes seconds.
gc.disable()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    """In the base install a file of tests that imports what only an extra brings is skipped."""
    report = yield
    skip_without_extra(report, report.call)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo) -> Iterator[None]:
    """A test that needs an extra which is not installed is skipped, as its file may be.

    What a test logged of names that are not UTF-8 is spelt out: pytest-xdist sends reports as UTF-8.
    """
    report = yield
    skip_without_extra(report, call)
    report.sections = [
        (title, text.encode("utf-8", "backslashreplace").decode()) for title, text in report.sections
    ]
    return report


def pytest_collection_finish() -> None:
    """Collects the garbage of the tests from here on, less often than in an application."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    gc.enable()


@pytest.fixture
def xlite(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command line in this process: its exit status, stdout and stderr."""
    from xlite.cli import run

    def call(*words: object) -> tuple[int, str, str]:
        status = run([str(word) for word in words])
        captured = capsys.readouterr()
        skip_if_refused(captured.err)
        return status, captured.out, captured.err

    return call


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate that takes noise for films, as cheap as they are; it refuses only what is blank."""
    from gates import seen

    from xlite.guards.gate import Gate

    monkeypatch.setattr(Gate, "judge", lambda self, image: seen(image))


@pytest.fixture
def tiny_folder(tmp_path: Path) -> Path:
    """24 noise films of 12 patients, 64 px, in the NIH layout."""
    return write_noise_folder(tmp_path / "data")


@pytest.fixture
def west(tmp_path: Path) -> Path:
    """24 films of 12 patients."""
    return write_noise_folder(tmp_path / "west")


@pytest.fixture
def east(tmp_path: Path) -> Path:
    """30 films of 15 patients, 24 films with names and 12 patients with numbers of the west."""
    return write_noise_folder(tmp_path / "east", patients=15, seed=1)


@pytest.fixture
def large_table(tmp_path: Path) -> NihFolder:
    """2,000 films of about 600 patients, as a table alone."""
    rng = np.random.default_rng(0)
    rows, films = [HEADER_2020], Counter()
    for patient in sorted(rng.integers(1, 601, 2000)):
        found = rng.choice(FINDINGS, rng.choice([0, 1, 2], p=[0.5, 0.3, 0.2]), replace=False)
        name, label = f"{patient:08d}_{films[patient]:03d}.png", "|".join(found) or "No Finding"
        films[patient] += 1
        rows.append(f"{name},{label},0,{patient},40,M,PA,64,64,0.14,0.14")
    (tmp_path / "Data_Entry_2017_v2020.csv").write_text("\n".join(rows) + "\n")
    return NihFolder.open(tmp_path)


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """80 noise films of 40 patients, 64 px, in the NIH layout: enough to train on."""
    return write_noise_folder(tmp_path / "films", patients=40)


@pytest.fixture
def stopped_run(tiny_folder: Path) -> Run:
    """A run that was stopped after its second epoch."""
    run = Run.create(make_config({"data": tiny_folder, "name": "one"}))
    run.path("metrics.csv").write_text(
        "epoch,train_loss,val_loss,val_auc,val_auc_Edema\n1,.5,.4,.61,.7\n2,.4,.3,.64,.8\n"
    )
    run.path("log.txt").write_text("epoch 2/8\n")
    run.write_progress(RunStatus(state="stopped", epoch=2, epochs=8, best_auc=0.64, best_epoch=2))
    return run


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real test material; tests that need it are skipped if there is none."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("XLITE_SHARED_DATA") or default)
    if not folder.is_dir():
        pytest.skip("no real test material here (set XLITE_SHARED_DATA)")
    return folder


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty storage that several homes can share: a file, and a database of a real PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'shared.db'}"
    return request.getfixturevalue("new_database")()


@pytest.fixture(scope="session")
def new_database() -> Iterator[Callable[[], str]]:
    """A function that makes a database in a PostgreSQL of the tests on loopback and returns its URL."""
    pytest.importorskip("psycopg", reason="no driver of PostgreSQL here (pip install xlite-cxr[postgres])")
    places = [os.environ["PATH"], *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)]
    programs = [shutil.which(name, path=os.pathsep.join(places)) for name in ("initdb", "postgres", "psql")]
    if not all(programs):
        sentence = "no PostgreSQL here (apt install postgresql)"
        if os.environ.get("XLITE_REQUIRE_POSTGRES"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    initdb, postgres, psql = programs
    # It refuses to run as root, and its user may not enter the temporary folders of pytest.
    who = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}
    with TemporaryDirectory(prefix="xlite-postgres-") as folder, socket.socket() as probe:
        if who:
            shutil.chown(folder, **who)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        password = Path(folder) / "password"
        password.write_text("secret")
        password.chmod(0o644)
        words = [
            f"--pgdata={folder}/data",
            "--username=xlite",
            "--auth=scram-sha-256",
            f"--pwfile={password}",
        ]
        subprocess.run([initdb, *words, "--no-sync"], check=True, capture_output=True, cwd=folder, **who)
        settings = ["-c", f"port={port}", "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
        words = [postgres, "-D", f"{folder}/data", "-k", folder, *settings]
        server = subprocess.Popen(words, stderr=subprocess.DEVNULL, cwd=folder, **who)
        place, count = f"xlite:secret@127.0.0.1:{port}", itertools.count()

        def ask(text: str) -> bool:
            words = [psql, f"postgresql://{place}/postgres", "--command", text]
            return subprocess.run(words, capture_output=True, timeout=30).returncode == 0

        def new() -> str:
            name = f"study{next(count)}"
            assert ask(f"create database {name}")
            return f"postgresql+psycopg://{place}/{name}"

        try:
            deadline = time.monotonic() + 60
            while not ask("select 1"):
                assert time.monotonic() < deadline and server.poll() is None, "PostgreSQL does not answer"
                time.sleep(0.1)
            yield new
        finally:
            server.send_signal(signal.SIGINT)  # ends what is still connected
            server.wait(60)


@pytest.fixture(scope="session", autouse=True)
def no_power_cut() -> Iterator[None]:
    """No test cuts the power, so none waits until its files are on the disk itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        yield


@pytest.fixture
def no_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports without their charts, which take longer to draw than all metrics take to compute."""
    monkeypatch.setattr("xlite.report.write.to_html", lambda title, blocks: title)


@pytest.fixture
def quick_report(no_charts: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """For tests that train: the report at the end is a quick one, and caplog gets what commands show."""
    from xlite.training import finish

    monkeypatch.setattr(finish, "JudgeOptions", functools.partial(finish.JudgeOptions, resamples=20))
    caplog.set_level("INFO", "xlite")


@pytest.fixture(scope="session")
def one_scan() -> Iterator[None]:
    """For AppTest, whose every run reads the metadata of all installed packages: once is enough."""
    from streamlit.components.v2 import manifest_scanner

    with pytest.MonkeyPatch.context() as patch:
        scan = functools.cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", scan)
        yield


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test has a home of its own with a device queue in it: nothing is written into the checkout."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("XLITE_HOME", str(home))
    monkeypatch.setenv("XLITE_LINE", str(home / "line"))
    return home


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A tiny model with a calibration, and its export in another folder."""
    from tiny_models import save_student, student

    from xlite.export.write import export_model
    from xlite.metrics.calibration import Platt

    folder = tmp_path_factory.mktemp("exported")
    source, out = folder / "model.safetensors", folder / "export" / "model.onnx"
    calibration = Platt(scale=(1.5,) * 14, bias=(-1.0,) * 14)
    save_student(source, student(), 96, thresholds=dict.fromkeys(FINDINGS, 0.5), calibration=calibration)
    export_model(source, out, [])
    return source, out
