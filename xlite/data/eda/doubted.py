"""The labels of a table that are in doubt, by the doubts.csv of its folder, for pages that show films."""

from dataclasses import dataclass

import numpy as np

from xlite.data.doubts import DOUBTS_FILE, of_films, read_doubts
from xlite.data.folder import NihFolder
from xlite.errors import DataError
from xlite.findings import FINDINGS


@dataclass(frozen=True, eq=False)
class Doubted:
    """Of films (N): the rank (N,) of each one's first label in doubt, 0 the most doubtful, NaN without one.

    probs (N, 14): out-of-fold probabilities of labels in doubt, NaN for the others. fault: why the folder's
    list could not be read, if it could not.
    """

    ranks: np.ndarray
    probs: np.ndarray
    fault: DataError | None = None

    @classmethod
    def of(cls, folder: NihFolder) -> "Doubted | None":
        """The labels in doubt of a folder; None if it has no list of them."""
        path, stems = folder.root / DOUBTS_FILE, folder.table["stem"].tolist()
        if not path.exists():
            return None
        ranks, probs = np.full(len(stems), np.nan), np.full((len(stems), len(FINDINGS)), np.nan)
        try:
            listed = of_films(read_doubts(path), stems, folder.labels(stems))
        except DataError as error:
            return cls(ranks, probs, error)
        first = listed.drop_duplicates("row")
        ranks[first["row"]] = first.index
        probs[listed["row"], listed["column"]] = listed["probability"]
        return cls(ranks, probs)
