"""Metrics by view, sex and age, and which gaps between them are larger than the noise of the patients."""

from itertools import combinations
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import pandas as pd

from xlite.data.ages import AGE_BANDS, age_band
from xlite.evaluation.report import Gap, Group, GroupFinding, Subgroups
from xlite.findings import FEW_POSITIVES, FINDINGS
from xlite.metrics.bootstrap import Resamples, estimate, interval
from xlite.metrics.per_finding import auc_per_class, macro

FALSE_ALARMS = 0.05


class _Measured(NamedTuple):
    """One group: its films (N,) bool, AUC (14,) and its resamples (R, 14), and the findings that count."""

    films: np.ndarray
    auc: np.ndarray
    drawn: np.ndarray
    counts: np.ndarray


def film_groups(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """View, sex and age band of each film, (N,) strings, empty if the table does not say.

    table as `read_table` gives it.
    """
    bands = age_band(table["age"])
    return {"view": table["view"].to_numpy(str), "sex": table["sex"].to_numpy(str), "age": bands}


def subgroups(
    labels: np.ndarray, scores: np.ndarray, groups: dict[str, np.ndarray], resamples: Resamples
) -> dict[str, Subgroups]:
    """The groups that each attribute makes, and their gaps; labels and scores (N, 14), groups each (N,).

    A group's AUC is the mean of the findings with FEW_POSITIVES positives and negatives in it; a gap is taken
    over the findings that both groups have so many of, on the same resamples of patients.
    """
    return {
        attribute: _attribute(attribute, labels, scores, values, resamples)
        for attribute, values in groups.items()
    }


def _attribute(
    attribute: str, labels: np.ndarray, scores: np.ndarray, values: np.ndarray, resamples: Resamples
) -> Subgroups:
    names = [name for name in (AGE_BANDS if attribute == "age" else np.unique(values)) if name]
    films = {str(name): values == name for name in names if (values == name).any()}
    found = {name: _measure(labels, scores, mask, resamples) for name, mask in films.items()}
    return Subgroups(
        groups={name: _group(one, labels, resamples) for name, one in found.items()}, gaps=_gaps(found)
    )


def _measure(labels: np.ndarray, scores: np.ndarray, films: np.ndarray, resamples: Resamples) -> _Measured:
    labels, scores = labels[films], scores[films]
    positives = labels.sum(axis=0)
    return _Measured(
        films,
        auc_per_class(labels, scores),
        resamples.of(films).auc(labels, scores),
        (positives >= FEW_POSITIVES) & (len(labels) - positives >= FEW_POSITIVES),
    )


def _group(one: _Measured, labels: np.ndarray, resamples: Resamples) -> Group:
    counts = one.counts
    return Group(
        images=int(one.films.sum()),
        patients=resamples.of(one.films).patients,
        auc=estimate(float(macro(one.auc[counts])), macro(one.drawn[:, counts])),
        findings=int(counts.sum()),
        per_class={
            finding: GroupFinding(
                positives=int(labels[one.films, c].sum()), auc=estimate(one.auc[c], one.drawn[:, c])
            )
            for c, finding in enumerate(FINDINGS)
        },
    )


def _gaps(found: dict[str, _Measured]) -> tuple[Gap, ...]:
    """Gaps of the mean between each two groups, and of those findings for which it is larger than noise.

    The mean's gap counts if its 95 % interval leaves out 0. So many findings are looked at that some gap of
    theirs would do so by chance: theirs count if they do with FALSE_ALARMS shared out among them all
    (Bonferroni).
    """
    pairs = [(a, b, found[a].counts & found[b].counts) for a, b in combinations(found, 2)]
    looks = sum(int(both.sum()) for _, _, both in pairs)
    gaps = []
    for a, b, both in pairs:
        if both.any():
            gaps.append(_mean_gap(a, b, found, both))
            gaps += [gap for c in np.flatnonzero(both) if (gap := _finding_gap(a, b, found, int(c), looks))]
    return tuple(gaps)


def _mean_gap(a: str, b: str, found: dict[str, _Measured], both: np.ndarray) -> Gap:
    first, second = (float(macro(found[name].auc[both])) for name in (a, b))
    drawn = macro(found[a].drawn[:, both]) - macro(found[b].drawn[:, both])
    gap = estimate(first - second, drawn)
    return Gap(
        between=(a, b),
        finding=None,
        findings=int(both.sum()),
        values=(first, second),
        difference=gap,
        larger_than_noise=gap.low is not None and gap.high is not None and gap.low * gap.high > 0,
    )


def _finding_gap(a: str, b: str, found: dict[str, _Measured], c: int, looks: int) -> Gap | None:
    """The gap of one finding, if it is beyond what chance gives once in so many looks."""
    first, second = (float(found[name].auc[c]) for name in (a, b))
    drawn = found[a].drawn[:, c] - found[b].drawn[:, c]
    if not _beyond_noise(first - second, drawn, looks):
        return None
    return Gap(
        between=(a, b),
        finding=FINDINGS[c],
        findings=1,
        values=(first, second),
        difference=estimate(first - second, drawn),
        larger_than_noise=True,
    )


def _beyond_noise(gap: float, drawn: np.ndarray, looks: int) -> bool:
    """Whether a gap is beyond what chance gives once in so many looks; its noise taken as normal."""
    low, high = interval(drawn)
    if np.isnan(low) or low <= 0 <= high:
        return False
    return bool(abs(gap) > NormalDist().inv_cdf(1 - FALSE_ALARMS / 2 / looks) * np.nanstd(drawn))
