"""Data folders of a table alone, made up."""

import numpy as np
import pandas as pd

from xlite.data.folder import NihFolder
from xlite.findings import FINDINGS


def folder_of(patients: list[int], findings: list[int], root="nowhere", **more) -> NihFolder:
    """A folder whose film i is of patients[i] and has the first findings[i] of the 14 findings."""
    stems = [f"{patient:08d}_{film:03d}" for film, patient in enumerate(patients)]
    names, ids = [f"{stem}.png" for stem in stems], [str(patient) for patient in patients]
    table = pd.DataFrame({"image": names, "stem": stems, "patient": ids})
    for column in ("follow_up", "age", "sex", "view"):
        table[column] = "" if column in ("sex", "view") else 0
    for rank, finding in enumerate(FINDINGS):
        table[finding] = (np.array(findings) > rank).astype(np.uint8)
    return NihFolder(root, table, "2020", {}, **more)


def many(films: int = 2000, seed: int = 0) -> NihFolder:
    """A folder with NIH's habits: few patients have many films, and most films have few findings."""
    rng = np.random.RandomState(seed)  # its stream is frozen, and an id below stands on it
    patients = rng.geometric(0.004, films) * 7 % 5000 + 1
    return folder_of(patients.tolist(), rng.poisson(0.8, films).clip(0, 14).tolist())
