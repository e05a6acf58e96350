"""Platt scaling and thresholds against slow, independent ways to the same figures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit

from xlite.errors import CheckpointError, DataError
from xlite.findings import FINDINGS
from xlite.metrics.calibration import PULL, apply_calibration, fit_platt
from xlite.metrics.per_finding import ece_per_class
from xlite.metrics.thresholds import PLAIN_THRESHOLD, choose_thresholds, read_thresholds


def drawn(scale: float, bias: float, n: int = 4000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits (n, 14) and labels whose true probability is sigmoid(scale * logit + bias)."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, 14))
    return logits, (rng.random((n, 14)) < expit(scale * logits + bias)).astype(np.float32)


def f1_score(labels: np.ndarray, called: np.ndarray) -> float:
    """By its definition."""
    tp, fp, fn = (
        np.sum(a & b) for a, b in ((labels > 0, called), (labels == 0, called), (labels > 0, ~called))
    )
    return 2 * tp / (2 * tp + fp + fn)


def test_platt_is_the_least_penalised_log_loss() -> None:
    logits, labels = drawn(2.0, -1.5)
    found = fit_platt(logits, labels)
    for c in (0, 13):
        x, y = logits[:, c], labels[:, c].astype(float)

        def loss(v: np.ndarray, x: np.ndarray = x, y: np.ndarray = y) -> float:
            z = v[0] * x + v[1]
            return np.sum(np.logaddexp(0, z) - y * z) + PULL / 2 * ((v[0] - 1) ** 2 + v[1] ** 2)

        best = minimize(loss, [1.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-9}).x
        assert (found["scale"][c], found["bias"][c]) == pytest.approx(tuple(best), abs=1e-5)


def test_platt_makes_probabilities_of_scores_on_films_it_did_not_see() -> None:
    found = fit_platt(*drawn(0.5, -2.0))
    logits, labels = drawn(0.5, -2.0, seed=1)
    before = ece_per_class(labels, apply_calibration(logits, None))
    after = ece_per_class(labels, apply_calibration(logits, found))
    assert before.min() > 0.3
    assert after.max() < 0.03
    assert found["scale"] == pytest.approx([0.5] * 14, abs=0.2)
    assert found["bias"] == pytest.approx([-2.0] * 14, abs=0.2)


def test_too_few_positives_or_negatives_keep_the_identity() -> None:
    logits, labels = drawn(2.0, 0.0, n=40)
    labels[:] = np.arange(40)[:, None] < 20
    labels[:, 0], labels[:, 1] = np.arange(40) < 9, np.arange(40) < 31
    labels[:, 2], labels[:, 3] = np.arange(40) < 10, np.arange(40) < 30
    found = fit_platt(logits, labels)
    assert [found["scale"][c] == 1 and found["bias"][c] == 0 for c in range(4)] == [True, True, False, False]


def test_scores_the_wrong_way_round_keep_their_order_and_get_the_prevalence() -> None:
    logits, labels = drawn(3.0, -2.0)
    found = fit_platt(-logits, labels)
    assert found["scale"] == [0.01] * 14
    mean = apply_calibration(-logits, found).mean(axis=0)
    np.testing.assert_allclose(mean, labels.mean(axis=0), atol=0.01)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.floats(1e-6, 1e4), st.floats(-500, 500))
def test_platt_is_finite_and_rising_for_any_logits(seed: int, spread: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    logits = (rng.normal(size=(60, 14)) * spread + shift).astype(np.float32)
    labels = rng.random((60, 14)) < 0.4
    labels[:30, 0] = logits[:30, 0] > shift  # nearly separable
    found = fit_platt(logits, labels)
    assert np.isfinite([*found["scale"], *found["bias"]]).all()
    assert min(found["scale"]) >= 0.01
    probs = apply_calibration(logits, found)
    assert probs.dtype == np.float32
    assert ((probs >= 0) & (probs <= 1)).all()


def test_no_calibration_is_the_sigmoid_without_overflow() -> None:
    logits = np.array([[-1e4, -800.0, -30.0, -1.0, 0.0, 1.0, 30.0, 800.0, 1e4] + [0.0] * 5])
    np.testing.assert_allclose(apply_calibration(logits, None), expit(logits), atol=1e-7)


def test_calibration_applies_each_findings_own_line() -> None:
    calibration = {
        "method": "platt",
        "scale": [1.0 + c for c in range(14)],
        "bias": [c / 10 for c in range(14)],
    }
    expected = expit(np.arange(1, 15) * 0.3 + np.arange(14) / 10)
    np.testing.assert_allclose(apply_calibration(np.full(14, 0.3), calibration), expected, atol=1e-7)


def test_an_unknown_calibration_is_refused() -> None:
    with pytest.raises(
        CheckpointError,
        match="calibration 'spline' is not known; expected one of temperature, platt, isotonic",
    ):
        apply_calibration(np.zeros((1, 14)), {"method": "spline"})


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_thresholds_reach_the_best_f1_there_is(dtype: type) -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random((120, 14)) < 0.2).astype(np.float32)
    probs = np.clip(rng.normal(0.3 + 0.2 * labels, 0.2), 0, 1).round(2).astype(dtype)
    cuts = choose_thresholds(labels, probs)
    for c in range(14):
        y, p = labels[:, c], probs[:, c]
        best = max(f1_score(y, p >= cut) for cut in np.unique(p))
        assert f1_score(y, p >= cuts[c]) == pytest.approx(best)
        assert cuts[c] not in p or cuts[c] == p.min()  # half-way between two probabilities seen


def test_a_finding_never_positive_gets_the_fallback() -> None:
    labels = np.zeros((5, 2))
    labels[0, 1] = 1
    np.testing.assert_allclose(
        choose_thresholds(labels, np.tile(np.linspace(0.1, 0.5, 5)[::-1, None], 2)), [PLAIN_THRESHOLD, 0.45]
    )


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=30).filter(
        lambda f: any(y for y, _ in f)
    )
)
def test_thresholds_lose_no_f1_however_close_the_probabilities(films: list[tuple[bool, float]]) -> None:
    labels, probs = np.array([[y] for y, _ in films]), np.array([[p] for _, p in films])
    cut = choose_thresholds(labels, probs)[0]
    best = max(f1_score(labels[:, 0], probs[:, 0] >= p) for p in probs[:, 0])
    assert f1_score(labels[:, 0], probs[:, 0] >= cut) == pytest.approx(best)
    assert 0 <= cut <= 1


def write(path, text: str):
    path.write_text(text)
    return path


def test_thresholds_are_read_by_name(tmp_path) -> None:
    values = {name.replace("Infiltration", "Infiltrate"): c / 20 for c, name in enumerate(FINDINGS)}
    path = write(tmp_path / "t.json", str(dict(reversed(values.items()))).replace("'", '"'))
    np.testing.assert_allclose(read_thresholds(path), np.arange(14) / 20)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "cannot be read as JSON"),
        ("[1]", "hold no object"),
        ('{"Cat": 0.5}', "'Cat' is none of the 14 findings"),
        ('{"Mass": 0.5}', "thresholds lack Atelectasis, Cardiomegaly"),
        (
            "{" + ", ".join(f'"{name}": 1.5' for name in FINDINGS) + "}",
            "threshold 1.5 of Atelectasis is no probability",
        ),
        (
            "{" + ", ".join(f'"{name}": true' for name in FINDINGS) + "}",
            "threshold True of Atelectasis is no prob",
        ),
        (
            "{" + ", ".join(f'"{name}": NaN' for name in FINDINGS) + "}",
            "threshold nan of Atelectasis is no prob",
        ),
    ],
)
def test_wrong_thresholds_are_one_sentence(tmp_path, text: str, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        read_thresholds(write(tmp_path / "t.json", text))


def test_a_missing_thresholds_file_is_one_sentence(tmp_path) -> None:
    with pytest.raises(DataError, match="cannot be read as JSON"):
        read_thresholds(tmp_path / "none.json")
