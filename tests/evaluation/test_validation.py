"""What validation decides, and what each decision gives on other films."""

import numpy as np
import pytest
from demo_home import drawn_films
from sklearn.metrics import brier_score_loss, confusion_matrix, f1_score

from xlite.evaluation.validation import calibration_errors, operating_points
from xlite.findings import FINDINGS
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.calibration import METHODS, apply_calibrator, fit_calibrator, logit
from xlite.metrics.estimate import Estimate
from xlite.metrics.per_finding import perfect_ece_per_class
from xlite.metrics.thresholds import RULES, Thresholds, ValidationPatients

pytestmark = pytest.mark.slow


def test_operating_points_are_chosen_on_one_set_and_judged_on_the_other() -> None:
    rng = np.random.default_rng(0)
    films, validation = drawn_films(rng), drawn_films(rng, 200)
    found = operating_points(films, validation, Resamples(films.patients, 40))
    assert list(found) == list(RULES)
    for rule, one in found.items():
        chosen = Thresholds.choose(validation.labels, validation.probs, validation.patients, rule)
        cuts = chosen.cuts
        for c, finding in enumerate(FINDINGS[:13]):
            row, called = one.per_class[finding], films.probs[:, c] >= cuts[c]
            assert row.threshold == cuts[c] and row.chosen_on == chosen.chosen_on[c]
            assert row.called == called.sum()
            sensitivity = row.expected["recall"]
            assert sensitivity.low <= sensitivity.value <= sensitivity.high
            assert row.f1.value == pytest.approx(f1_score(films.labels[:, c], called))
            assert row.f1.low <= row.f1.value <= row.f1.high
            tn, fp, fn, tp = confusion_matrix(films.labels[:, c], called).ravel()
            assert row.recall.value == pytest.approx(tp / (tp + fn))
            assert row.specificity.value == pytest.approx(tn / (tn + fp))
        values = [one.per_class[finding].f1.value for finding in FINDINGS[:13]]
        assert one.macro["f1"].value == pytest.approx(np.mean(values))
        hernia = one.per_class["Hernia"]
        assert (hernia.threshold, hernia.chosen_on) == (None, ValidationPatients(0, 100))
        assert (hernia.f1, hernia.specificity, hernia.called) == (Estimate(None), Estimate(None), None)
        assert one.macro_findings["precision"] == 13


def test_calibrators_are_judged_before_and_after() -> None:
    rng = np.random.default_rng(0)
    films, validation = drawn_films(rng), drawn_films(rng, 200)
    found = calibration_errors(films, validation, Resamples(films.patients, 40))
    assert list(found) == ["none", *METHODS]
    np.testing.assert_allclose(logit(films.probs[0]), films.logits[0])
    for method, one in found.items():
        fitted = fit_calibrator(validation.logits, validation.labels, validation.patients, method)
        probs = apply_calibrator(films.logits, fitted)
        briers = [brier_score_loss(films.labels[:, c], probs[:, c]) for c in range(14)]
        assert one.macro["brier"].value == pytest.approx(np.mean(briers))
        assert one.per_class["Mass"]["brier"] == pytest.approx(briers[4])
        assert one.perfect_ece == pytest.approx(perfect_ece_per_class(probs).mean())
        ece = one.macro["ece"]
        assert (ece.low, ece.high) == (None, None)  # 100 patients bear no interval of a calibration error
    assert found["platt"].macro["ece"].value < found["none"].macro["ece"].value
