"""Unknown labels: each metric of a finding is that of the films whose label of it is known, and no other.

If all labels are known each metric is the one that stood before a label could be unknown.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_metrics import drawn_films, label_metrics

from xlite.findings import FINDINGS
from xlite.labels import films_known, known, negative, positive, where_known, zero_if_unknown
from xlite.metrics import per_finding as metrics
from xlite.metrics.bands import draw_curves
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.calibration import Isotonic, Platt, Temperature, fit_calibrator, fit_temperature, logit
from xlite.metrics.calibration_line import calibration_lines
from xlite.metrics.confusion import confusion
from xlite.metrics.curves import counts_by_score, pr_points, roc_points
from xlite.metrics.finding_estimates import PatientCounts, finding_estimate, fixed_mean, whole_mean_auc
from xlite.metrics.operating_point import operating_point, too_few
from xlite.metrics.paired import compared_findings, paired_test
from xlite.metrics.thresholds import RULES, Thresholds
from xlite.metrics.validation_record import validation_records
from xlite.patients import fewer_patients

BEFORE = Path(__file__).with_name("metrics_before.json")
CUTS = np.full(14, 0.5)


def alike(found: Any, expected: Any, rel: float, place: str = "") -> None:
    """Whether two plain values are equal, numbers to `rel`; keys that `expected` lacks are new ones."""
    if isinstance(expected, dict):
        assert set(expected) <= set(found), place
        for name, one in expected.items():
            alike(found[name], one, rel, f"{place}/{name}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), place
        for row, (one, other) in enumerate(zip(found, expected, strict=True)):
            alike(one, other, rel, f"{place}/{row}")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=rel, abs=1e-9), place
    else:
        assert found == expected, place


@pytest.mark.slow
def test_the_metrics_of_labels_that_are_all_known_are_as_before():
    """`metrics_before.json` was written by the release before labels could be unknown, by `label_metrics`."""
    alike(label_metrics(*drawn_films(90), draws=6), json.loads(BEFORE.read_text()), 1e-6)


@st.composite
def unknown_films(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels with unknown ones, probabilities with ties, and patients of one to several films.

    Of each finding as many are unknown as it happens: none, some, all, or all but those of a single patient.
    """
    seed = draw(st.integers(0, 2**32 - 1))
    labels, probs, patients = _films(draw(st.integers(4, 70)), seed)
    rng = np.random.default_rng(seed)
    for c, kind in enumerate(draw(st.lists(st.sampled_from("asssnp"), min_size=14, max_size=14))):
        share = {"a": 0.0, "s": rng.random(), "n": 1.0, "p": 0.0}[kind]
        gone = rng.random(len(labels)) < share if kind != "p" else patients != patients[0]
        labels[gone, c] = np.nan
    return labels, probs, patients


def _films(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = (rng.random((n, 14)) < rng.uniform(0.05, 0.6, 14)).astype(np.float32)
    probs = np.clip(rng.normal(0.35 + 0.2 * labels, 0.2), 0, 1).round(1).astype(np.float32)
    return labels, probs, rng.integers(0, max(2, n // 2), n)


def some_films(n: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Many films: the first finding is known of all, the second of none, the others of some."""
    labels, probs, patients = _films(n, 1)
    gone = np.random.default_rng(5).random(labels.shape) < np.linspace(0, 0.8, 14)
    labels[gone] = np.nan
    labels[:, 1] = np.nan
    return labels, probs, patients


def alone(labels: np.ndarray, c: int, *others: np.ndarray) -> list[np.ndarray]:
    """The films whose label of a finding is known: its labels (n, 1), and the same rows of the others."""
    here = ~np.isnan(labels[:, c])
    return [labels[here, c : c + 1], *(one[here, c : c + 1] if one.ndim > 1 else one[here] for one in others)]


def test_what_is_known():
    labels = np.array([[1, 0], [np.nan, 0], [0, np.nan]], np.float32)
    assert known(labels).tolist() == [[True, True], [False, True], [True, False]]
    assert positive(labels).tolist() == [[True, False], [False, False], [False, False]]
    assert negative(labels).tolist() == [[False, True], [False, True], [True, False]]
    assert films_known(labels).tolist() == [2, 2]
    assert zero_if_unknown(np.full((3, 2), 7.0), labels).tolist() == [[7, 7], [0, 7], [7, 0]]
    assert [one.tolist() for one in where_known(labels[:, 0], np.arange(3))] == [[1, 0], [0, 2]]
    whole = np.array([True, False])
    assert known(whole).all() and where_known(whole, whole)[0] is whole
    assert zero_if_unknown(whole, whole) is whole


@pytest.mark.slow
@given(unknown_films())
@settings(max_examples=60, deadline=None)
def test_metrics_of_a_finding_are_of_the_films_that_it_is_known_of(films):
    labels, probs, _ = films
    found = {
        "auc": metrics.auc_per_class(labels, probs),
        "ap": metrics.ap_per_class(labels, probs),
        "ece": metrics.ece_per_class(labels, probs),
        "brier": metrics.brier_per_class(labels, probs),
        "prevalence": metrics.prevalence(labels),
        **metrics.rates_at(labels, probs, CUTS),
    }
    crossed = metrics.cross_auc(labels, probs)
    for c in range(14):
        y, p = alone(labels, c, probs)
        none = np.array([np.nan])
        expected = {
            "auc": metrics.auc_per_class(y, p),
            "ap": metrics.ap_per_class(y, p),
            "ece": metrics.ece_per_class(y, p),
            "brier": metrics.brier_per_class(y, p),
            "prevalence": metrics.prevalence(y) if len(y) else none,
            **metrics.rates_at(y, p, CUTS[:1]),
        }
        for name, one in expected.items():
            np.testing.assert_allclose(found[name][c], one[0], rtol=1e-12, err_msg=name)
        rows = ~np.isnan(labels[:, c])
        own = metrics.cross_auc(y, probs[rows])[0] if len(y) else np.full(14, np.nan)
        np.testing.assert_allclose(crossed[c], own, rtol=1e-12)
        for points in (roc_points, pr_points):
            for one, other in zip(points(labels[:, c], probs[:, c]), points(y[:, 0], p[:, 0]), strict=True):
                np.testing.assert_array_equal(one, other)
        counts = counts_by_score(labels[:, c], probs[:, c])
        assert len(counts.cuts) == len(np.unique(p)) and (not len(y) or counts.tp[-1] == (y > 0).sum())


@pytest.mark.slow
@given(unknown_films())
@settings(max_examples=60, deadline=None)
def test_resamples_of_a_finding_are_of_the_films_that_it_is_known_of(films):
    """The same draws of patients, of whom those without a known label add nothing."""
    labels, probs, patients = films
    resamples = Resamples(patients, 30)
    auc, ap = resamples.auc_ap(labels, probs)
    found = {
        "auc": auc,
        "ap": ap,
        "ece": resamples.ece(labels, probs),
        "brier": resamples.brier(labels, probs),
        **resamples.rates(labels, probs, CUTS),
    }
    np.testing.assert_array_equal(auc, resamples.auc(labels, probs))
    counts = PatientCounts.per_finding(labels, probs >= 0.5, resamples.owner)
    for c in range(14):
        y, p = alone(labels, c, probs)
        some = resamples.of(~np.isnan(labels[:, c]))
        own_auc, own_ap = some.auc_ap(y, p)
        expected = {
            "auc": own_auc,
            "ap": own_ap,
            "ece": some.ece(y, p),
            "brier": some.brier(y, p),
            **some.rates(y, p, CUTS[:1]),
        }
        for name, one in expected.items():
            np.testing.assert_allclose(found[name][:, c], one[:, 0], rtol=1e-5, err_msg=name)
        [own] = PatientCounts.per_finding(y, p >= 0.5, some.owner)
        assert counts[c] == own
        for name in ("auc", "ap"):
            both = [
                finding_estimate(name, value, drawn, own)
                for value, drawn in (
                    (found[name][0, c], found[name][:, c]),
                    (expected[name][0, 0], expected[name][:, 0]),
                )
            ]
            assert both[0] == both[1]


@pytest.mark.slow
@given(unknown_films())
@settings(max_examples=25, deadline=None)
def test_what_is_fitted_and_counted_is_of_the_films_that_a_finding_is_known_of(films):
    labels, probs, patients = films
    ids = patients.astype(str)
    cuts = {rule: Thresholds.choose(labels, probs, patients, rule) for rule in RULES}
    records = validation_records(labels, probs, ids, cuts["f1"])
    few, lines = fewer_patients(labels, patients), calibration_lines(labels, probs, patients)
    resamples = Resamples(patients, 20)
    for c, finding in enumerate(FINDINGS):
        y, p, who = alone(labels, c, probs, patients)
        for rule, one in cuts.items():
            own = Thresholds.choose(y, p, who, rule)
            np.testing.assert_array_equal(one.cuts[c], own.cuts[0])
            assert one.chosen_on is not None and own.chosen_on is not None
            assert one.chosen_on[c] == own.chosen_on[0]
        assert few[c] == fewer_patients(y, who)[0]
        assert too_few(labels[:, c], patients) == too_few(y[:, 0] > 0, who)
        [line] = calibration_lines(y, p, who)
        for end in ("value", "low", "high"):
            for part in ("intercept", "slope"):
                one, other = (getattr(getattr(each, part), end) for each in (lines[c], line))
                assert one == pytest.approx(other, abs=1e-6)
        whole, everyone = np.zeros((len(y), 14), np.float32), np.zeros((len(y), 14), np.float32)
        whole[:, c], everyone[:, c] = y[:, 0], p[:, 0]
        assert records[finding] == validation_records(whole, everyone, who.astype(str), cuts["f1"])[finding]
        if len(y):
            one = operating_point(labels[:, c], probs[:, c], resamples, 0.4)
            some = resamples.of(~np.isnan(labels[:, c]))
            assert one == operating_point(y[:, 0] > 0, p[:, 0], some, 0.4)


@pytest.mark.slow
def test_calibrators_are_fitted_to_the_films_that_a_finding_is_known_of():
    labels, probs, patients = some_films(900)
    logits = logit(probs)
    platt, isotonic = (fit_calibrator(logits, labels, patients, name) for name in ("platt", "isotonic"))
    assert isinstance(platt, Platt) and isinstance(isotonic, Isotonic)
    assert platt.uncalibrated() == isotonic.uncalibrated() == [FINDINGS[1]]
    for c in range(14):
        y, x, who = alone(labels, c, logits, patients)
        every, all_x = np.repeat(y, 14, axis=1), np.repeat(x, 14, axis=1)
        own, steps = (fit_calibrator(all_x, every, who, name) for name in ("platt", "isotonic"))
        assert isinstance(own, Platt) and isinstance(steps, Isotonic)
        assert (platt.scale[c], platt.bias[c]) == (own.scale[0], own.bias[0])
        assert (isotonic.logits[c], isotonic.probabilities[c]) == (steps.logits[0], steps.probabilities[0])
    one = fit_calibrator(logits, labels, patients, "temperature")
    here = ~np.isnan(labels)
    column, values = labels[here], logits[here]
    who = np.broadcast_to(patients[:, None], labels.shape)[here]
    own_t = fit_temperature(values[:, None], column[:, None], who)
    assert isinstance(one, Temperature) and one.temperature == pytest.approx(own_t.temperature, rel=1e-12)


@pytest.mark.slow
def test_curves_are_of_the_films_that_a_finding_is_known_of():
    labels, probs, patients = some_films(300)
    resamples = Resamples(patients, 25)
    raw = np.roll(probs, 1, axis=0)
    found = draw_curves(labels, probs, resamples, raw)
    for c, finding in enumerate(FINDINGS):
        here = ~np.isnan(labels[:, c])
        y = np.repeat(labels[here, c : c + 1], 14, axis=1)
        p, r = (np.repeat(one[here, c : c + 1], 14, axis=1) for one in (probs, raw))
        assert found[finding] == draw_curves(y, p, resamples.of(here), r)[finding]
    nobody = found[FINDINGS[1]]
    assert not nobody.roc.fpr and not nobody.pr.recall and not nobody.reliability.films


def test_two_findings_are_counted_where_both_are_known():
    labels, probs, _ = some_films()
    found = confusion(labels, probs, np.full(14, 0.4))
    truth, here, call = labels > 0, ~np.isnan(labels), probs >= 0.4
    assert found.both is not None and found.both_missed is not None
    for a in range(14):
        with_row = truth[:, a]
        assert found.films[a] == with_row.sum()
        assert found.missed[a] == (with_row & ~call[:, a]).sum()
        assert found.silent[a] == (with_row & ~call.any(axis=1)).sum()
        for b in range(14):
            both = with_row & here[:, b]
            missed = both & ~call[:, a]
            wrong = call[:, b] & ~truth[:, b]
            assert found.with_column(a)[b] == both.sum()
            assert found.missed_with_column(a)[b] == missed.sum()
            assert found.together[a][b] == (both & truth[:, b]).sum()
            assert found.called[a][b] == (both & call[:, b]).sum()
            assert found.in_place[a][b] == (missed & wrong).sum()
            assert found.beside[a][b] == (both & call[:, a] & wrong).sum()
    whole = confusion(np.nan_to_num(labels), probs, np.full(14, 0.4))
    assert whole.both is None and whole.with_column(3) == (whole.films[3],) * 14
    assert whole.missed_with_column(3) == (whole.missed[3],) * 14


def test_two_models_are_compared_on_the_same_known_entries():
    """What stands in the place of an unknown label moves nothing, and scores there move nothing."""
    labels, probs, patients = some_films(900)
    resamples = Resamples(patients, 200)
    other = np.clip(probs + np.random.default_rng(2).normal(0, 0.2, probs.shape), 0, 1)
    compared = compared_findings(labels, resamples)
    assert compared.findings.tolist() == [c != 1 for c in range(14)] and compared.in_every_resample
    found = paired_test(labels, probs, other, resamples, compared)
    here = ~np.isnan(labels)
    turned = np.where(here, probs, 1 - probs)
    assert paired_test(labels, turned, other, resamples, compared) == found
    for mean, scores in ((found.first, probs), (found.second, other)):
        each = [metrics.auc_per_class(*alone(labels, c, scores))[0] for c in range(14) if c != 1]
        assert mean == pytest.approx(np.mean(each), abs=1e-12)


def test_a_mean_has_the_patients_of_its_least_known_finding():
    labels, probs, patients = _films(900, 4)
    labels[250:, 5] = np.nan
    resamples = Resamples(patients, 100)
    counts = PatientCounts.per_finding(labels, probs >= 0.5, resamples.owner)
    assert counts[5].all < counts[0].all == resamples.patients and counts[5].effective < counts[0].effective
    auc, drawn = metrics.auc_per_class(labels, probs), resamples.auc(labels, probs)
    found = [finding_estimate("auc", value, drawn[:, c], counts[c]) for c, value in enumerate(auc)]
    mean = fixed_mean("auc", found, drawn, counts)
    assert mean.findings == FINDINGS and mean.estimate.value == pytest.approx(auc.mean())
    as_few = [one._replace(all=counts[5].all, effective=counts[5].effective) for one in counts]
    assert mean == fixed_mean("auc", found, drawn, as_few)
    fewer = [one._replace(all=99) if c == 5 else one for c, one in enumerate(counts)]
    assert fixed_mean("auc", found, drawn, fewer).estimate.low is None  # too few patients for a mean
    assert whole_mean_auc(auc, drawn, counts) == whole_mean_auc(auc, drawn, as_few)


@pytest.mark.slow
def test_a_perfect_error_is_of_as_many_films_as_are_known():
    labels, probs, _ = some_films(4000)
    whole = metrics.perfect_ece_per_class(probs)
    np.testing.assert_array_equal(metrics.perfect_ece_per_class(probs, labels=np.nan_to_num(labels)), whole)
    found = metrics.perfect_ece_per_class(probs, labels=labels)
    assert np.isnan(found).tolist() == [c == 1 for c in range(14)]
    for c in (0, 7, 13):
        [own] = metrics.perfect_ece_per_class(alone(labels, c, probs)[1])
        assert found[c] == pytest.approx(own, rel=0.1)  # other draws of as many films
    assert found[13] > 1.8 * whole[13]  # a fifth of the films: about as many times √5 in noise
