"""What a verdict is worth, in words: one set of sentences for JSON, pages and demo."""

from dataclasses import replace

import pytest
from verdicts import PATIENTS, record

from xlite.metrics.estimate import Estimate
from xlite.metrics.thresholds import ValidationPatients
from xlite.metrics.triage import NotSureZone
from xlite.metrics.worth import Worth
from xlite.report.worth import (
    TABLE_NOTE,
    rank_sentence,
    records_sentence,
    records_table,
    threshold_sentence,
    worth_json,
    worth_sentences,
    worth_table,
    zone_sentence,
)

WORTH = Worth("Effusion", 0.25, 0.31, patients=PATIENTS, record=record(), calibrated=True)
SAYS = [
    "Below the model's threshold of 31.0%, which found 6% of 18 validation films with it (17 patients, 95 % "
    "interval <1% to 27%) and rightly did not call 93% of 112 without it (90 patients, 95 % interval 86% to "
    "97%): it rules nothing out.",
    "Not sure: below the cut-off of 40.00%, and no lower one can be certified: 17 validation patients with "
    "it, 29 needed.",
    "Higher than 24% of the 112 validation films without Effusion, and than none of the 18 validation films "
    "with Effusion.",
]


def test_a_threshold_of_poor_sensitivity_says_so() -> None:
    assert worth_sentences(WORTH) == SAYS
    assert worth_json([WORTH]) == {"Effusion": WORTH.facts() | {"says": SAYS}}


def test_an_old_file_says_what_it_knows() -> None:
    one = Worth("Mass", 0.5, 0.4, patients=ValidationPatients(25, 80), calibrated=True)
    assert worth_sentences(one) == ["Above the model's threshold of 40.0% (25 validation patients)."]
    assert threshold_sentence(replace(one, patients=None)) == "above the model's threshold of 40.0%"
    withheld = replace(one, threshold=None, withheld=True, patients=ValidationPatients(3, 80))
    assert threshold_sentence(withheld) == "no threshold: 3 validation patients"
    assert threshold_sentence(replace(withheld, patients=None)) == "no threshold"
    bare = Worth("Mass", 0.5, None)
    assert worth_sentences(bare) == ["Not calibrated: the probability is a score that ranks films."]


def test_an_ensemble_says_how_far_its_members_lie_apart() -> None:
    said = "Members of the ensemble disagree by 4.3% (standard deviation)."
    assert worth_sentences(replace(WORTH, disagreement=0.0426)) == [*SAYS, said]
    alone, table = worth_table([WORTH]), worth_table([replace(WORTH, disagreement=0.0426)])
    assert table.header == [*alone.header[:-1], "Members differ by", "Remarks"]
    assert table.rows == [[*alone.rows[0][:-1], "4.3%", alone.rows[0][-1]]]
    assert (alone.words, table.words) == ((2, 6, 8), (2, 6, 9))


def test_a_mean_that_nothing_was_fitted_to_says_so_once() -> None:
    flipped = Worth("Mass", 0.5, None, averaged="mirror_image", calibrated=True)
    why = (
        "Without thresholds, rates and cut-offs: those of the model are of single readings, and this is the "
        "mean of two, of the film and of its mirror image."
    )
    assert worth_sentences(flipped) == [why]
    assert worth_sentences(replace(flipped, calibrated=False)) == [
        why,
        "Not calibrated: the probability is a score that ranks films.",
    ]
    members = replace(flipped, averaged="members", calibrated=False, disagreement=0.02)
    assert worth_sentences(members) == [
        "Not calibrated, and without thresholds, rates and cut-offs: those of its members were fitted to "
        "their own answers, and this is the mean of these.",
        "Members of the ensemble disagree by 2.0% (standard deviation).",
    ]
    assert worth_table([flipped]).rows[0][-1] == "a mean of readings"
    assert worth_table([members]).rows[0][-1] == "a mean of readings, not calibrated"


def test_threshold_and_cut_off_on_two_sides_say_what_holds() -> None:
    high = replace(WORTH, probability=0.45, threshold=0.5)
    assert high.zone == "high" and worth_sentences(high)[1] == (
        "At or above the cut-off of 40.00%: at most 5% of patients without it have a film without it there "
        "(95 % confidence, 90 validation patients without it); it is not called all the same, as another "
        "rule chose the threshold, which alone says so."
    )
    low = replace(high, probability=0.02, threshold=0.01, record=record(zone=NotSureZone(low=0.03, high=0.4)))
    assert low.zone == "low" and "; it is called all the same, as another" in worth_sentences(low)[1]
    assert worth_table([low]).rows[0][-1].endswith("the threshold alone calls")
    assert "all the same" not in " ".join(worth_sentences(replace(high, probability=0.6)))


def test_what_is_nearly_all_or_none_is_not_rounded_to_it() -> None:
    rate = Estimate(421 / 422, 0.987, 0.99994)
    one = replace(WORTH, probability=0.99996, threshold=0.9997, record=record(specificity=rate))
    said = worth_sentences(one)[0]
    assert "above the model's threshold of >99.9%" in said.lower()
    assert "rightly did not call >99% of 112 without it (90 patients, 95 % interval 99% to >99%)" in said
    assert worth_table([one]).rows[0][1:5] == [">99.9%", "above >99.9%", "6% (<1–27)", ">99% (99–>99)"]


def test_what_else_limits_a_threshold() -> None:
    above = replace(WORTH, probability=0.5)
    assert (threshold_sentence(above) or "").endswith("86% to 97%): it says little")
    few = replace(WORTH, patients=ValidationPatients(9, 90))
    assert (threshold_sentence(few) or "").endswith(
        ": it rules nothing out; too few patients chose it to rely on it"
    )


@pytest.mark.parametrize(
    ("low", "high", "p", "said"),
    [
        (
            0.021, 0.4, 0.01,
            "below the cut-off of 2.10%: at most 10% of patients with it have a film with it there (95 % "
            "confidence, 17 validation patients with it)",
        ),
        (
            0.021, 0.4, 0.4,
            "at or above the cut-off of 40.00%: at most 5% of patients without it have a film without it "
            "there (95 % confidence, 90 validation patients without it)",
        ),
        (0.021, 0.4, 0.1, "not sure: between the cut-offs of 2.10% and 40.00%"),
        (
            0.021, None, 0.1,
            "not sure: not below the cut-off of 2.10%, and no higher one can be certified: 90 validation "
            "patients without it, too many of them at 100%",
        ),
        (
            None, None, 0.1,
            'no "not sure" zone can be certified: 17 validation patients with it, 29 needed; 90 validation '
            "patients without it, too many of them at 100%",
        ),
    ],
)  # fmt: skip
def test_a_zone_in_words(low: float | None, high: float | None, p: float, said: str) -> None:
    one = replace(WORTH, probability=p, record=record(zone=NotSureZone(low=low, high=high)))
    assert zone_sentence(one) == said
    void = "no guarantee holds: the film is not as the validation films were"
    assert zone_sentence(replace(one, void=True)) == void


def test_a_rank_in_words() -> None:
    assert rank_sentence(replace(WORTH, probability=1.0)) == (
        "higher than 99% of the 112 validation films without Effusion, and than all of the 18 validation "
        "films with Effusion"
    )
    low = rank_sentence(replace(WORTH, probability=0.0)) or ""
    assert low.startswith(
        "higher than at most 1% of the 112 validation films without Effusion, and than none"
    )
    lone = replace(
        WORTH,
        record=record(positive_films=0, sensitivity=None, ranks_with=(), patients=ValidationPatients(0, 90)),
    )
    assert rank_sentence(lone) == "higher than 24% of the 112 validation films without Effusion"


def test_a_row_of_the_table() -> None:
    table = worth_table([WORTH, Worth("Pleural_Thickening", 0.5, None)])
    assert list(zip(table.header, *table.texts, strict=True)) == [
        ("Finding", "Effusion", "Pleural thickening"),
        ("Probability", "25.0%", "50.0%"),
        ("Threshold", "below 31.0%", "none"),
        ("Sensitivity", "6% (<1–27)", ""),
        ("Specificity", "93% (86–97)", ""),
        ("Patients with it", "17", ""),
        ("Zone", "not sure", ""),
        ("Higher than", "24% and 0%", ""),
        ("Remarks", "rules nothing out", "not calibrated"),
    ]
    assert table.caption == TABLE_NOTE


def test_a_mere_score_without_a_threshold_has_no_zone_that_looks_like_a_verdict() -> None:
    sure = replace(WORTH, record=record(zone=NotSureZone(low=0.1, high=0.4)))
    score = replace(sure, threshold=None, calibrated=False)
    for p, told, untold in ((0.05, "below", ""), (0.2, "not sure", "not sure"), (0.5, "above", "")):
        rows = worth_table([replace(one, probability=p) for one in (sure, score)]).rows
        assert [row[6] for row in rows] == [told, untold]


def test_what_is_logged_and_what_the_card_says() -> None:
    bare = record(sensitivity=None, specificity=None, zone=NotSureZone(low=None, high=None))
    records = {"Effusion": record(zone=NotSureZone(low=0.0213, high=0.4)), "Hernia": bare}
    assert records_sentence(records) == (
        "thresholds found Effusion 6% of 18 films; a low cut-off is certified for Effusion; a high one for "
        "Effusion"
    )
    assert records_sentence({"Hernia": bare}) == (
        "there are no thresholds; a low cut-off is certified for none; a high one for none"
    )
    counts = ["18 films of 17 patients", "112 films of 90 patients"]
    assert records_table(records, {"Effusion": 0.31, "Hernia": None}).texts == [
        ["Effusion", "0.310", counts[0], "6% (<1–27)", counts[1], "93% (86–97)", "0.0213", "0.4000"],
        [
            *("Hernia", "none", counts[0], "", counts[1], ""),
            *(
                "not certified: 17 patients, 29 needed",
                "not certified: 90 patients, too many of them at 100%",
            ),
        ],
    ]
