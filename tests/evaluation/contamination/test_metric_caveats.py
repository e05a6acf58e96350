"""What films cannot tell, from labels, counts and metrics that are made by hand."""

from collections.abc import Sequence

import numpy as np

from xlite.evaluation.contamination.caveats import (
    AlwaysPositive,
    BelowChance,
    Caveat,
    FewPositives,
    MostlyOnePatient,
    NeverCalled,
    NeverPositive,
    NotLabelled,
    OnePatient,
    OtherPrevalence,
    UnknownLabels,
    WithheldThresholds,
)
from xlite.evaluation.contamination.metric_caveats import metric_caveats
from xlite.findings import FINDINGS, NIH_PREVALENCE
from xlite.metrics.estimate import Estimate
from xlite.metrics.finding_estimates import PatientCounts
from xlite.metrics.thresholds import Thresholds, ValidationPatients

FILMS = 4000
MASS, HERNIA, EDEMA = (FINDINGS.index(name) for name in ("Mass", "Hernia", "Edema"))


def nih_labels() -> np.ndarray:
    """Labels (FILMS, 14) as often positive as NIH's, and of each finding at least 10 films."""
    shares = [NIH_PREVALENCE[finding] for finding in FINDINGS]
    return np.stack([np.arange(FILMS) < max(10, round(share * FILMS)) for share in shares], 1).astype(float)


def found(
    labels: np.ndarray,
    *,
    owner: np.ndarray | None = None,
    precision: np.ndarray | None = None,
    auc: Sequence[Estimate] = (Estimate(0.8, 0.7, 0.9),) * 14,
    cuts: Sequence[float] = (0.5,) * 14,
    chosen_on: tuple[ValidationPatients, ...] | None = None,
) -> list[Caveat]:
    """The caveats of films that are each of another patient, unless `owner` says whose they are."""
    owner = np.arange(len(labels)) if owner is None else owner
    values = {
        "auc": np.array([np.nan if one.value is None else one.value for one in auc]),
        "precision": np.full(14, 0.3) if precision is None else precision,
    }
    counts = PatientCounts.per_finding(labels, labels > 0, owner)
    thresholds = Thresholds(np.array(cuts), chosen_on)
    return metric_caveats(labels, values, auc, counts, owner, thresholds)


def test_films_like_nihs_have_none() -> None:
    assert found(nih_labels()) == []


def test_what_is_never_and_always_positive_is_named_and_what_is_not_labelled_is_neither() -> None:
    labels = nih_labels()
    labels[:, HERNIA], labels[:, MASS], labels[:, EDEMA] = 0, 1, np.nan
    not_labelled, never, always, other = found(labels)
    assert not_labelled == NotLabelled(findings=("Edema",))
    assert never == NeverPositive(findings=("Hernia",))
    assert always == AlwaysPositive(findings=("Mass",))
    assert isinstance(other, OtherPrevalence) and other.here == {"Mass": 1.0}


def test_labels_that_are_unknown_on_some_films_are_counted() -> None:
    labels = nih_labels()
    labels[3000:, MASS] = np.nan
    assert found(labels) == [UnknownLabels(labelled={"Mass": 3000}, films=FILMS)]


def test_a_finding_that_is_never_called_is_named_only_if_it_has_a_threshold() -> None:
    precision, cuts = np.full(14, 0.3), np.full(14, 0.5)
    precision[[MASS, EDEMA]], cuts[EDEMA] = np.nan, np.nan
    assert found(nih_labels(), precision=precision, cuts=cuts) == [NeverCalled(findings=("Mass",))]


def test_few_patients_are_counted_as_patients_and_as_films_and_the_mean_without_them_is_said() -> None:
    labels = nih_labels()
    owner = np.arange(FILMS)
    owner[:10] = 0  # the first ten films, which have every finding, are of one patient
    auc = [Estimate(0.8, 0.7, 0.9)] * 14
    auc[HERNIA] = Estimate(0.2)
    [few] = found(labels, owner=owner, auc=auc)
    assert few == FewPositives(positives={"Hernia": 10}, patients={"Hernia": 1}, auc_without=few.auc_without)
    assert isinstance(few, FewPositives) and round(few.auc_without or 0, 12) == 0.8


def test_no_mean_is_said_if_every_finding_has_few_patients() -> None:
    labels = np.tile([[1.0], [0.0]], (4, 14))
    few = next(one for one in found(labels) if isinstance(one, FewPositives))
    assert set(few.patients.values()) == {4} and few.auc_without is None


def test_a_prevalence_is_far_only_if_its_whole_interval_is() -> None:
    labels = nih_labels()
    labels[:, HERNIA] = np.arange(FILMS) < FILMS // 2
    [caveat] = found(labels)
    assert caveat == OtherPrevalence(here={"Hernia": 0.5}, nih={"Hernia": NIH_PREVALENCE["Hernia"]})
    # One film of five has Infiltration and Mass, as chance may have it of the one and the other.
    five = labels[[0, *range(3000, 3004)]]
    [caveat] = [one for one in found(five) if isinstance(one, OtherPrevalence)]
    assert isinstance(caveat, OtherPrevalence) and not caveat.here.keys() & {"Infiltration", "Mass"}
    assert caveat.here["Hernia"] == 0.2


def test_a_threshold_is_withheld_with_the_patients_that_were_to_choose_it() -> None:
    cuts, chosen_on = np.full(14, 0.5), [ValidationPatients(50, 60)] * 14
    cuts[MASS], chosen_on[MASS] = np.nan, ValidationPatients(3, 90)
    [caveat] = found(nih_labels(), cuts=cuts, chosen_on=tuple(chosen_on))
    assert caveat == WithheldThresholds(positive={"Mass": 3}, negative={"Mass": 90})
    assert found(nih_labels(), cuts=cuts) == []  # an old model file does not say why it has none


def test_only_a_whole_interval_below_chance_of_enough_patients_is_named() -> None:
    auc = [Estimate(0.8, 0.7, 0.9)] * 14
    auc[MASS], auc[EDEMA], auc[HERNIA] = Estimate(0.3, 0.2, 0.4), Estimate(0.4, 0.3, 0.5), Estimate(0.1)
    assert found(nih_labels(), auc=auc) == [BelowChance(auc={"Mass": 0.3})]
    labels = nih_labels()
    labels[9:, MASS] = 0
    assert not [one for one in found(labels, auc=auc) if isinstance(one, BelowChance)]


def test_one_patient_is_said_whatever_else_is() -> None:
    labels = nih_labels()
    assert OnePatient() in found(labels, owner=np.zeros(FILMS, int))
    assert OnePatient() not in found(labels, owner=np.arange(FILMS) % 2)


def test_a_patient_with_most_of_the_films_is_said() -> None:
    owner = np.where(np.arange(FILMS) <= FILMS // 2, 0, np.arange(FILMS))
    found_of = [one for one in found(nih_labels(), owner=owner) if isinstance(one, MostlyOnePatient)]
    assert found_of == [MostlyOnePatient(most=2001, films=FILMS, patients=2000)]
    owner[0] = FILMS
    assert not [one for one in found(nih_labels(), owner=owner) if isinstance(one, MostlyOnePatient)]
