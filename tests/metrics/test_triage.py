"""The "not sure" zone: by hand, against the exact binomial test of every cut-off, and what it promises."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from xlite.metrics.triage import NotSureZone, allowed, needed, not_sure_zone


@pytest.mark.parametrize(
    ("patients", "share", "lost"),
    [(28, 0.1, None), (29, 0.1, 0), (45, 0.1, 0), (46, 0.1, 1), (58, 0.05, None), (59, 0.05, 0)],
)  # fmt: skip
def test_how_many_may_be_lost(patients: int, share: float, lost: int | None) -> None:
    """1 - 0.95^59 is the first above 95 %: tables of tolerance limits have 29, 46 and 59."""
    assert allowed(patients, share) == lost


def test_too_few_patients_certify_nothing() -> None:
    assert (needed(0.1), needed(0.05), allowed(0, 0.1)) == (29, 59, None)


def hoeffding_bentkus(lost: int, patients: int, share: float) -> float:
    """The p-value by which MAPIE 1.x tests a risk, as `compute_hoeffding_bentkus_p_value` has it."""
    risk = lost / patients
    r = min(risk, share)
    relative = (r * math.log(r / share) if r else 0) + (1 - r) * math.log((1 - r) / (1 - share))
    bentkus = math.e * binom.cdf(math.ceil(patients * risk), patients, share)
    return float(min(math.exp(-patients * relative), bentkus))


@pytest.mark.parametrize(("patients", "mapie"), [(100, 3), (300, 19), (1000, 80)])
def test_the_exact_test_certifies_what_mapies_does_and_more(patients: int, mapie: int) -> None:
    """Risks that are counts have an exact test; MAPIE's bound holds for any risk, at some cost."""
    by_mapie = max(lost for lost in range(patients) if hoeffding_bentkus(lost, patients, 0.1) <= 0.05)
    exact = max(lost for lost in range(patients) if binom.cdf(lost, patients, 0.1) <= 0.05)
    assert (by_mapie, allowed(patients, 0.1)) == (mapie, exact)
    assert exact >= by_mapie


def test_a_zone_by_hand() -> None:
    """46 patients with it may lose 1, 60 without it 0; a patient counts by the worst of their films."""
    positive = np.repeat([True, False], [47, 61])
    probs = np.concatenate([np.arange(54, 100)[::-1], [90], np.arange(0, 59), [60, 50]]) / 100
    patients = np.concatenate([np.arange(46), [45], 100 + np.arange(59), [200, 200]])
    # The least of those with it are 0.54, whose other film has 0.90, and 0.55; the most without it is 0.60.
    assert not_sure_zone(positive, probs, patients) == NotSureZone(low=0.545, high=0.605)
    one_fewer = patients != 0
    found = not_sure_zone(positive[one_fewer], probs[one_fewer], patients[one_fewer])
    assert found == NotSureZone(low=0.535, high=0.605)  # 45 may lose none: below 0.54 comes 0.53
    few = patients >= 170
    assert not_sure_zone(positive[few], probs[few], patients[few]) == NotSureZone(low=None, high=None)


def test_cut_offs_that_cross_meet() -> None:
    positive = np.repeat([True, False], [46, 60])
    probs = np.concatenate([np.arange(54, 100), np.full(60, 10)]) / 100
    found = not_sure_zone(positive, probs, np.arange(106))
    assert found.low == found.high == pytest.approx(0.4325)  # half-way from 0.545 to 0.32


def test_without_films_of_a_kind_there_is_one_cut_off_or_none() -> None:
    probs = np.linspace(0.1, 0.9, 60)
    assert not_sure_zone(np.ones(60, bool), probs, np.arange(60)).high is None
    assert not_sure_zone(np.zeros(60, bool), probs, np.arange(60)).low is None
    assert not_sure_zone(np.zeros(60, bool), np.ones(60), np.arange(60)).high is None  # none is above 1


@pytest.mark.slow
@given(seed=st.integers(0, 10_000), size=st.integers(30, 90), signal=st.sampled_from([0.0, 0.3, 2.0]))
@example(seed=3428, size=89, signal=0.0)  # a film without it at 1
@settings(deadline=None, max_examples=60)
def test_a_zone_is_where_testing_cut_off_after_cut_off_ends(seed: int, size: int, signal: float) -> None:
    rng = np.random.default_rng(seed)
    positive, patients = rng.random(size * 2) < 0.5, rng.integers(0, size, size * 2)
    probs = np.clip(rng.normal(0.3 + signal * positive / 4, 0.2), 0, 1).round(2).astype(np.float32)
    found = not_sure_zone(positive, probs, patients)
    both = found.low is not None and found.low == found.high
    with_it = len(np.unique(patients[positive]))
    low = [
        cut
        for cut in np.unique(np.append(probs, 0))
        if binom.cdf(len(np.unique(patients[positive & (probs < cut)])), with_it, 0.1) <= 0.05
    ]
    assert (found.low is None) == (not low)
    if low and not both:
        assert ((probs < found.low) == (probs < max(low))).all()
    elif low:
        assert found.low <= max(low)
    without = len(np.unique(patients[~positive]))
    beyond = [1.01] if probs.max() < 1 else []  # no probability is above 1
    high = [
        cut
        for cut in np.unique(np.append(probs, beyond))
        if binom.cdf(len(np.unique(patients[~positive & (probs >= cut)])), without, 0.05) <= 0.05
    ]
    assert (found.high is None) == (not high)
    if high and not both:
        assert ((probs >= found.high) == (probs >= min(high))).all()
    elif high:
        assert found.high >= min(high) or (probs >= found.high).sum() <= (probs >= min(high)).sum()


def test_a_zone_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="a zone from 0.6 to 0.5 ends before it begins"):
        NotSureZone(low=0.6, high=0.5)
