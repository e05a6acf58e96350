"""Films dealt out to train, val and test at random: whole patients, or the design document's single films.

The same table and seed give the same parts on any machine.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from xlite.data.folder import NihFolder
from xlite.errors import DataError
from xlite.patients import patient_order

SHARES = (0.70, 0.15, 0.15)
"""Of train, val and test."""
_SMALLEST_STRATUM = 20


def split_by_patient(folder: NihFolder, seed: int) -> list[list[str]]:
    """X-Lite's own split: the stems of train, val and test, no patient in two of them."""
    return deal(folder, sorted(folder.table["stem"].tolist()), SHARES, seed)


def split_with_test_of(folder: NihFolder, listed: Sequence[str], seed: int) -> list[list[str]]:
    """The same shares, with a test part of patients all of whose films are `listed` (stems).

    Raises DataError if they have too few films.
    """
    stems, inside = sorted(folder.table["stem"].tolist()), set(listed)
    owners = folder.patients(stems).tolist()
    others = {owner for stem, owner in zip(stems, owners, strict=True) if stem not in inside}
    eligible = [stem for stem, owner in zip(stems, owners, strict=True) if owner not in others]
    wanted = SHARES[-1] * len(stems)
    if len(eligible) < wanted:
        raise DataError(
            f"a test part of {SHARES[-1]:.0%} needs {wanted:,.0f} films of patients in the list with "
            f"all their films; the table has {len(eligible):,}"
        )
    share = wanted / len(eligible)
    _, test = deal(folder, eligible, (1 - share, share), seed)
    rest, left = sorted({*stems}.difference(test)), SHARES[0] + SHARES[1]
    return [*deal(folder, rest, (SHARES[0] / left, SHARES[1] / left), seed), test]


def split_by_film(folder: NihFolder, seed: int) -> list[list[str]]:
    """The design document's split of single films: the stems of train, val and test.

    Stratified by number of findings, the rare numbers pooled. Raises DataError if there are too few films.
    """
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


def deal(folder: NihFolder, stems: Sequence[str], shares: Sequence[float], seed: int) -> list[list[str]]:
    """Deals films out to parts of these shares: patients stay whole, each number of findings keeps its share.

    Patients come in random order; each goes to the part that lags furthest behind in such films.
    """
    owners, numbers = folder.patients(stems).tolist(), folder.finding_counts(stems).tolist()
    total = Counter(numbers)
    films_of: dict[str, Counter[int]] = defaultdict(Counter)  # patient -> number of findings -> films
    for patient, number in zip(owners, numbers, strict=True):
        films_of[patient][number] += 1

    dealt: list[Counter[int]] = [Counter() for _ in shares]
    part_of: dict[str, int] = {}
    # RandomState's order is frozen for good; rounded, a tie is a tie in every version of Python.
    patients = sorted(films_of, key=patient_order)
    for patient in (patients[place] for place in np.random.RandomState(seed).permutation(len(patients))):
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
