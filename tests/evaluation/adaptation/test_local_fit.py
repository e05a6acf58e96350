"""What local films make of a calibrator and thresholds, on films whose answer is known beforehand."""

import numpy as np
import pytest
from scipy.special import expit

from xlite.errors import CheckpointError
from xlite.evaluation.adaptation.local_fit import LocalFit, adapted_info, own_cuts
from xlite.findings import FINDINGS
from xlite.images import Preprocess
from xlite.metrics.calibration import Isotonic, Platt, apply_calibrator, logit
from xlite.metrics.thresholds import ChosenByHand, ValidationPatients
from xlite.models.adapted import AdaptedTo
from xlite.models.info import ModelInfo, ModelNotes

MASS, EDEMA, HERNIA = (FINDINGS.index(name) for name in ("Mass", "Edema", "Hernia"))
LOCAL = AdaptedTo(
    data="ward", day="2026-03-01", films=80, patients=80, findings=("Mass",), film_marks=("0" * 12,)
)


def info(**fields: object) -> ModelInfo:
    about = {"backbone": "b", "attention": "none", "hidden": 8, "dropout": 0.0, "preprocess": Preprocess(32)}
    return ModelInfo.model_validate({**about, "split_id": "s", "label_version": "2020", **fields})


def ward() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits and labels of 80 patients with a film each: half have Mass, which the logits tell apart.

    Nobody has Edema, and Hernia is not labelled; of the others 5 have each finding.
    """
    rng = np.random.default_rng(0)
    labels = np.tile((np.arange(80) < 5).astype(float)[:, None], 14)
    labels[:, MASS], labels[:, EDEMA], labels[:, HERNIA] = np.arange(80) % 2, 0, np.nan
    logits = rng.normal(size=(80, 14))
    logits[:, MASS] += 4 * labels[:, MASS] - 1  # too high by one
    return logits, labels, np.arange(80).astype(str)


def fitted(before: ModelInfo) -> LocalFit:
    return LocalFit.of(before, *ward())


def test_each_finding_goes_as_far_as_its_local_patients_bear() -> None:
    fit = fitted(info(thresholds=dict.fromkeys(FINDINGS, 0.5)))
    rungs = dict(zip(FINDINGS, fit.climbed.rungs, strict=True))
    assert (rungs.pop("Mass"), rungs.pop("Hernia")) == ("line", "as_it_is")
    assert set(rungs.values()) == {"intercept"}
    assert fit.findings == ("Mass",)


def test_a_finding_that_is_not_labelled_keeps_its_probabilities_and_its_threshold() -> None:
    before = info(
        thresholds=dict.fromkeys(FINDINGS, 0.3), calibration=Platt(scale=(2.0,) * 14, bias=(0.5,) * 14)
    )
    fit, logits = fitted(before), ward()[0]
    own = apply_calibrator(logits, before.calibration)
    np.testing.assert_allclose(fit.probabilities(logits)[:, HERNIA], own[:, HERNIA], rtol=1e-6)
    assert fit.cuts[HERNIA] == pytest.approx(0.3) and np.isnan(fit.chosen.cuts[HERNIA])


def test_the_probabilities_of_what_nobody_has_go_down_and_its_threshold_with_them() -> None:
    fit, logits = fitted(info(thresholds=dict.fromkeys(FINDINGS, 0.5))), ward()[0]
    scale, bias = fit.climbed.lines[EDEMA]
    assert scale == 1 and bias < -1
    assert fit.cuts[EDEMA] == pytest.approx(expit(bias))  # where 0.5 lies now
    calls = fit.probabilities(logits)[:, EDEMA] >= fit.cuts[EDEMA]
    assert np.array_equal(calls, expit(logits[:, EDEMA]) >= 0.5)


def test_a_threshold_that_the_local_films_choose_is_theirs_alone() -> None:
    fits = [fitted(info(thresholds=dict.fromkeys(FINDINGS, cut))) for cut in (0.1, 0.9)]
    assert fits[0].cuts[MASS] == fits[1].cuts[MASS] == fits[0].chosen.cuts[MASS]
    assert fits[0].cuts[EDEMA] < fits[1].cuts[EDEMA]
    assert fits[0].chosen.chosen_on[MASS] == ValidationPatients(40, 40)


def test_a_model_without_thresholds_has_only_those_that_the_local_films_choose() -> None:
    before = info()
    assert own_cuts(before).shape == (14,) and np.isnan(own_cuts(before)).all()
    assert np.flatnonzero(~np.isnan(fitted(before).cuts)).tolist() == [MASS]


def test_a_withheld_threshold_stays_withheld() -> None:
    cuts = {name: None if name == "Edema" else 0.4 for name in FINDINGS}
    few = dict.fromkeys(FINDINGS, ValidationPatients(3, 90))
    before = info(thresholds=cuts, thresholds_chosen_on=few)
    fit = fitted(before)
    after = adapted_info(before, fit, *ward(), LOCAL)
    assert after.thresholds is not None and after.thresholds["Edema"] is None
    assert after.thresholds_chosen_on is not None
    assert after.thresholds_chosen_on["Edema"] == ValidationPatients(3, 90)  # as before, it stays
    assert after.thresholds_chosen_on["Mass"] == ValidationPatients(40, 40)


def test_the_info_has_the_new_calibrator_records_and_note_and_all_else_as_it_was() -> None:
    before = info(thresholds=dict.fromkeys(FINDINGS, 0.5), notes={"run": "night", "seed": 3})
    fit = fitted(before)
    after = adapted_info(before, fit, *ward(), LOCAL)
    assert after.calibration == fit.climbed.calibrator
    assert after.thresholds == pytest.approx(dict(zip(FINDINGS, fit.cuts.tolist(), strict=True)))
    assert after.notes == ModelNotes(run="night", seed=3, adapted_to=LOCAL)
    assert after.validation is not None and after.validation["Mass"].positive_films == 40
    changed = {"calibration", "thresholds", "thresholds_chosen_on", "validation", "notes"}
    assert after.model_dump(exclude=changed) == before.model_dump(exclude=changed)
    assert ModelInfo.model_validate_json(after.model_dump_json()) == after


def test_a_threshold_chosen_by_hand_is_noted_as_long_as_it_stays() -> None:
    hand = ChosenByHand("s", "val", 20, 30, "2026-02-01", before=0.5)
    bare = ChosenByHand("s", "val", 20, 30, "2026-02-01")
    before = info(
        thresholds=dict.fromkeys(FINDINGS, 0.4),
        notes={"thresholds_by_hand": {"Mass": hand, "Edema": hand, "Nodule": bare}},
    )
    fit = fitted(before)
    noted = adapted_info(before, fit, *ward(), LOCAL).notes.thresholds_by_hand
    assert noted.keys() == {"Edema", "Nodule"} and noted["Nodule"] == bare
    bias = fit.climbed.lines[EDEMA][1]
    assert noted["Edema"].before == pytest.approx(float(expit(logit(np.array(0.5)) + bias)))


def test_local_films_of_one_patient_choose_no_threshold() -> None:
    logits, labels, _ = ward()
    fit = LocalFit.of(info(thresholds=dict.fromkeys(FINDINGS, 0.5)), logits, labels, np.array(["1"] * 80))
    assert fit.findings == () and fit.climbed.rungs[MASS] == "intercept"


def test_isotonic_steps_are_refused() -> None:
    steps = Isotonic(logits=((0.0, 1.0),) * 14, probabilities=((0.1, 0.9),) * 14)
    with pytest.raises(CheckpointError, match="isotonic calibrator has steps"):
        fitted(info(calibration=steps))
