"""The design document's claims about the data, recomputed from whatever folder is given."""

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from xlite.data.eda.statistics import facts, finding_counts, imbalance
from xlite.data.random_split import SHARES
from xlite.findings import FINDINGS, NO_FINDING

ABOUT = 0.05  # "about 60 %" holds from 57 to 63 %

Verdict = Literal["holds", "does not hold", "cannot be said"]


@dataclass(frozen=True)
class Claim:
    """What the design document says, what this folder's table gives, and whether the two agree."""

    says: str
    computed: str
    verdict: Verdict


def check_claims(table: pd.DataFrame, leak: float | None) -> list[Claim]:
    """The six claims about the data, each with its number from this table and a verdict.

    leak: the share (0-1) of the test films whose patient is in train, in the design document's split of
    single films; None if there are too few films for one. What is unknown is left out; a claim that then has
    nothing to go by cannot be said.
    """
    counts = finding_counts(table)
    return [
        _imbalance(counts),
        _no_finding(counts),
        _several(table),
        _rare(counts),
        _weights(counts),
        _image_split(table, leak),
    ]


def class_weights(counts: pd.DataFrame) -> pd.Series:
    """The design document's weight_i = N / (C n_i), C = 14, of each finding that occurs.

    N is the number of films whose label of the finding is known. From `finding_counts`.
    """
    occurring = counts.loc[list(FINDINGS)].query("films > 0")
    return occurring["known"] / (len(FINDINGS) * occurring["films"])


def expected_exposure(table: pd.DataFrame) -> float:
    """The share (0-1) of test films whose patient is in train too, expected if films are split at random.

    A film whose patient has n - 1 others escapes with (1 - train share)^(n - 1).
    """
    others = table.groupby("patient")["patient"].transform("size") - 1
    return float(1 - ((1 - SHARES[0]) ** others).mean())


def _imbalance(counts: pd.DataFrame) -> Claim:
    found = imbalance(counts)
    says = "The imbalance is about 20:1 (most to least frequent)"
    if found.findings is None:
        return Claim(says, "no finding occurs", "cannot be said")
    films = counts["films"]
    computed = (
        f"{found.findings:.1f}:1 between findings ({found.common} {films[found.common]:,} : "
        f"{found.rare} {films[found.rare]:,})"
    )
    if found.with_no_finding is not None:
        computed += f"; {found.with_no_finding:.1f}:1 with No Finding"
    return Claim(says, computed, _about(found.findings, 20))


def _no_finding(counts: pd.DataFrame) -> Claim:
    says, share = "No Finding is about 60% of the films", counts.loc[NO_FINDING, "share"]
    if pd.isna(share):
        return Claim(says, "no film has all labels", "cannot be said")
    return Claim(says, f"{share:.2%} of the films", _about(share, 0.6))


def _several(table: pd.DataFrame) -> Claim:
    found = facts(table)
    several, some, share = found.several_decided, found.with_decided, found.several_share
    says = "40% of the films have several findings"
    if not found.decided:
        return Claim(says, "no film has all labels", "cannot be said")
    computed = f"{share:.2%} of the films"
    if some:
        computed += f"; {several / some:.2%} of those only that have a finding"
    return Claim(says, computed, _about(share, 0.4))


def _rare(counts: pd.DataFrame) -> Claim:
    shares = counts.loc[["Hernia", "Edema"], "share"]
    computed = ", ".join(
        f"{name} not labelled here" if pd.isna(share) else f"{name} {share:.2%}"
        for name, share in shares.items()
    )
    if shares.isna().any():
        return Claim("Hernia and Edema are below 1% each", computed, "cannot be said")
    verdict: Verdict = "holds" if (shares < 0.01).all() else "does not hold"
    return Claim("Hernia and Edema are below 1% each", computed, verdict)


def _weights(counts: pd.DataFrame) -> Claim:
    says = "weight_i = N / (C n_i) in BCEWithLogitsLoss makes up for the imbalance"
    weights = class_weights(counts)
    if weights.empty:
        return Claim(says, "no finding occurs", "cannot be said")
    least, most = weights.idxmin(), weights.idxmax()
    lowered = int((weights < 1).sum())
    computed = f"from {weights[least]:.2f} ({least}) to {weights[most]:.1f} ({most})"
    if lowered:
        computed += f"; as `pos_weight` it lowers the positives of {lowered} findings, which are outnumbered"
    return Claim(says, computed, "does not hold" if lowered else "holds")


def _image_split(table: pd.DataFrame, leak: float | None) -> Claim:
    says = "A 70/15/15 split of single films, seed 42, is fit to test on"
    if leak is None:
        return Claim(says, "too few films for such a split", "cannot be said")
    computed = (
        f"by chance {expected_exposure(table):.1%} of the test films have their patient in train; "
        f"in X-Lite's draw of that split with seed 42 it is {leak:.1%}"
    )
    verdict: Verdict = "holds" if leak == 0 else "does not hold"
    return Claim(says, computed, verdict)


def _about(value: float, claimed: float) -> Verdict:
    return "holds" if abs(value - claimed) <= ABOUT * claimed else "does not hold"
