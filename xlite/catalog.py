"""What the apps offer before anything is chosen, and what both say of a map. No torch."""

import csv
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from xlite.config import PACKAGE_ROOT
from xlite.errors import RunError
from xlite.findings import spoken
from xlite.training.run import Run

EXAMPLES = PACKAGE_ROOT / "app" / "examples"


@dataclass(frozen=True)
class Example:
    """A bundled synthetic film and what was drawn into it."""

    path: Path
    findings: str


def examples() -> list[Example]:
    """The bundled films, in the order of `app/examples/examples.csv`; empty where they are not installed."""
    table = EXAMPLES / "examples.csv"
    if not table.is_file():
        return []
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    films = [(EXAMPLES / row[0], row[1].split("|")) for row in rows if row]
    return [Example(path, ", ".join(map(spoken, findings))) for path, findings in films if path.is_file()]


def default_data() -> str:
    """The data folder to begin with: $XLITE_DATA, else that of the newest run that had one, else empty."""
    if named := os.environ.get("XLITE_DATA"):
        return named
    for run in Run.list():
        with suppress(RunError):  # renamed or deleted since it was listed
            folder = run.config().data
            if any(folder.glob("Data_Entry_2017*.csv*")) and not run.failed_untrained():
                return str(folder)
    return ""


def map_legend(cells: tuple[int, int]) -> str:
    """What the colours of maps of (h, w) cells mean, and what they do not."""
    rows, columns = cells
    share = (
        f"{rows} × {columns} cells, each about {100 / (rows * columns):.0f} % of the film; one is outlined"
    )
    return (
        "Colour shows which parts of the film raise a finding's score: red most, green and blue less, bare "
        f"film not at all; each map is scaled to its own peak. A map is coarse ({share}): it does not locate "
        "or outline a finding."
    )
