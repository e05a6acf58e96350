"""A run's folder as a zip: what is in it, and what never is."""

import io
import zipfile

import pytest

from xlite.errors import RunError
from xlite.runs import archive
from xlite.runs.archive import contents, zipped
from xlite.runs.run import Run


@pytest.fixture
def run(stopped_run: Run) -> Run:
    """A run with all kinds of files."""
    stopped_run.path("model.safetensors").write_bytes(bytes(5000))
    stopped_run.path("last.ckpt").write_bytes(bytes(9000))
    stopped_run.path("slurm.json").write_text('{"job": "1", "options": ["--export=TOKEN=secret"]}')
    stopped_run.path("stop").touch()
    stopped_run.path(".netrc").write_text("secret")
    stopped_run.path("passwords").symlink_to("/etc/passwd")
    stopped_run.path("elsewhere").symlink_to("/etc")
    (stopped_run.folder / "evaluation" / "test").mkdir(parents=True)
    (stopped_run.folder / "evaluation" / "test" / "metrics.json").write_text("{}")
    (stopped_run.folder / ".hidden").mkdir()
    (stopped_run.folder / ".hidden" / "key").write_text("secret")
    return stopped_run


FILES = [
    "config.json",
    "evaluation/test/metrics.json",
    "log.txt",
    "metrics.csv",
    "model.safetensors",
    "progress.json",
]


def test_the_zip_has_the_plain_files_and_no_secret(run: Run) -> None:
    found = contents(run)
    assert sorted(found.files) == FILES
    assert found.size == sum(run.path(name).stat().st_size for name in FILES)
    content = zipped(found)
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        assert sorted(opened.namelist()) == [f"one/{name}" for name in FILES]
        assert opened.testzip() is None
        assert opened.read("one/metrics.csv") == run.path("metrics.csv").read_bytes()
    assert b"secret" not in content and b"root:" not in content


def test_what_a_resume_needs_is_there_on_demand(run: Run) -> None:
    assert sorted(contents(run, with_state=True).files) == sorted([*FILES, "last.ckpt"])
    assert contents(run, with_state=True).size - contents(run).size == 9000
    assert contents(run, with_state=True).size_text == "0.0 MB"


def test_too_much_and_what_went_meanwhile_are_sentences(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    found = contents(run)
    run.path("log.txt").unlink()
    with pytest.raises(RunError, match=r"log.txt went while the folder was packed"):
        zipped(found)
    monkeypatch.setattr(archive, "MOST_BYTES", 100)
    with pytest.raises(RunError, match="too much to hand out here: copy "):
        zipped(found)
