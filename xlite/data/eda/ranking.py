"""Films in an order that finds the interesting ones: by the table, or by what a model says of them."""

from dataclasses import dataclass

import numpy as np

from xlite.data.eda.coded import CodedFilms
from xlite.findings import FINDINGS
from xlite.labels import known, positive

ORDERS = {
    "table": "as in the table",
    "first": "first films first",
    "last": "latest follow-up first",
    "young": "youngest first",
    "old": "oldest first",
    "probability": "likeliest by the model",
    "disagreement": "label and model disagree",
    "loss": "highest loss",
    "doubt": "labels in doubt first",
}
"""How films can be ordered, in words."""
DOUBT = "doubt"
"""Order by the folder's list of labels in doubt."""
BY_MODEL = ("probability", "disagreement", "loss")
"""Orders that need what a model said of the films; `probability` also needs a finding."""
_SMALLEST = 1e-7
"""A probability of 0 or 1 counts as this far from it: no film has an endless loss."""


def shows_models(order: str | None, film: str) -> bool:
    """Whether what models said of the films is shown: in this order of the list, or of an open film."""
    return bool(film) or order in BY_MODEL


@dataclass(frozen=True, eq=False)
class ModelProbabilities:
    """What a model said of films of a table: probs float32 (N, 14) in 0-1, NaN for a film it did not judge.

    parts: the names of its evaluations.
    """

    model: str
    probs: np.ndarray
    parts: tuple[str, ...]

    @property
    def films(self) -> int:
        """How many of the films it judged."""
        return int((~np.isnan(self.probs[:, 0])).sum())


def disagreement(labels: np.ndarray, probs: np.ndarray) -> np.ndarray:
    """How far a film's probability lies from its label for the finding where it is farthest, 0-1: (n,).

    labels (n, 14) in 0 and 1, NaN if unknown, which is left out; probs (n, 14). NaN for a film that was not
    judged, or of which no label is known.
    """
    apart = np.where(known(labels), np.abs(labels - probs), -np.inf).max(axis=1)
    found: np.ndarray = np.where(apart >= 0, apart, np.nan)
    return found


def loss(labels: np.ndarray, probs: np.ndarray) -> np.ndarray:
    """The mean cross entropy of a film's findings, in nats: (n,); arguments as for `disagreement`."""
    sure, here = np.clip(np.asarray(probs, np.float64), _SMALLEST, 1 - _SMALLEST), known(labels)
    terms = np.where(here, np.where(positive(labels), np.log(sure), np.log(1 - sure)), 0)
    films = here.sum(axis=1)
    found: np.ndarray = -terms.sum(axis=1) / np.where(films > 0, films, np.nan)
    return found


def values(
    films: CodedFilms, rows: np.ndarray, order: str, judged: ModelProbabilities | None, finding: str
) -> np.ndarray | None:
    """What the films at rows (n,) are ordered by, (n,); None for that of the table, and if what it goes
    by is not there, a model or a list of doubts.
    """
    if order in BY_MODEL and judged is None:
        return None
    if order in BY_MODEL and judged is not None:
        probs, labels = judged.probs[rows], films.labels[rows]
        if order == "probability":
            return np.asarray(probs[:, FINDINGS.index(finding)])
        return disagreement(labels, probs) if order == "disagreement" else loss(labels, probs)
    if order == DOUBT:
        return None if films.doubted is None else films.doubted.ranks[rows]
    if order in ("first", "last"):
        return np.asarray(films.follow_ups[rows])
    return np.asarray(films.ages[rows]) if order in ("young", "old") else None


def ordered(rows: np.ndarray, by: np.ndarray | None, order: str) -> np.ndarray:
    """The rows (n,) in that order; films without a value stand last, equal ones as in the table."""
    if by is None:
        return rows
    rising = by if order in ("first", "young", DOUBT) else -by
    return rows[np.argsort(rising, kind="stable")]  # NaN, also -NaN, comes last


def widest(label: np.ndarray, probs: np.ndarray) -> str:
    """The finding of one film where label (14,), NaN if unknown, and probability (14,) lie farthest apart.

    At least one label has to be known.
    """
    return FINDINGS[int(np.nanargmax(np.abs(label - probs)))]
