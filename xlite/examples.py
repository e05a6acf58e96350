"""The synthetic films that come with X-Lite. No torch."""

import csv
from dataclasses import dataclass
from pathlib import Path

from xlite.findings import spoken
from xlite.places import bundled


@dataclass(frozen=True)
class Example:
    """A bundled synthetic film and what was drawn into it."""

    path: Path
    findings: str


def examples() -> dict[str, Example]:
    """The bundled films by their titles (`1. Edema, Pleural thickening`), in the order of their table.

    Empty if they are not installed.
    """
    folder = bundled("app", "examples")
    table = folder / "examples.csv"
    if not table.is_file():
        return {}
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    films = [
        Example(folder / row[0], ", ".join(map(spoken, row[1].split("|"))))
        for row in rows
        if row and (folder / row[0]).is_file()
    ]
    return {f"{number}. {film.findings}": film for number, film in enumerate(films, start=1)}
