"""What is known of a film's labels, in words: what it has, what is unknown, what is not labelled here."""

from collections.abc import Collection

import numpy as np

from xlite.findings import FINDINGS, NO_FINDING, spoken
from xlite.labels import known, positive
from xlite.text import NOT_LABELLED


def untold(name: str) -> str:
    """What stands for a class that is known of no film: a finding that is not labelled, or No Finding."""
    return "unknown" if name == NO_FINDING else NOT_LABELLED


def label_words(label: np.ndarray, labelled: Collection[str] = FINDINGS) -> str:
    """A film's label (14,), NaN if unknown: `Mass, Nodule`, `No finding`, `Mass; unknown: Nodule`.

    labelled: the findings that its folder labels at all; of the others nothing is said film by film.
    """
    have, here = positive(label), known(label)
    names = ", ".join(spoken(name) for name, one in zip(FINDINGS, have, strict=True) if one)
    unknown = [spoken(name) for name, one in zip(FINDINGS, here, strict=True) if not one and name in labelled]
    if not unknown:
        return names or (spoken(NO_FINDING) if here.any() else "Not labelled")
    if not names and len(unknown) == len(labelled):
        return "Not labelled"
    return f"{names or 'No known finding'}; unknown: {', '.join(unknown)}"


def unknown_words(labels: np.ndarray, labelled: Collection[str]) -> list[str]:
    """Which findings are not labelled at all, and how many of the other labels (N, 14) are unknown.

    labelled: the findings that the folder labels at all. A sentence each; none if all labels are known.
    """
    said, columns = [], np.isin(FINDINGS, list(labelled))
    if not columns.all():
        lacking = [spoken(name) for name in FINDINGS if name not in labelled]
        said.append(f"Not labelled here: {', '.join(lacking)}.")
    here = known(labels)[:, columns]
    if not here.all():
        whose = "other labels" if said else "labels"
        said.append(
            f"Of the {whose} {1 - here.mean():.1%} are unknown: shares are of the films whose label is known."
        )
    return said
