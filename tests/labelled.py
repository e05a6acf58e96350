"""Labellings for tests: a worklist of noise films, and answers as a browser sends them."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from xlite.data.folder import NihFolder
from xlite.data.worklist import FILM, PATIENT, write_worklist
from xlite.findings import FINDINGS
from xlite.labelling.entry import Answer, DrawnBox, Given
from xlite.labelling.labelling import Labelling


def given(seconds: float = 10.0, boxes: Sequence[DrawnBox] = (), **answers: Answer) -> Given:
    """An answer to a film: no to all findings but those named."""
    return Given(answers={**dict.fromkeys(FINDINGS, "no"), **answers}, boxes=tuple(boxes), seconds=seconds)


def write_list(data: Path, path: Path, films: int = 6) -> Path:
    """A worklist of a folder's first films, in the order of its table."""
    table = NihFolder.open(data).table.head(films)
    write_worklist(path, pd.DataFrame({FILM: table["image"], PATIENT: table["patient"]}))
    return path


def labelling_of(data: Path, name: str = "ward", films: int = 6, **rules: object) -> Labelling:
    """A labelling of a folder's first films in the home of the test."""
    return Labelling.create(name, data, NihFolder.open(data).table["stem"].head(films).tolist(), **rules)
