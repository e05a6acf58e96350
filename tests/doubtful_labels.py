"""A folder with labels that are known to be wrong, and predictions that know better, for tests of doubts."""

from pathlib import Path

import numpy as np
from noise_folder import HEADER_2020

from xlite.data.folder import NihFolder
from xlite.data.predictions import write_predictions
from xlite.findings import FINDINGS

EFFUSION = FINDINGS.index("Effusion")
MISSED, INVENTED = (0, 40, 80), (1, 41, 81)
"""Rows of the films whose Effusion the table misses, and of those of which it invents one."""


def write_doubtful_folder(root: Path, films: int = 200) -> NihFolder:
    """A table of films of a patient each, every second with an Effusion but for wrong labels; no images."""
    root.mkdir(parents=True)
    rows = [HEADER_2020]
    for film in range(films):
        said = (film % 2 == 0) != (film in MISSED + INVENTED)
        rows.append(f"{film:08d}_000.png,{'Effusion' if said else 'No Finding'},0,{film},50,M,PA,64,64,.1,.1")
    (root / "Data_Entry_2017_v2020.csv").write_text("\n".join(rows) + "\n")
    return NihFolder.open(root)


def write_knowing_predictions(path: Path, folder: NihFolder) -> Path:
    """Predictions by what is right: 0.9 or so for an Effusion, 0.1 or so without; 0.5 for the rest."""
    films = len(folder.table)
    probs = np.full((films, 14), 0.5)
    steps = np.linspace(0, 0.04, films)
    probs[:, EFFUSION] = np.where(np.arange(films) % 2 == 0, 0.9, 0.1) + steps
    write_predictions(path, folder.table["image"].tolist(), probs)
    return path
