"""What made a run is kept in its folder."""

import json
import os
import subprocess

import pytest
import torch
from tiny_runs import config, run_to_end

from xlite.data.folder import NihFolder
from xlite.training.provenance import _earlier_attempts, git_commit

pytestmark = pytest.mark.usefixtures("quick_report")


@pytest.mark.slow
def test_a_run_says_what_made_it_and_leaves_the_environment_alone(films):
    before = dict(os.environ)
    run, _ = run_to_end(config(films, "made", epochs=1))
    assert dict(os.environ) == before
    (attempt,) = json.loads((run.folder / "provenance.json").read_text())
    split = json.loads((films / "splits" / "patient" / "split.json").read_text())
    assert attempt["seed"] == 5 and attempt["split"] == split["id"] and attempt["processes"] == 1
    assert attempt["data_fingerprint"] == NihFolder.open(films).fingerprint()
    assert attempt["libraries"]["torch"] == torch.__version__.partition("+")[0]
    assert attempt["device"].startswith("cpu")


def test_the_commit_is_named_with_what_was_changed(tmp_path):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e"]
    assert git_commit(tmp_path) is None
    (tmp_path / "a").write_text("1")
    for words in (["init", "-q"], ["add", "a"], ["commit", "-qm", "a"]):
        subprocess.run([*git, *words], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
    assert git_commit(tmp_path) == head
    (tmp_path / "a").write_text("2")
    assert git_commit(tmp_path) == f"{head}+changes"


@pytest.mark.parametrize("content", [b"", b"\xff", b"{}", b"[" * 100_000, b'[{"started"'])
def test_a_damaged_one_is_set_aside_with_a_warning(tmp_path, caplog, content):
    path = tmp_path / "provenance.json"
    assert _earlier_attempts(path) == []
    path.write_bytes(b'[{"seed": 5}]')
    assert _earlier_attempts(path) == [{"seed": 5}] and caplog.messages == []
    path.write_bytes(content)
    assert _earlier_attempts(path) == []
    assert caplog.messages == [
        f"Warning: {path} is damaged and now called damaged-provenance.json; its attempts are told anew from "
        "here"
    ]
    assert (tmp_path / "damaged-provenance.json").read_bytes() == content
