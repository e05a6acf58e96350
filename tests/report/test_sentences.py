"""Facts about a whole report in words."""

import numpy as np
import pytest
from demo_home import SPLIT, drawn_report

from xlite.evaluation.contamination.caveats import Caveat, ChosenOn, Said, TeacherKnows
from xlite.evaluation.contamination.source_facts import TeacherSaid
from xlite.evaluation.report import Comparison, Contamination, Reference, Report
from xlite.evaluation.subgroups_report import Gap, Subgroups
from xlite.evaluation.validation_report import Validation
from xlite.metrics.calibration import Platt
from xlite.metrics.estimate import Estimate
from xlite.models.info import Pooled
from xlite.report import sentences as words
from xlite.report.means import mean_of

TAUGHT = TeacherKnows(teachers=(TeacherSaid(text="it knows"),), known=7)


def contaminated(films: int, *reasons: Caveat) -> Report:
    report, _ = drawn_report()
    return report.model_copy(update={"contamination": Contamination(films=films, of=200, reasons=reasons)})


@pytest.mark.slow
def test_a_source_names_split_films_labels_and_seeds() -> None:
    report, _ = drawn_report(training_seed=7)
    assert words.source(report) == (
        f"split {SPLIT}, test part: 200 films of 100 patients, 2020 labels; trained with seed 7; 95 % "
        "intervals from 20 resamples of patients, seed 0"
    )
    assert words.source_lines(report) == (
        f"split {SPLIT}, test part",
        "200 films of 100 patients, 2020 labels",
        "trained with seed 7",
        "95 % intervals from 20 resamples of patients, seed 0",
    )
    assert "trained" not in words.source(report.model_copy(update={"training_seed": None}))
    assert mean_of(report) == "mean of 13"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reasons", "who"),
    [
        ([TAUGHT], "its teacher"),
        ([Said(text="old words", known=7, by_teacher=True)], "its teacher"),
        ([TAUGHT, ChosenOn(known=7)], "the model or its teacher"),
        ([Said(text="old words", known=7)], "the model or its teacher"),
    ],
)
def test_known_films_are_counted_with_who_knows_them(reasons: list[Caveat], who: str) -> None:
    report = contaminated(7, *reasons)
    assert words.known_films(report) == f"7 of 200 test films are known to {who}"
    assert words.contaminated_films(7, 200) == "Contaminated: 7 of 200 films"


@pytest.mark.slow
def test_clean_films_have_a_mean_or_a_reason_to_have_none() -> None:
    whole, _ = drawn_report()
    assert words.clean(whole) == words.known_films(whole) == ""
    assert words.clean(contaminated(200, TAUGHT)).endswith("none is left")
    assert words.clean(contaminated(7, TAUGHT)) == (
        "There are no metrics on clean films alone: without a list of its teacher's training films it cannot "
        "be told which those are"
    )
    metrics = Contamination(films=0, of=200, reasons=(), clean=whole)
    assert words.clean(whole.model_copy(update={"contamination": metrics})) == (
        f"On the 200 clean films, of 100 patients new to what the model learned from, the mean AUC is "
        f"{whole.macro.auc}, mean of 13"
    )


@pytest.mark.parametrize(
    ("validation", "text"),
    [
        (Validation(films=20, split_id="own"), "the 20 films of the val part of split own"),
        (Validation(films=200, file="val.csv"), "the 200 films of val.csv"),
        (
            Validation(absent="no_split", split_id="own"),
            "this folder does not have the model's split, own",
        ),
        (Validation(absent="no_part", split_id="own"), "the model's split, own, has no validation part"),
        (Validation(absent="same_films", split_id="own"), "these are the validation films themselves"),
        (
            Validation(absent="not_here", split_id="own", here=1, expected=1200),
            "only 1 of the 1,200 films of the val part of split own is here",
        ),
        (Validation(absent="not_given"), "no validation predictions were given"),
        (Validation.model_validate({"films": 3, "note": "in old words"}), "in old words"),
    ],
)
def test_validation_films_are_named_or_missed(validation: Validation, text: str) -> None:
    assert words.validation_note(validation) == text


@pytest.mark.parametrize(
    ("films", "comparable", "text"),
    [
        ("official", True, "measured on NIH's official test list, as here"),
        ("chexnet", False, "measured on the chexnet 70/10/20 test list, and these are other films"),
        ("random", False, "measured on a random patient split of their own, and these are other films"),
    ],
)
def test_a_reference_says_what_it_was_measured_on(films: str, comparable: bool, text: str) -> None:
    one = Reference(name="x", auc=0.8, per_class=None, comparable=comparable, films=films)
    assert words.reference_reason(one) == text
    assert words.reference_reason(one.model_copy(update={"reason": "old words"})) == "old words"


def gap(**changes: object) -> Gap:
    facts: dict[str, object] = {
        "between": ("AP", "PA"), "finding": None, "findings": 12, "values": (0.7, 0.8),
        "difference": Estimate(-0.1, -0.15, -0.05), "larger_than_noise": True,
    }  # fmt: skip
    return Gap.model_validate(facts | changes)


def test_a_gap_is_told_from_the_higher_side() -> None:
    assert words.gap_sentence("view", gap()) == (
        "The mean AUC of 12 findings is higher on films in view PA (0.800) than in view AP (0.700): "
        "difference 0.100 (0.050–0.150)."
    )
    other = gap(
        between=("F", "M"),
        finding="Pleural_Thickening",
        values=(0.8, 0.7),
        difference=Estimate(0.1, 0.05, 0.15),
    )
    assert words.gap_sentence("sex", other) == (
        "The AUC of Pleural thickening is higher on films of sex F (0.800) than of sex M (0.700): difference "
        "0.100 (0.050–0.150)."
    )
    assert words.gap_sentence("age", gap(larger_than_noise=False)) is None
    one = words.gap_sentence("view", gap(findings=1, p=0.0121))
    assert one is not None and one.startswith("The mean AUC of 1 finding is higher")
    assert one.endswith("difference 0.100 (0.050–0.150), p 0.012.")
    old = gap(values=None, sentence="In old words.")
    assert words.gap_sentence("age", old) == "In old words."
    found = {"age": Subgroups(groups={}, gaps=(gap(larger_than_noise=False), old))}
    assert words.gap_sentences(found) == [(old, "In old words.")]


@pytest.mark.parametrize(
    ("difference", "tie", "verdict"),
    [
        (Estimate(0.02, -0.01, 0.05), True, "a tie, the difference is within the noise"),
        (Estimate(0.02, 0.01, 0.03), False, "higher than b"),
        (Estimate(-0.02, -0.03, -0.01), False, "lower than b"),
    ],
)
def test_a_comparison_names_both_and_a_verdict(difference: Estimate, tie: bool, verdict: str) -> None:
    found = Comparison(
        names=("a", "b"), first=0.75, second=0.7301, difference=difference, p=0.0421, tie=tie, images=1500,
        patients=1,
    )  # fmt: skip
    gap = f"{difference.value:+.4f} ({difference.low:+.4f} to {difference.high:+.4f})"
    assert words.comparison_sentence(found) == (
        "Mean AUC 0.7500 of a against 0.7301 of b, on the 1,500 films of 1 patient that both have: "
        f"difference {gap}, p 0.042: {verdict}"
    )
    assert " of **A** against " in words.comparison_sentence(found, ("**A**", "B"))


def test_a_comparison_says_over_how_many_findings() -> None:
    found = Comparison(
        names=("a", "b"), first=0.75, second=0.73, difference=Estimate(0.02, -0.01, 0.05), p=0.2, tie=True,
        images=30, patients=12, findings=9,
    )  # fmt: skip
    assert "of b, on the 30 films of 12 patients that both have, mean of 9 findings: difference" in (
        words.comparison_sentence(found)
    )
    rough = found.model_copy(update={"findings": 1, "in_every_resample": False})
    assert ", mean of 1 finding: difference" in words.comparison_sentence(rough)
    unclear = "p 0.200: too few patients for a verdict, as no finding is in every resample"
    assert words.comparison_sentence(rough).endswith(unclear)
    assert words.comparison_sentence(rough.model_copy(update={"tie": False, "p": 0.048})).endswith(
        "p 0.048: too few patients for a verdict, as no finding is in every resample"
    )


def looked(looks: int | None, *gaps: Gap, why: str | None = None) -> Subgroups:
    return Subgroups.model_validate({"groups": {}, "gaps": gaps, "looks": looks, "not_compared": why})


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (
            {"view": looked(12, gap(larger_than_noise=False)), "sex": looked(1)},
            "No gap between two groups is larger than the noise of resampling patients. 13 gaps were looked "
            "at; p and intervals hold for all together.",
        ),
        (
            {"view": looked(1, gap(p=0.01)), "sex": looked(0, why="one_group")},
            "1 gap was looked at; p and intervals hold for all together. Not compared: by sex, all films are "
            "in one group.",
        ),
        (
            {
                "view": looked(0, why="few_patients"),
                "sex": looked(0, why="one_group"),
                "age": looked(0, why="few_patients"),
            },
            "Nothing could be compared: by sex, all films are in one group; by view and age, no two groups "
            "have 10 patients with and 10 without a finding.",
        ),
        ({"view": looked(None)}, "Nothing could be compared."),
        ({}, "Nothing could be compared."),
        (
            {"view": looked(None, gap(larger_than_noise=False))},
            "No gap between two groups is larger than the noise of resampling patients.",
        ),
        ({"view": looked(None, gap())}, ""),
    ],
)
def test_how_many_gaps_were_looked_at(found: dict[str, Subgroups], text: str) -> None:
    assert words.looks_sentence(found) == text


def test_several_comparisons_are_several_tests() -> None:
    assert words.comparisons_note(3) == (
        "Each of these 3 comparisons is a test of its own: of equal models one is called higher or lower by "
        "chance in up to 14% of cases."
    )


def test_a_calibrator_says_by_whom_it_was_fitted() -> None:
    patients, pooled = np.arange(300) // 2, Pooled(films=900, patients=700, runs=5)
    some = Platt(scale=(2.0,) * 13 + (1.0,), bias=(0.1,) * 13 + (0.0,))
    every = Platt(scale=(2.0,) * 14, bias=(0.1,) * 14)
    of = "150 validation patients and the 700 patients whom 5 runs left out"
    assert words.calibrator_sentence(every, patients) == "Platt calibrator for 14 of 14 findings"
    assert (
        words.calibrator_sentence(every, patients, pooled)
        == f"Platt calibrator for 14 of 14 findings, by the {of}"
    )
    assert words.calibrator_sentence(some, patients, pooled) == (
        "Platt calibrator for 13 of 14 findings; the others have fewer than 10 patients with it or without "
        f"it among the {of}"
    )
