"""Thresholds against searches over every one of them, and the files that hold them."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from xlite.errors import DataError
from xlite.findings import FINDINGS
from xlite.metrics.thresholds import RULES, Thresholds, ValidationPatients, choose_thresholds, read_thresholds


def f1_score(labels: np.ndarray, called: np.ndarray) -> float:
    """By its definition."""
    tp, fp, fn = (
        np.sum(a & b) for a, b in ((labels > 0, called), (labels == 0, called), (labels > 0, ~called))
    )
    return 2 * tp / (2 * tp + fp + fn)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_thresholds_reach_the_best_f1(dtype: type) -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random((120, 14)) < 0.2).astype(np.float32)
    probs = np.clip(rng.normal(0.3 + 0.2 * labels, 0.2), 0, 1).round(2).astype(dtype)
    cuts = choose_thresholds(labels, probs)
    for c in range(14):
        y, p = labels[:, c], probs[:, c]
        best = max(f1_score(y, p >= cut) for cut in np.unique(p))
        assert f1_score(y, p >= cuts[c]) == pytest.approx(best)
        assert cuts[c] not in p or cuts[c] == p.min()  # half-way between two probabilities seen


def test_a_finding_never_positive_has_no_threshold() -> None:
    labels = np.zeros((5, 2))
    labels[0, 1] = 1
    np.testing.assert_allclose(
        choose_thresholds(labels, np.tile(np.linspace(0.1, 0.5, 5)[::-1, None], 2)), [np.nan, 0.45]
    )


def test_a_threshold_that_too_few_patients_choose_is_withheld() -> None:
    """Nine patients are too few, however many films they have; so are nine without the finding."""
    labels, probs = np.zeros((60, 14)), np.tile(np.linspace(0, 1, 60)[:, None], 14)
    patients = np.arange(60) // 3
    labels[:27, 0], labels[:30, 1], labels[27:, 2] = 1, 1, 1
    labels[:33, 3] = 1
    found = Thresholds.choose(labels, probs, patients)
    expected = [
        ValidationPatients(9, 11),
        ValidationPatients(10, 10),
        ValidationPatients(11, 9),
        ValidationPatients(11, 9),
    ]
    assert found.chosen_on[:5] == (*expected, ValidationPatients(0, 20))
    assert np.isnan(found.cuts).tolist() == [True, False] + 12 * [True]
    assert found.cuts[1] == choose_thresholds(labels, probs)[1]
    again = Thresholds.of(found.by_finding(), found.chosen_on_by_finding())
    np.testing.assert_array_equal(again.cuts, found.cuts)
    assert again.chosen_on == found.chosen_on and found.by_finding()["Atelectasis"] is None


@pytest.mark.slow
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


@pytest.mark.slow
def test_each_rule_finds_what_a_search_over_every_threshold_finds() -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random((70, 14)) < 0.2).astype(np.float32)
    probs = np.clip(rng.normal(0.3 + 0.2 * labels, 0.2), 0, 1).round(2)
    cuts = {rule: choose_thresholds(labels, probs, rule) for rule in RULES}
    for c in range(14):
        y, p = labels[:, c], probs[:, c]
        fpr, tpr, tried = sk.roc_curve(y, p, drop_intermediate=False)

        def rates(cut: float, y: np.ndarray = y, p: np.ndarray = p) -> tuple[float, float]:
            tn, fp, fn, tp = sk.confusion_matrix(y, p >= cut, labels=[0, 1]).ravel()
            return tp / (tp + fn), tn / (tn + fp)

        assert sk.f1_score(y, p >= cuts["f1"][c]) == pytest.approx(
            max(sk.f1_score(y, p >= cut) for cut in tried)
        )
        assert sum(rates(cuts["youden"][c])) - 1 == pytest.approx((tpr - fpr).max())
        sensitivity, specificity = rates(cuts["sensitivity_90"][c])
        enough = tpr >= 0.9 - 1e-9
        assert sensitivity >= 0.9 and 1 - specificity == pytest.approx(fpr[enough].min())
        sensitivity, specificity = rates(cuts["specificity_95"][c])
        enough = fpr <= 0.05 + 1e-9
        assert specificity >= 0.95 and sensitivity == pytest.approx(tpr[enough].max())


def test_if_no_threshold_is_specific_enough_nothing_is_called() -> None:
    labels, probs = np.array([[1], [0], [0]]), np.array([[0.8], [0.8], [0.1]])
    assert choose_thresholds(labels, probs, "specificity_95") == pytest.approx([0.9])
    assert np.isnan(choose_thresholds(np.ones((3, 1)), probs, "youden")).all()


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="'best' is not a rule .* f1, youden"):
        choose_thresholds(np.array([[1], [0]]), np.array([[0.8], [0.1]]), "best")


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_thresholds_are_read_by_name(tmp_path: Path) -> None:
    values = {name.replace("Infiltration", "Infiltrate"): c / 20 for c, name in enumerate(FINDINGS)}
    path = write(tmp_path / "t.json", str(dict(reversed(values.items()))).replace("'", '"'))
    np.testing.assert_allclose(read_thresholds(path), np.arange(14) / 20)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "cannot be read as JSON"),
        ("[1]", "hold no object"),
        ('{"Cat": 0.5}', "'Cat' is not one of the 14 findings"),
        ('{"Mass": 0.5}', "thresholds lack Atelectasis, Cardiomegaly"),
        (
            "{" + ", ".join(f'"{name}": 1.5' for name in FINDINGS) + "}",
            "threshold 1.5 of Atelectasis is not a probability",
        ),
        (
            "{" + ", ".join(f'"{name}": true' for name in FINDINGS) + "}",
            "threshold True of Atelectasis is not a prob",
        ),
        (
            "{" + ", ".join(f'"{name}": NaN' for name in FINDINGS) + "}",
            "threshold nan of Atelectasis is not a prob",
        ),
    ],
)
def test_wrong_thresholds_are_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        read_thresholds(write(tmp_path / "t.json", text))


def test_a_missing_thresholds_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read as JSON"):
        read_thresholds(tmp_path / "none.json")


def test_a_threshold_lies_half_way_to_the_last_score_too() -> None:
    labels, probs = np.array([[1.0], [1.0], [0.0]]), np.array([[0.9], [0.6], [0.2]])
    assert choose_thresholds(labels, probs) == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("films", "expected", "lower"),
    [([1, 0, 1, 1, 0, 0, 0, 1], 0.6, 0.5), ([1, 0, 0, 1, 0, 0, 0, 1], 0.9, 0.8)],
)
def test_youden_counts_positives_and_negatives_of_the_lowest_score(
    films: list[int], expected: float, lower: float
) -> None:
    labels = np.array(films)[:, None]
    probs = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.1])[:, None]
    index = {
        cut: np.mean(probs[labels == 1] >= cut) + np.mean(probs[labels == 0] < cut) - 1 for cut in probs[:, 0]
    }
    best = max(index, key=lambda cut: (index[cut], cut))
    assert choose_thresholds(labels, probs, "youden") == pytest.approx((best + lower) / 2)
    assert best == expected


def test_a_specificity_of_95_percent_may_call_one_of_twenty_negatives() -> None:
    probs = np.append(np.linspace(0.05, 0.43, 20), 0.415)[:, None]  # the positive is below one negative
    labels = np.append(np.zeros(20), 1)[:, None]
    assert choose_thresholds(labels, probs, "specificity_95") == pytest.approx((0.415 + 0.41) / 2)


def test_thresholds_of_0_and_1_are_probabilities(tmp_path: Path) -> None:
    path = tmp_path / "cuts.json"
    path.write_text(json.dumps({finding: place % 2 for place, finding in enumerate(FINDINGS)}))
    found = read_thresholds(path)
    np.testing.assert_array_equal(found, [0, 1] * 7)
    assert found.dtype == np.float64


def test_thresholds_of_which_nobody_knows_what_chose_them() -> None:
    cuts = {finding: None if finding == "Mass" else place / 20 for place, finding in enumerate(FINDINGS)}
    found = Thresholds.of(cuts, None)
    assert (found.by_finding(), found.chosen_on, found.chosen_on_by_finding()) == (cuts, None, None)


def test_thresholds_of_13_findings_are_not_taken_for_all() -> None:
    short = Thresholds(np.zeros(13), (ValidationPatients(20, 20),) * 13)
    for by_finding in (short.by_finding, short.chosen_on_by_finding):
        with pytest.raises(ValueError):
            by_finding()


def test_labels_and_probabilities_of_other_findings_choose_nothing() -> None:
    with pytest.raises(ValueError):
        choose_thresholds(np.eye(3), np.eye(3)[:, :2])


def test_without_negatives_only_rules_that_ask_for_none_choose() -> None:
    labels, probs = np.ones((10, 1)), np.linspace(0.1, 1, 10)[:, None]
    found = {rule: choose_thresholds(labels, probs, rule)[0] for rule in RULES}
    expected = {"f1": 0.1, "youden": np.nan, "sensitivity_90": 0.15, "specificity_95": np.nan}
    assert found == pytest.approx(expected, nan_ok=True)
