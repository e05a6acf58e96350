"""Which films of a draw fit a model, and the learning curve of films whose prevalence is known."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from xlite.evaluation.adaptation.curve import first_films, fit_to, learning_curve, order_of_draw
from xlite.evaluation.films import Films
from xlite.evaluation.options import AdaptOptions
from xlite.findings import FINDINGS
from xlite.images import Preprocess
from xlite.models.info import ModelInfo

INFO = ModelInfo(
    backbone="b",
    attention="none",
    hidden=8,
    dropout=0.0,
    preprocess=Preprocess(32),
    split_id="s",
    label_version="2020",
    thresholds=dict.fromkeys(FINDINGS, 0.5),
)
PATIENTS = np.array(["a", "b", "a", "c", "b", "a"])
JUDGED = np.arange(14) == FINDINGS.index("Mass")


def films(count: int = 240, shift: float = 3.0) -> Films:
    """Two of each patient; every second patient has all findings; the logits say that all have them."""
    rng = np.random.default_rng(0)
    patients = np.arange(count) // 2
    labels = np.tile((patients % 2)[:, None], 14)
    logits = rng.normal(size=(count, 14)) + labels + shift
    names = [f"{number:08d}_000.png" for number in range(count)]
    table = pd.DataFrame(
        {"image": names, "stem": [name[:-4] for name in names], "patient": patients.astype(str)}
    )
    return Films(table.join(pd.DataFrame(labels, columns=list(FINDINGS))), names, logits, expit(logits))


def test_a_draw_takes_patient_by_patient_and_each_films_row_once() -> None:
    order = order_of_draw(PATIENTS, 0, 1)
    assert sorted(order.tolist()) == list(range(6))
    owners = PATIENTS[order].tolist()
    assert len([1 for one, other in zip(owners, owners[1:], strict=False) if one != other]) == 2
    assert order[np.array(owners) == "a"].tolist() == [0, 2, 5]  # within a patient as they were


def test_the_same_draw_is_the_same_and_others_differ_by_seed_and_number() -> None:
    patients = np.arange(100).astype(str)
    first = order_of_draw(patients, 3, 1)
    assert np.array_equal(first, order_of_draw(patients, 3, 1))
    assert not np.array_equal(first, order_of_draw(patients, 3, 2))
    assert not np.array_equal(first, order_of_draw(patients, 4, 1))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [(0, []), (2, []), (3, [0, 2, 5]), (4, [0, 2, 5]), (5, [0, 2, 5, 1, 4]), (6, None), (99, None)],
)
def test_the_first_films_are_of_whole_patients_and_no_more_than_wanted(
    wanted: int, expected: list[int] | None
) -> None:
    order = np.array([0, 2, 5, 1, 4, 3])  # a, b, c
    found = first_films(PATIENTS, order, wanted)
    assert found.tolist() == (order.tolist() if expected is None else expected)


def test_films_of_one_patient_come_together_or_not_at_all() -> None:
    patients = np.array(["a"] * 4)
    order = order_of_draw(patients, 0, 0)
    assert order.tolist() == [0, 1, 2, 3]
    assert [len(first_films(patients, order, wanted)) for wanted in (3, 4)] == [0, 4]
    assert len(first_films(np.array([], str), np.array([], int), 5)) == 0


def test_only_the_local_films_fit() -> None:
    whole = films()
    local = np.arange(80)
    fit = fit_to(INFO, whole, local)
    other = films()
    other.logits[80:], other.table.loc[80:, "Mass"] = -9, 0
    again = fit_to(INFO, other, local)
    assert again.climbed == fit.climbed and np.array_equal(again.cuts, fit.cuts)
    assert fit.climbed.rungs == ("intercept",) * 14  # 20 patients with each finding and 20 without
    assert len(fit.findings) == 14


def test_the_curve_begins_with_the_model_as_it_is_and_ends_with_all_films_that_fit() -> None:
    whole = films()
    curve = learning_curve(INFO, whole, JUDGED, AdaptOptions(films=60, draws=2))
    assert [point.films for point in curve] == [0, 25, 50, 60]
    first, last = curve[0], curve[-1]
    assert (first.thresholds, first.changed, last.thresholds) == (0, 0, 14)
    # By far too many are said to have it, of which half do: what fits says so.
    assert first.ece > 0.4 and last.ece < 0.15 and last.brier < 0.3 < first.brier
    assert first.ece_low <= first.ece <= first.ece_high
    assert first.f1 is not None and last.f1 is not None and last.changed is not None


def test_one_draw_has_no_spread() -> None:
    first, last = learning_curve(INFO, films(), JUDGED, AdaptOptions(films=20, draws=1))
    assert (first.films, last.films) == (0, 20)
    assert first.ece_low == first.ece == first.ece_high


def test_a_model_without_thresholds_has_no_f1_and_no_changed_call() -> None:
    bare = INFO.model_copy(update={"thresholds": None})
    first, last = learning_curve(bare, films(), JUDGED, AdaptOptions(films=20, draws=2))
    assert (first.f1, first.changed) == (None, None)
    assert last.changed is None and last.thresholds in (0, 14)
