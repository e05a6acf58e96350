"""`xlite embed`: a data folder's films laid out so that neighbours are those that a model finds alike."""

from pathlib import Path
from typing import Annotated

import typer

from xlite.cli.console import Device, progress_bar, say
from xlite.errors import RunError
from xlite.text import counted


def embed(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A run's name, or a model file")],
    data: Annotated[Path, typer.Option(help="Data folder in the NIH layout; several have commas between")],
    most: Annotated[
        int, typer.Option(min=10, help="Films at most; of more, so many are drawn, the same each time")
    ] = 10_000,
    device: Device = "cpu",
) -> None:
    """Lay films out by a model's features.

    The embedding is for the Explore page. It is made once for a model and a folder, by t-SNE of the 50 main
    axes, and kept in experiments/embeddings.
    """
    from xlite.classify import Classifier
    from xlite.data.joined import open_data
    from xlite.models.available import find_model
    from xlite.runs.embedding_run import EmbeddingRun

    path, folder = find_model(model), open_data(data)
    run = EmbeddingRun.of(path, folder, most)
    with progress_bar("reading films") as progress:
        found = run.found() or run.work(Classifier.load(path, device), folder, progress)
    if found is None:
        raise RunError("stopped before all films were read")
    say(f"{counted(len(found.stems), 'film')} of {found.films:,} in the embedding: {run.folder}")
