"""Films dealt out to train, val and test by chance: whole patients, or the design document's single films.

The same table and seed give the same parts on any machine.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from xlite.data.folder import NihFolder
from xlite.errors import DataError

PARTS = ("train", "val", "test")
DRAWN = ("patient", "image")
"""Strategies that need no list: X-Lite's own split, and the design document's of single films."""
SHARES = (0.70, 0.15, 0.15)
_SMALLEST_STRATUM = 20


def draw_parts(folder: NihFolder, strategy: str, seed: int) -> dict[str, list[str]]:
    """The stems of each part in one of DRAWN, as `make_split` of xlite.data.splits has them, without its id.

    Raises DataError where the table has too few films.
    """
    if strategy == "image":
        return dict(zip(PARTS, _by_image(folder, seed), strict=True))
    return dict(zip(PARTS, deal(folder, sorted(folder.table["stem"].tolist()), SHARES, seed), strict=True))


def deal(folder: NihFolder, stems: Sequence[str], shares: Sequence[float], seed: int) -> list[list[str]]:
    """Deals films out to parts of these shares, each patient's whole, keeping them for every number of
    findings.

    Patients come in random order; each goes to the part that is furthest behind for the films the patient
    has.
    """
    owners, numbers = folder.patients(stems).tolist(), folder.finding_counts(stems).tolist()
    total = Counter(numbers)
    films_of: dict[int, Counter[int]] = defaultdict(Counter)  # patient -> number of findings -> films
    for patient, number in zip(owners, numbers, strict=True):
        films_of[patient][number] += 1

    dealt: list[Counter[int]] = [Counter() for _ in shares]
    part_of: dict[int, int] = {}
    # RandomState's order is frozen for good; rounded, a tie is a tie in every version of Python.
    for patient in np.random.RandomState(seed).permutation(sorted(films_of)).tolist():
        films = films_of[patient].items()
        behind = [
            round(sum(n * (1 - mine[number] / (share * total[number])) for number, n in films), 9)
            for share, mine in zip(shares, dealt, strict=True)
        ]
        part_of[patient] = behind.index(max(behind))
        dealt[part_of[patient]].update(films_of[patient])
    return [
        [stem for stem, patient in zip(stems, owners, strict=True) if part_of[patient] == part]
        for part in range(len(shares))
    ]


def _by_image(folder: NihFolder, seed: int) -> list[list[str]]:
    """The design document's split: single films, stratified by number of findings, the rare ones pooled."""
    from sklearn.model_selection import train_test_split  # takes a second, and no other split needs it

    stems = sorted(folder.table["stem"].tolist())
    if len(stems) < _SMALLEST_STRATUM:
        raise DataError(
            f"the split 'image' needs at least {_SMALLEST_STRATUM} films; the table has {len(stems):,}"
        )
    counts = folder.finding_counts(stems)
    pools = (np.minimum(counts, most) for most in range(counts.max(), -1, -1))
    strata = next(pool for pool in pools if np.unique(pool, return_counts=True)[1].min() >= _SMALLEST_STRATUM)
    train, rest, _, strata = train_test_split(
        stems, strata, test_size=SHARES[1] + SHARES[2], stratify=strata, random_state=seed
    )
    return [train, *train_test_split(rest, test_size=0.5, stratify=strata, random_state=seed)]
