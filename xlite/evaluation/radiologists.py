"""Radiologists' labels beside NIH's: 4,376 films that Google had read (Majkowska et al., Radiology 2020)."""

from pathlib import Path

import numpy as np
import pandas as pd

from xlite.data.film_names import stem_of
from xlite.data.rows import columns_of, read_rows
from xlite.errors import DataError
from xlite.evaluation.films import Films
from xlite.evaluation.options import RADIOLOGISTS
from xlite.evaluation.radiologists_report import Radiologists, RadiologistsFinding
from xlite.findings import FINDINGS
from xlite.labels import known, negative, positive, where_known
from xlite.metrics.bootstrap import Resamples, or_none
from xlite.metrics.estimate import Estimate
from xlite.metrics.finding_estimates import PatientCounts, finding_estimate
from xlite.metrics.per_finding import auc_per_class, ratio
from xlite.metrics.significance import Look, shared

# What the radiologists marked, and the findings of NIH that say the same; the last is our grouping.
SHARED = {
    "Pneumothorax": ("Pneumothorax",),
    "Nodule or mass": ("Nodule", "Mass"),
    "Airspace opacity": ("Infiltration", "Consolidation", "Pneumonia", "Edema"),
}
_MARKED = (*SHARED, "Fracture")


def read_radiologists(path: str | Path) -> pd.DataFrame:
    """Their table by stem: a bool column for each of what they marked. Raises DataError."""
    path, expected = Path(path), ("Image Index", *_MARKED)
    header, rows = read_rows(path)
    missing = [name for name in expected if name not in header]
    if missing:
        raise DataError(f"{path} lacks the column {missing[0]!r}; Google's table has {', '.join(expected)}")
    raw = pd.DataFrame(columns_of(path, header, rows, expected))
    stems = pd.Index([stem_of(name) for name in raw["Image Index"]])
    twice = np.flatnonzero(stems.duplicated() | (stems == ""))
    if len(twice):
        name = raw["Image Index"][twice[0]]
        raise DataError(
            f"{path} names a film twice or not at all ({name!r}, line {twice[0] + 2}); give Google's table "
            "as it was published"
        )
    marks = raw[list(_MARKED)].apply(lambda column: column.str.upper())
    if not marks.isin(["YES", "NO"]).all(axis=None):
        raise DataError(f"{path} has marks other than YES and NO; give Google's table as it was published")
    return (marks == "YES").set_index(stems)


def beside_radiologists(films: Films, marks: pd.DataFrame, resamples: Resamples) -> Radiologists:
    """The films that radiologists read too: their labels against NIH's, and the scores against both.

    marks as `read_radiologists` gives them, resamples of all the films. Of several findings of NIH the score
    is the largest probability, and they are unknown together if none is there and one is unknown. Raises
    DataError if no film is shared.
    """
    rows = np.flatnonzero(films.table["stem"].isin(marks.index))
    if not len(rows):
        raise DataError("the radiologists read none of these films; leave ", RADIOLOGISTS, " out")
    marks = marks.loc[films.table["stem"].iloc[rows]]
    labels, probs = films.labels[rows], films.probs[rows]
    drawn = resamples.redrawn(rows)  # of their patients alone, who are few among all
    clear = negative(labels).all(axis=1)
    return Radiologists(
        images=len(rows),
        patients=drawn.patients,
        missed_by_no_finding=_share(marks[clear].to_numpy().any(axis=1)),
        findings={
            name: _beside(marks[name].to_numpy(), labels, probs, nih, drawn) for name, nih in SHARED.items()
        },
    )


def _beside(
    marked: np.ndarray, labels: np.ndarray, probs: np.ndarray, nih: tuple[str, ...], resamples: Resamples
) -> RadiologistsFinding:
    columns = [FINDINGS.index(finding) for finding in nih]
    together = _any_of(labels[:, columns])
    here = known(together)
    resamples = resamples if here.all() else resamples.of(here)
    together, marked, scores = where_known(together, marked, probs[:, columns].max(axis=1))
    said = positive(together)
    both = np.stack([marked, said], axis=1)
    twice = np.stack([scores, scores], axis=1)
    whole, drawn = auc_per_class(both, twice), resamples.auc(both, twice)
    counts = PatientCounts.per_finding(both, both, resamples.owner)
    theirs, nihs = (finding_estimate("auc", whole[c], drawn[:, c], counts[c]) for c in (0, 1))
    return RadiologistsFinding(
        nih=nih,
        positives=int(marked.sum()),
        nih_positives=int(said.sum()),
        nih_ppv=_share(marked[said]),
        nih_sensitivity=_share(said[marked]),
        auc=theirs,
        nih_auc=nihs,
        prevalence=_share(marked),
        nih_patients=counts[1].positive,
        films=len(said),
        difference=_difference(theirs, nihs, drawn, min(one.k for one in counts)),
    )


def _any_of(labels: np.ndarray) -> np.ndarray:
    """Whether a film has any of some findings, (N,): 1, 0, or NaN if that hangs on an unknown one."""
    none = np.where(negative(labels).all(axis=1), 0.0, np.nan)
    return np.where(positive(labels).any(axis=1), 1.0, none)


def _difference(first: Estimate, second: Estimate, drawn: np.ndarray, k: int) -> Estimate:
    """The first AUC less the second, by their resamples (R, 2); with an interval if both have one."""
    if first.value is None or second.value is None:
        return Estimate(None)
    value = first.value - second.value
    if first.low is None or second.low is None:
        return Estimate(value)
    [found] = shared([Look(value, drawn[:, 0] - drawn[:, 1], np.array([k]))])
    return found.difference


def _share(values: np.ndarray) -> float | None:
    return or_none(float(ratio(values.sum(), len(values))))
