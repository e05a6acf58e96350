"""Several models on the same films: each against the first, and what choosing the best of them flatters."""

import copy
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from xlite.metrics.bootstrap import RESAMPLING_SEED, Resamples
from xlite.metrics.estimate import Estimate, FixedMean
from xlite.metrics.finding_estimates import PatientCounts, fixed_mean_of, mean_estimate
from xlite.metrics.paired import compared_findings
from xlite.metrics.per_finding import auc_per_class, macro
from xlite.metrics.significance import ALPHA, Look, shared
from xlite.sweeps.leaderboard import Difference

HALVINGS = 200


class JudgedModel(NamedTuple):
    """A model's mean AUC, that over the fixed findings, and how far the first is above it in those compared;
    None for the first itself.
    """

    averaged: Estimate
    fixed: FixedMean
    against_first: Difference | None


class _Measured(NamedTuple):
    """AUC of the findings on all films (C,) and on the resamples (R, C)."""

    auc: np.ndarray
    drawn: np.ndarray


def judge(labels: np.ndarray, scores: Sequence[np.ndarray], patients: np.ndarray) -> list[JudgedModel]:
    """The models whose scores these are, (N, 14) each, on films with labels (N, 14) of patients (N,).

    Which of them is the first was chosen by what is compared here: whichever leads by chance comes first.
    So p and intervals hold for all pairs of them together. Empty if the films are too few.
    """
    resamples = Resamples(patients)
    measured = [_Measured(auc_per_class(labels, one), resamples.auc(labels, one)) for one in scores]
    if np.isnan(measured[0].drawn).all():
        return []
    counts = PatientCounts.per_finding(labels, labels > 0, resamples.owner)
    fixed = [fixed_mean_of("auc", one.auc, one.drawn, counts) for one in measured]
    averaged = [mean_estimate(one.auc, mean) for one, mean in zip(measured, fixed, strict=True)]
    over, _ = compared_findings(labels, resamples)
    few = np.array([count.k for count in counts])[over]
    means = [(float(macro(one.auc[over])), macro(one.drawn[:, over])) for one in measured]
    looks = [Look(a[0] - b[0], a[1] - b[1], few) for a, b in combinations(means, 2)]
    found = shared(looks, looks[: len(means) - 1])  # the pairs of the first come first
    differences = [
        Difference.model_validate(
            {**vars(one.difference), "p": one.p, "tie": one.p >= ALPHA, "findings": int(over.sum())}
        )
        for one in found
    ]
    return [JudgedModel(*each) for each in zip(averaged, fixed, [None, *differences], strict=True)]


def optimism(labels: np.ndarray, scores: Sequence[np.ndarray], patients: np.ndarray) -> float:
    """How far choosing the best of the models lifts its mean AUC above what it is worth on other patients.

    labels (N, 14), scores (N, 14) of each model, patients (N,). Half of the patients choose the best, the
    others judge it: how much less it is there above the mean of all models. The films that choose are
    half of those that there are, and chance lifts more by √2 there; this is taken off. NaN if undefined.
    """
    resamples = Resamples(patients, HALVINGS, RESAMPLING_SEED)
    over, _ = compared_findings(labels, Resamples(patients))
    chosen_by, judged_by = (
        np.array([macro(half.auc(labels[:, over], one[:, over])) for one in scores])
        for half in _halves(resamples)
    )
    leads = [half - half.mean(axis=0) for half in (chosen_by, judged_by)]
    flattered = [_at_best(a, a) - _at_best(a, b) for a, b in (leads, leads[::-1])]
    return float(np.nanmean(flattered) / np.sqrt(2)) if not np.isnan(flattered).all() else np.nan


def _at_best(leads: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Of (models, R) the values of the model that leads in each of R; NaN if no model has any."""
    best = np.argmax(np.nan_to_num(leads, nan=-np.inf), axis=0)
    values: np.ndarray = of[best, np.arange(of.shape[1])]
    return values


def _halves(resamples: Resamples) -> tuple[Resamples, Resamples]:
    """In the place of each resample a random half of the patients, once each; and the other half."""
    first, second = copy.copy(resamples), copy.copy(resamples)
    size = len(resamples.counts)
    halves = np.tile((np.arange(size) % 2).astype(np.float32)[:, None], (1, resamples.resamples))
    first.counts = np.random.default_rng(RESAMPLING_SEED).permuted(halves, axis=0)
    second.counts = 1 - first.counts
    return first, second
