"""Where films lie in an embedding, and regions of it as text; `evaluation/embedding.py` makes it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from xlite.errors import DataError
from xlite.findings import FINDINGS, spoken

SIDE = 1000
"""A place in the embedding is x, y in 0-SIDE, y upwards."""
MOST_CORNERS = 24
_FEWEST_FILMS = 5
"""Fewer films of a finding say nothing about a cluster."""
_CORNER = re.compile(r"(-?\d{1,4}),(-?\d{1,4})")


@dataclass(frozen=True, eq=False)
class Embedded:
    """Films of a table (N) in the embedding: points float32 (N, 2), NaN for a film that is not on it.

    clusters int8 (N,), -1 for such a film; probs float32 (N, 14) of the model, NaN likewise. model: its name;
    films: how many of the folder's films have an image, of which some or all are in the embedding.
    """

    model: str
    points: np.ndarray
    clusters: np.ndarray
    probs: np.ndarray
    films: int

    @classmethod
    def place(
        cls,
        model: str,
        table_stems: Sequence[str],
        stems: Sequence[str],
        points: np.ndarray,
        clusters: np.ndarray,
        probs: np.ndarray,
        films: int,
    ) -> "Embedded":
        """The films of a table by the stems, points, clusters and probabilities of those in the embedding."""
        rows = {stem: row for row, stem in enumerate(table_stems)}
        pairs = [(rows[stem], at) for at, stem in enumerate(stems) if stem in rows]
        there, at = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        found = cls(
            model,
            np.full((len(rows), 2), np.nan, np.float32),
            np.full(len(rows), -1, np.int8),
            np.full((len(rows), len(FINDINGS)), np.nan, np.float32),
            films,
        )
        found.points[there], found.clusters[there], found.probs[there] = points[at], clusters[at], probs[at]
        return found

    @property
    def there(self) -> np.ndarray:
        """Which films are in the embedding, bool (N,)."""
        found: np.ndarray = self.clusters >= 0
        return found

    @property
    def names(self) -> list[str]:
        """The names of the clusters, in order."""
        return [str(number) for number in range(1, int(self.clusters.max(initial=-1)) + 2)]

    def among(self, names: Sequence[str]) -> np.ndarray:
        """Which films are in one of these clusters, bool (N,)."""
        return np.isin(self.clusters, [int(name) - 1 for name in names])

    def inside(self, region: str) -> np.ndarray:
        """Which films lie in a region, bool (N,). Raises DataError as `corners`."""
        found = np.zeros(len(self.points), dtype=bool)
        found[self.there] = within(self.points[self.there], corners(region))
        return found

    def marked_by(self, present: np.ndarray) -> list[str]:
        """What each cluster has more of than the embedding as a whole, as a finding's name, or "No finding".

        present: bool (N, 15), No Finding and the 14 findings.
        """
        shares = present[self.there].mean(axis=0)
        named = []
        for place in range(len(self.names)):
            own = present[self.clusters == place]
            ratios = np.where(
                own.sum(axis=0) >= _FEWEST_FILMS, own.mean(axis=0) / np.maximum(shares, 1e-9), 0
            )
            best = int(np.argmax(ratios))
            named.append("No finding" if best == 0 else spoken(FINDINGS[best - 1]))
        return named


def corners(region: str) -> np.ndarray:
    """The corners of a region such as `100,200 400,200 250,600`: int (n, 2). Raises DataError otherwise."""
    words = region.split()
    found = [_CORNER.fullmatch(word) for word in words]
    if len(found) < 3 or not all(found):
        raise DataError(
            f"{region!r} is not a region of the embedding: expected three corners or more as x,y, each 0 to "
            f"{SIDE}, such as 100,200 400,200 250,600"
        )
    return np.array([[int(one[1]), int(one[2])] for one in found if one])


def region_of(xs: Sequence[float], ys: Sequence[float]) -> str:
    """A region that was drawn, with as few corners as its shape needs, as text; empty if it has no room."""
    drawn = np.round(np.clip(np.stack([xs, ys], axis=1), 0, SIDE)).astype(np.int32)
    slack, shape = 2.0, drawn
    while len(shape) > MOST_CORNERS or slack == 2.0:
        shape = cv2.approxPolyDP(drawn[:, None], slack, closed=True)[:, 0]
        slack *= 1.5
    return " ".join(f"{x},{y}" for x, y in shape.tolist()) if len(shape) > 2 else ""


def within(points: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """Which of the points (n, 2) lie inside a polygon (m, 2), by the even-odd rule: bool (n,)."""
    x, y = points[:, 0], points[:, 1]
    found = np.zeros(len(points), dtype=bool)
    for (x0, y0), (x1, y1) in zip(shape, np.roll(shape, -1, axis=0), strict=True):
        if y0 != y1:
            crosses = (y0 > y) != (y1 > y)
            found ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return found
