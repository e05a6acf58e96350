"""`xlite embed`: what it says, and that it makes nothing twice."""

import inspect
from pathlib import Path

import pytest
from command_line import Command
from demo_home import save_demo_model

from xlite.cli.embed import embed
from xlite.data.folder import NihFolder
from xlite.evaluation.embedding import MOST
from xlite.runs.embedding_run import EmbeddingRun


@pytest.mark.slow
def test_an_embedding_is_made_once(xlite: Command, own_home: Path, tiny_folder: Path) -> None:
    model = save_demo_model(own_home)
    run = EmbeddingRun.of(model, NihFolder.open(tiny_folder), 20)
    words = ("embed", "demo0", "--data", str(tiny_folder), "--most", "20")
    told = f"20 films of 24 in the embedding: {run.folder}\n"
    assert xlite(*words)[:2] == (0, told)
    made = run.points.stat().st_mtime_ns
    assert xlite(*words)[:2] == (0, told) and run.points.stat().st_mtime_ns == made
    assert inspect.signature(embed).parameters["most"].default == MOST


def test_a_model_that_is_not_there_is_a_sentence(xlite: Command, own_home: Path, tiny_folder: Path) -> None:
    status, _, error = xlite("embed", "nobody", "--data", str(tiny_folder))
    assert status == 2 and "'nobody' is neither a model file nor a run" in error
