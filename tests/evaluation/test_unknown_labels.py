"""Films of which labels are unknown: each finding is judged by those that it is known of, and n is said."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from demo_home import drawn_films
from unknown_films import HALF, NOBODY_KNOWS, ONE_VIEW, unknown_films, unknown_report

from xlite.data.predictions import Predictions
from xlite.errors import DataError
from xlite.evaluation.compare import compare_on
from xlite.evaluation.contamination.caveats import ChosenOn, NotLabelled, UnknownLabels
from xlite.evaluation.estimates import evaluate_predictions
from xlite.evaluation.films import read_labels, write_labels
from xlite.evaluation.full_report import InUse, ValidationFilms, full_report
from xlite.evaluation.radiologists import beside_radiologists
from xlite.evaluation.report_base import Stamp
from xlite.evaluation.subgroups import film_groups, subgroups
from xlite.evaluation.validation import fit_info
from xlite.evaluation.validation_report import Validation
from xlite.findings import FINDINGS
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.estimate import Estimate
from xlite.metrics.thresholds import Thresholds, ValidationPatients
from xlite.models.info import ModelInfo

STAMP = Stamp("m", "s", "test", "2020")
NONE = Estimate(None)


def as_numbers(found: object) -> object:
    """A number, none, or several by name, to six digits."""
    return found if found is None else pytest.approx(found, rel=1e-6)


@pytest.mark.slow
def test_a_finding_is_judged_by_the_films_that_it_is_known_of() -> None:
    films = unknown_films()
    resamples = Resamples(films.patients, 40)
    cuts = Thresholds(np.linspace(0.4, 0.6, 14))
    whole = evaluate_predictions(films.labels, films.probs, resamples, STAMP, cuts)
    for finding in (HALF, ONE_VIEW, "Mass"):
        c = FINDINGS.index(finding)
        here = ~np.isnan(films.labels[:, c])
        some = evaluate_predictions(
            films.labels[here], films.probs[here], resamples.of(here), STAMP, cuts
        ).per_class[finding]
        found = whole.per_class[finding]
        assert found.films == here.sum() and found.labelled
        for name in ("auc", "ap", "f1", "precision", "recall", "specificity", "ece", "brier"):
            one, other = found.estimate(name), some.estimate(name)
            for end in ("value", "low", "high"):
                assert getattr(one, end) == as_numbers(getattr(other, end)), (finding, name, end)
        for name in ("positives", "positive_patients", "negative_patients", "prevalence", "accuracy",
                     "always_yes_f1", "always_no_accuracy", "called", "called_patients",
                     "undefined_resamples"):  # fmt: skip
            assert getattr(found, name) == as_numbers(getattr(some, name)), name
        assert found.calibration_slope.value == as_numbers(some.calibration_slope.value)


@pytest.mark.slow
def test_what_is_not_labelled_has_no_metric_and_is_in_no_mean() -> None:
    report, films = unknown_report()
    found = report.per_class[NOBODY_KNOWS]
    assert (found.films, found.labelled, found.positives, found.called) == (0, False, 0, None)
    names = ("auc", "ap", "f1", "precision", "recall", "specificity", "ece", "brier")
    assert all(found.estimate(name) == NONE for name in names)
    assert (found.prevalence, found.perfect_ece, found.always_no_accuracy) == (None, None, None)
    assert report.macro_findings == {**dict.fromkeys(names, 12), "brier": 13, "ece": 13, **{
        name: report.macro_findings[name] for name in ("precision", "specificity")
    }}  # fmt: skip
    assert all(NOBODY_KNOWS not in one.findings for one in report.macro_fixed.values())
    labelled = [one for one in report.per_class.values() if one.prevalence is not None]
    assert len(labelled) == 13
    assert report.baseline.prevalence == pytest.approx(np.mean([one.prevalence for one in labelled]))
    assert [one for one in report.caveats if isinstance(one, NotLabelled | UnknownLabels)] == [
        NotLabelled(findings=(NOBODY_KNOWS,)),
        UnknownLabels(labelled={HALF: 150, ONE_VIEW: 150}, films=300),
    ]
    points = (report.operating_points or {})["f1"].per_class[NOBODY_KNOWS]
    assert (points.threshold, points.chosen_on) == (None, ValidationPatients(0, 0))
    assert type(report).model_validate_json(report.model_dump_json()).per_class == report.per_class


def test_caveats_of_what_is_never_there_are_of_labelled_findings() -> None:
    labels = np.array([[1.0] * 14, [0.0] * 14, [1.0] * 14, [0.0] * 14])
    labels[:, 0], labels[:, 1], labels[:, 2] = np.nan, [np.nan, 0, np.nan, 0], [1, np.nan, 1, np.nan]
    found = evaluate_predictions(labels, np.full((4, 14), 0.1), Resamples(np.arange(4), 5), STAMP)
    said = {one.kind: getattr(one, "findings", ()) for one in found.caveats}
    assert said["not_labelled"] == FINDINGS[:1] and said["never_positive"] == FINDINGS[1:2]
    assert said["always_positive"] == FINDINGS[2:3] and said["never_called"] == FINDINGS[1:]


def test_without_any_known_label_there_is_nothing_to_judge_by() -> None:
    labels = np.full((3, 14), np.nan)
    with pytest.raises(DataError, match="no label of the 3 films is known, so there is nothing to judge by"):
        evaluate_predictions(labels, np.full((3, 14), 0.5), Resamples(np.arange(3), 5), STAMP)


def test_clean_films_without_a_known_label_have_no_metrics() -> None:
    films = drawn_films(np.random.default_rng(0), count=60)
    labels = films.table[list(FINDINGS)].astype(np.float32)
    labels.iloc[40:] = np.nan
    films = replace(films, table=films.table.assign(**labels))
    report = full_report(
        films,
        STAMP,
        Resamples(films.patients, 5),
        InUse(None, "none"),
        ValidationFilms(None, Validation(absent="not_given")),
        [ChosenOn(known=40, stems=frozenset(films.stems[:40]))],
    )
    assert report.contamination is not None
    assert (report.contamination.films, report.contamination.clean) == (40, None)


def test_a_finding_that_one_group_does_not_know_is_in_no_gap_of_it() -> None:
    films = unknown_films(signal=0.5)
    found = subgroups(films.labels, films.probs, film_groups(films.table), Resamples(films.patients, 20))
    ap, pa = (found["view"].groups[name] for name in ("AP", "PA"))
    assert (ap.per_class[ONE_VIEW].films, ap.per_class[ONE_VIEW].positives) == (0, 0)
    assert ap.per_class[ONE_VIEW].auc == NONE and pa.per_class[ONE_VIEW].auc.value is not None
    assert (pa.per_class[ONE_VIEW].films, pa.images) == (150, 150)
    assert (ap.findings, pa.findings) == (11, 12) and found["view"].gaps[0].findings == 11
    here = (films.table["view"] == "PA").to_numpy()
    known = films.labels[here][:, FINDINGS.index(HALF)]
    assert pa.per_class[HALF].positives == np.nansum(known)


def test_radiologists_stand_beside_films_of_which_nih_is_known() -> None:
    """Of several findings one that is there is enough; none is known to be there only if all are known."""
    films = unknown_films()
    labels = films.table[list(FINDINGS)].copy()
    labels["Mass"], labels["Nodule"] = np.nan, labels["Nodule"]
    films = replace(films, table=films.table.assign(**labels))
    names = ("Pneumothorax", "Nodule or mass", "Airspace opacity", "Fracture")
    rng = np.random.default_rng(4)
    marks = pd.DataFrame(rng.random((300, 4)) < 0.4, columns=list(names), index=films.stems)
    resamples = Resamples(films.patients, 20)
    found = beside_radiologists(films, marks, resamples)
    one = found.findings["Nodule or mass"]
    nodules = int(np.nansum(labels["Nodule"]))
    assert (one.films, one.nih_positives) == (nodules, nodules)  # without a nodule a mass may be there
    assert one.nih_auc == NONE and one.nih_ppv is not None
    opacity, edema = found.findings["Airspace opacity"], labels["Edema"].to_numpy()
    others = labels[["Infiltration", "Consolidation", "Pneumonia"]].to_numpy().any(axis=1)
    here = others | ~np.isnan(edema)
    assert opacity.films == here.sum() < 300 and opacity.nih_positives == (others | (edema == 1)).sum()
    marked = marks["Airspace opacity"].to_numpy()[here]
    assert (opacity.positives, opacity.prevalence) == (marked.sum(), pytest.approx(marked.mean()))
    assert found.findings["Pneumothorax"].films == found.images == 300
    assert found.missed_by_no_finding is None  # no film is known to have none of the 14


def test_two_models_are_compared_where_labels_are_known() -> None:
    films = unknown_films()
    rng = np.random.default_rng(1)
    answers = [
        Predictions(films.stems, films.names, probs)
        for probs in (films.probs, rng.random(films.probs.shape).astype(np.float32))
    ]
    table = films.table.set_index("stem")
    found = compare_on(table, (answers[0], answers[1]), ("a.csv", "b.csv"), "labels.csv", 200)
    assert (found.findings, found.images, found.least_films) == (12, 300, 150)
    dark = films.probs.copy()
    dark[np.isnan(films.labels)] = 0.5
    other = compare_on(
        table, (answers[0]._replace(probs=dark), answers[1]), ("a.csv", "b.csv"), "labels.csv", 200
    )
    assert other == found
    whole = drawn_films(np.random.default_rng(0))
    answer = Predictions(whole.stems, whole.names, whole.probs)
    table = whole.table.set_index("stem")
    assert compare_on(table, (answer, answer), ("a", "b"), "t", 20).least_films is None


def test_thresholds_and_calibrators_of_a_model_are_fitted_where_labels_are_known() -> None:
    films = unknown_films(count=900)
    info = fit_info(ModelInfo.model_construct(validation=None, notes=_Notes()), films.logits, films.labels,
                    films.patients, "platt")  # fmt: skip
    assert info.calibration is not None and NOBODY_KNOWS in info.calibration.uncalibrated()
    assert info.thresholds is not None and info.thresholds[NOBODY_KNOWS] is None
    assert info.validation is not None
    nobody, half = info.validation[NOBODY_KNOWS], info.validation[HALF]
    assert (nobody.positive_films, nobody.negative_films, nobody.ranks_with) == (0, 0, ())
    assert half.positive_films + half.negative_films == 450
    c = FINDINGS.index(HALF)
    here = ~np.isnan(films.labels[:, c])
    alone = fit_info(ModelInfo.model_construct(validation=None, notes=_Notes()), films.logits[here],
                     films.labels[here], films.patients[here], "platt")  # fmt: skip
    assert alone.validation is not None and alone.thresholds is not None
    assert half == alone.validation[HALF] and info.thresholds[HALF] == alone.thresholds[HALF]


class _Notes:
    """Notes of a model whose thresholds nobody chose by hand."""

    def without_hand(self) -> "_Notes":
        return self


def test_labels_of_films_are_kept_with_what_is_unknown(tmp_path: Path) -> None:
    films = unknown_films(count=6)
    write_labels(tmp_path / "labels.csv", films)
    header, first, *_ = (tmp_path / "labels.csv").read_text().splitlines()
    cells = dict(zip(header.split(","), first.split(","), strict=True))
    assert (cells[NOBODY_KNOWS], cells[HALF], cells["Mass"]) == ("", "", str(int(films.table["Mass"][0])))
    kept = read_labels(tmp_path / "labels.csv")
    np.testing.assert_array_equal(kept[list(FINDINGS)].to_numpy(np.float32), films.labels)
    text = (tmp_path / "labels.csv").read_text().replace(first, first.replace(",,", ",maybe,", 1))
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(DataError, match="labels.csv cannot be read: .*maybe"):
        read_labels(tmp_path / "labels.csv")
