"""Multi-label confusion: for films with one finding, which others are called beside it or in its place."""

import numpy as np

from xlite.findings import FINDINGS


def confusion(labels: np.ndarray, probs: np.ndarray, thresholds: np.ndarray) -> dict:
    """Counts of films by true finding (row) and other finding (column), both in NIH order.

    labels (N, 14) 0 or 1, probs (N, 14), thresholds (14,). "films" (14,): films that have the row's finding,
    "missed" (14,): of these where it is not called, "silent" (14,): of the missed where nothing is called.
    Matrices (14, 14): "together": films that truly have both; "called": films with the row's finding where
    the column's is called; of the wrong calls of these "beside": the row's finding is called too,
    "in_place": it is not.
    """
    truth, call = labels.astype(bool), probs >= thresholds
    hit, missed, wrong = truth & call, truth & ~call, call & ~truth
    return {
        "findings": list(FINDINGS),
        "films": truth.sum(axis=0).tolist(),
        "missed": missed.sum(axis=0).tolist(),
        "silent": (missed & ~call.any(axis=1)[:, None]).sum(axis=0).tolist(),
        "together": _pairs(truth, truth),
        "called": _pairs(truth, call),
        "beside": _pairs(hit, wrong),
        "in_place": _pairs(missed, wrong),
    }


def _pairs(rows: np.ndarray, columns: np.ndarray) -> list[list[int]]:
    return (rows.astype(np.int64).T @ columns.astype(np.int64)).tolist()
