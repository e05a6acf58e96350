"""The labels of a table that are in doubt, by the doubts.csv of its folder, for pages that show films."""

from dataclasses import dataclass

import numpy as np

from xlite.data.doubts import DOUBTS_FILE, of_films, read_doubts
from xlite.data.folder import NihFolder
from xlite.errors import DataError
from xlite.findings import FINDINGS, spoken
from xlite.text import percent


@dataclass(frozen=True, eq=False)
class Doubted:
    """Of films (N): the rank (N,) of each one's first label in doubt, 0 the most doubtful, NaN without one.

    Ranks are those of the film's own folder if several are open as one.
    probs (N, 14): out-of-fold probabilities of labels in doubt, NaN for the others. fault: why the folder's
    list could not be read, if it could not.
    """

    ranks: np.ndarray
    probs: np.ndarray
    fault: DataError | None = None

    @classmethod
    def of(cls, folder: NihFolder) -> "Doubted | None":
        """The labels in doubt of a folder, or of several as one; None if none has a list of them."""
        if not any((part.root / DOUBTS_FILE).exists() for part in folder.parts):
            return None
        found = [cls._of_part(part) for part in folder.parts]  # whose films follow each other in the table
        return cls(
            np.concatenate([one.ranks for one in found]),
            np.concatenate([one.probs for one in found]),
            next((one.fault for one in found if one.fault), None),
        )

    @classmethod
    def _of_part(cls, folder: NihFolder) -> "Doubted":
        """The labels in doubt of one folder; none without a list of them."""
        path, stems = folder.root / DOUBTS_FILE, folder.table["stem"].tolist()
        ranks, probs = np.full(len(stems), np.nan), np.full((len(stems), len(FINDINGS)), np.nan)
        if not path.exists():
            return cls(ranks, probs)
        try:
            listed = of_films(read_doubts(path), stems, folder.labels(stems))
        except DataError as error:
            return cls(ranks, probs, error)
        first = listed.drop_duplicates("row")
        ranks[first["row"]] = first.index
        probs[listed["row"], listed["column"]] = listed["probability"]
        return cls(ranks, probs)


def doubts_of_film(labels: np.ndarray, probs: np.ndarray) -> dict[str, str]:
    """What is said of a film's labels in doubt, by finding, the most doubtful first.

    labels (14,) and probs (14,), NaN for labels in no doubt; `Mass labelled no, 91.2% likely`.
    """
    apart = np.abs(labels - probs)
    return {
        FINDINGS[c]: (
            f"{spoken(FINDINGS[c])} labelled {'yes' if labels[c] > 0 else 'no'}, {percent(probs[c])} likely"
        )
        for c in np.argsort(-apart, kind="stable")
        if not np.isnan(apart[c])
    }
