"""What the apps offer before anything is chosen, and what is said of maps. No torch."""

import csv
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from xlite.config import bundled
from xlite.errors import RunError
from xlite.findings import spoken
from xlite.runs.run import Run

EXAMPLES = bundled("app", "examples")
MAPS = {
    "layercam": ("LayerCAM", "What speaks for the finding, without what speaks against it."),
    "gradcam": ("Grad-CAM", "What speaks against the finding is taken off: often empty for unlikely ones."),
    "gradcam++": ("Grad-CAM++", "Grad-CAM with other weights, meant for findings in several places."),
    "hirescam": ("HiResCAM", "Gradient times feature, cell by cell: in these models the same as Grad-CAM."),
    "eigencam": ("EigenCAM", "What stands out in the film, whatever the finding: one map for all."),
}
"""The ways to make maps, the one shown first; a name and what differs."""


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


def map_legend(cells: tuple[int, int], method: str = "layercam") -> str:
    """What the colours of maps of (h, w) cells by one of MAPS mean, and what they do not."""
    rows, columns = cells
    shown = "raise a finding's score" if method != "eigencam" else "stand out, whatever the finding"
    share = (
        f"{rows} × {columns} cells, each about {100 / (rows * columns):.0f} % of the film; one is outlined"
    )
    return (
        f"Colour shows which parts of the film {shown}: red most, green and blue less, bare film not at all; "
        f"each map is scaled to its own peak. A map is coarse ({share}): it does not locate or outline a "
        "finding."
    )
