"""What docs/DEPLOY.md hands out: the container file, the unit, and the limits it names."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import serve
import serve_api
import serve_body

from xlite.access.tokens import MIN_TOKEN
from xlite.cli import run
from xlite.images import MAX_UPLOAD_MB
from xlite.serving import batches, capacity

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "DEPLOY.md").read_text(encoding="utf-8")
UNIT = ROOT / "deploy" / "xlite-serve.service"
CONTAINER = (ROOT / "Containerfile").read_text(encoding="utf-8")


def test_the_limits_are_those_of_the_code() -> None:
    rows = re.findall(
        r"^\| ([^|]+) \| ([^|]+) \|", TEXT.partition("## Limits")[2].partition("\n\nMem")[0], re.M
    )
    assert [value for _, value in rows[1:]] == [
        f"{MAX_UPLOAD_MB} MB",
        f"{serve_body.MAX_FILMS} films, {serve_body.MAX_BODY_MB} MB",
        f"{serve_body.BODY_S:.0f} s",
        f"{serve_api.ANSWER_S:.0f} s",
        str(capacity.MAX_FILMS_HELD),
        f"{capacity.MAX_HELD_MB} MB",
        str(serve.CONNECTIONS),
        f"{serve.SLOW_S:.0f} s",
    ]
    assert f"up to {batches.LARGEST} at a time" in TEXT and f"a token of {MIN_TOKEN} characters" in TEXT
    assert f"({serve.END_S} s at most)" in TEXT
    assert all(f"`GET {path}`" in TEXT or f"`POST {path}`" in TEXT for path in serve_api.PATHS)


def test_the_image_holds_what_the_wheel_is_made_of() -> None:
    copied = [word for line in re.findall(r"^COPY (.*) \S+$", CONTAINER, re.M) for word in line.split()]
    assert [word for word in copied if not (ROOT / word).exists()] == []
    assert {
        "xlite",
        "app",
        "pages",
        ".streamlit",
        "checkpoints/demo",
        "checkpoints/tiny",
        "pyproject.toml",
    } <= set(copied)
    assert re.search(r"^USER 10001$", CONTAINER, re.M) and "[serve]" in CONTAINER


def test_the_commands_have_the_options_that_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--help"]) == 0
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    lines = re.findall(r"^(?:ExecStart=\S*/)?xlite serve (.*?)(?:#.*)?$", f"{TEXT}\n{UNIT.read_text()}", re.M)
    assert len(lines) == 4 and {word for line in lines for word in line.split() if word[:2] == "--"} <= known
    assert set(re.findall(r'"(--[a-z-]+)"', CONTAINER.rpartition("ENTRYPOINT")[2])) <= known


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/xlite/bin/xlite", shutil.which("true") or ""))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=15", str(unit)],
        capture_output=True,
        text=True,
    )
    [said] = re.findall(r"rates its exposure ([\d.]+) of 10", TEXT)
    assert done.returncode == 0 and f": {said} OK" in done.stdout
