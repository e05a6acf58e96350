"""Labels of films: 1, 0, or NaN if nobody has said. An unknown label counts for nothing.

Every number about a finding is of the films whose label of it is known, and these are the only ways to leave
the others out. If all labels are known they give back what they were given, so that no metric moves by a
bit.
"""

import numpy as np


def known(labels: np.ndarray) -> np.ndarray:
    """Which labels (…) are 1 or 0: bool of the same shape."""
    labels = np.asarray(labels)
    return ~np.isnan(labels) if labels.dtype.kind == "f" else np.ones(labels.shape, bool)


def positive(labels: np.ndarray) -> np.ndarray:
    """Which labels (…) are 1: bool of the same shape."""
    return np.asarray(labels) > 0


def negative(labels: np.ndarray) -> np.ndarray:
    """Which labels (…) are 0: bool of the same shape. It is not the complement of `positive`."""
    return np.asarray(np.asarray(labels) == 0)


def where_known(labels: np.ndarray, *others: np.ndarray) -> tuple[np.ndarray, ...]:
    """A finding's labels (N,) and the others (N, …), of the films whose label is known."""
    labels, here = np.asarray(labels), known(labels)
    if here.all():
        return labels, *others
    return labels[here], *(one[here] for one in others)


def zero_if_unknown(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The values, 0 if the label is unknown, so that a sum leaves these out; both (N, C)."""
    here = known(labels)
    return values if here.all() else np.where(here, values, 0)


def films_known(labels: np.ndarray) -> np.ndarray:
    """How many films each finding's label is known of, int64 (C,); labels (N, C)."""
    return np.asarray(np.count_nonzero(known(labels), axis=0))
