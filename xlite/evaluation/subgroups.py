"""Figures by view, sex and age, and which gaps between them are larger than the noise of the patients."""

from itertools import combinations
from statistics import NormalDist

import numpy as np
import pandas as pd

from xlite.findings import FEW_POSITIVES, FINDINGS, spoken
from xlite.metrics.bootstrap import figure, interval, resample_auc
from xlite.metrics.per_finding import auc_per_class, macro
from xlite.report.sentences import interval as worded

AGE_BANDS = ("under 18", "18 to 60", "over 60")
FALSE_ALARMS = 0.05


def film_groups(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """View, sex and age band of each film, (N,) strings, empty where the table does not say.

    table as `read_table` gives it.
    """
    age = table["age"].to_numpy(np.float64)
    bands = np.select([age < 18, age <= 60, age > 60], AGE_BANDS, "")
    return {"view": table["view"].to_numpy(str), "sex": table["sex"].to_numpy(str), "age": bands}


def subgroup_figures(
    labels: np.ndarray,
    scores: np.ndarray,
    groups: dict[str, np.ndarray],
    owner: np.ndarray,
    counts: np.ndarray,
) -> dict:
    """{attribute: {"groups": {name: {"images", "patients", "auc", "findings", "per_class"}}, "gaps": […]}}.

    labels and scores (N, 14), owner and counts as `patient_counts` gives them. A group's "auc" is the mean
    of the "findings" that have FEW_POSITIVES positives and negatives in it; a gap is taken over the findings
    that both groups know, on the same resamples of patients.
    """
    return {
        attribute: _attribute(attribute, labels, scores, values, owner, counts)
        for attribute, values in groups.items()
    }


def _attribute(
    attribute: str,
    labels: np.ndarray,
    scores: np.ndarray,
    values: np.ndarray,
    owner: np.ndarray,
    counts: np.ndarray,
) -> dict:
    names = [name for name in (AGE_BANDS if attribute == "age" else np.unique(values)) if name]
    rows = {str(name): values == name for name in names if (values == name).any()}
    known = {name: _known(labels[mask]) for name, mask in rows.items()}
    whole, drawn = {}, {}
    for name, mask in rows.items():
        whole[name] = auc_per_class(labels[mask], scores[mask])
        several = len(np.unique(owner[mask])) > 1  # the resamples of one patient are all alike
        drawn[name] = (
            resample_auc(labels[mask], scores[mask], owner[mask], counts)
            if several
            else np.full((counts.shape[1], len(FINDINGS)), np.nan)
        )
    return {
        "groups": {
            name: {
                "images": int(mask.sum()),
                "patients": len(np.unique(owner[mask])),
                "auc": figure(float(macro(whole[name][known[name]])), macro(drawn[name][:, known[name]])),
                "findings": int(known[name].sum()),
                "per_class": {
                    finding: {
                        "positives": int(labels[mask, c].sum()),
                        "auc": figure(whole[name][c], drawn[name][:, c]),
                    }
                    for c, finding in enumerate(FINDINGS)
                },
            }
            for name, mask in rows.items()
        },
        "gaps": _gaps(attribute, whole, drawn, known),
    }


def _known(labels: np.ndarray) -> np.ndarray:
    """Which findings have enough positives and negatives, bool (14,)."""
    positives = labels.sum(axis=0)
    return (positives >= FEW_POSITIVES) & (len(labels) - positives >= FEW_POSITIVES)


def _gaps(
    attribute: str, whole: dict[str, np.ndarray], drawn: dict[str, np.ndarray], known: dict[str, np.ndarray]
) -> list[dict]:
    """Gaps of the mean between each two groups, and of those findings where it is larger than noise.

    The mean's gap counts where its 95 % interval leaves out 0. So many findings are looked at that some gap
    of theirs would do so by chance: theirs count where they do with FALSE_ALARMS shared out among them all
    (Bonferroni).
    """
    pairs = [(a, b, known[a] & known[b]) for a, b in combinations(whole, 2)]
    looks = sum(int(both.sum()) for _, _, both in pairs)
    found = []
    for a, b, both in pairs:
        if not both.any():
            continue
        mean = macro(drawn[a][:, both]) - macro(drawn[b][:, both])
        values = float(macro(whole[a][both])), float(macro(whole[b][both]))
        gap = figure(values[0] - values[1], mean)
        noise = not (gap["low"] is not None and gap["low"] * gap["high"] > 0)
        title = f"mean AUC of {both.sum()} findings"
        found.append(_gap(attribute, (a, b), title, None, values, gap, not noise))
        for c in np.flatnonzero(both):
            steps = drawn[a][:, c] - drawn[b][:, c]
            values = float(whole[a][c]), float(whole[b][c])
            if _beyond_noise(values[0] - values[1], steps, looks):
                gap = figure(values[0] - values[1], steps)
                title = f"AUC of {spoken(FINDINGS[c])}"
                found.append(_gap(attribute, (a, b), title, FINDINGS[c], values, gap, True))
    return found


def _beyond_noise(gap: float, drawn: np.ndarray, looks: int) -> bool:
    """Whether a gap is beyond what chance gives once in so many looks; its noise taken as normal."""
    low, high = interval(drawn)
    if np.isnan(low) or low <= 0 <= high:
        return False
    return bool(abs(gap) > NormalDist().inv_cdf(1 - FALSE_ALARMS / 2 / looks) * np.nanstd(drawn))


def _gap(
    attribute: str,
    pair: tuple[str, str],
    title: str,
    finding: str | None,
    values: tuple[float, float],
    gap: dict[str, float | None],
    real: bool,
) -> dict:
    where = {"age": "aged {}", "sex": "of sex {}", "view": "in view {}"}[attribute]
    order = pair if values[0] >= values[1] else pair[::-1]
    high, low = max(values), min(values)
    said = (
        f"The {title} is higher on films {where.format(order[0])} ({high:.3f}) than "
        f"{where.format(order[1])} ({low:.3f}): difference {worded(_positive(gap))}."
    )
    return {
        "between": list(pair),
        "finding": finding,
        "difference": gap,
        "larger_than_noise": real,
        "sentence": said if real else None,
    }


def _positive(gap: dict[str, float | None]) -> dict[str, float | None]:
    """The same difference the other way round where it is below 0."""
    if gap["value"] is None or gap["value"] >= 0:
        return gap
    return {
        "value": -gap["value"],
        "low": None if gap["high"] is None else -gap["high"],
        "high": None if gap["low"] is None else -gap["low"],
    }
