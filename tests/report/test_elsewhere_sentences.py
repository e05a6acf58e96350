"""What a model's report elsewhere means, in whole sentences."""

from elsewhere_reports import elsewhere, finding, shift

from xlite.evaluation.elsewhere.elsewhere_report import AppearanceShift, Distances, Guarded
from xlite.metrics.estimate import Estimate
from xlite.report.elsewhere_sentences import by_topic, elsewhere_sentences, mix_shares

SIDES = (
    "Here is the model's own test part, 1,000 films of 500 patients (split patient-42-1a2b3c4d, 2020 "
    "labels); there are the films judged, 200 films of 150 patients (split all-42-99999999, labels of an "
    "unknown edition). As they are films of other patients, no test is paired: a difference, there minus "
    "here, has the 95 % interval that follows from those of both sides. Of so many, some lie beyond theirs "
    "by chance."
)
UNLIKE = (
    "In the model's features half of 200 films there are further than 1.23 from those of training, of which "
    "a usual one is about 1 away. Beyond 1.50, as 1% of the model's own 400 validation films, are 40 "
    "(20.0%); beyond 1.95, where the guard warns, 17 (8.5%). These are other films than those that it "
    "learned from."
)
GUARDS = (
    "Of 200 films there, the guards pass 180 (90.0%), warn of 17 (8.5%), would turn or invert 2 (1.0%) and "
    "refuse 1 (0.5%). The metrics are of all of them. Why: This does not look like a chest X-ray (1); The "
    "film looks upside down (2); The film is unlike the films that the model learned from (17)."
)


def test_all_that_is_said_of_a_model_that_is_worse_elsewhere() -> None:
    found = elsewhere()
    assert by_topic(found) == {
        "sides": [SIDES, "Not labelled there: Hernia."],
        "ranking": [
            "The mean AUC of 2 findings is 0.750 (0.700–0.790) there and 0.825 (0.800–0.850) here, a "
            "difference of -0.075 (-0.131 to -0.028): it tells films apart worse there.",
            "AUC there, of 2 findings with an interval: lower for Effusion.",
        ],
        "calibration": [
            "Probabilities there, of 2 findings with a calibration intercept: too high for Effusion. "
            "Calibration and thresholds can be fitted to films from there.",
            "Against the labels they lie higher than here for Effusion.",
        ],
        "calls": [
            "Sensitivity at the model's thresholds there, of 2 findings with an interval: higher for "
            "Effusion.",
            "Specificity at the model's thresholds there, of 2 findings with an interval: lower for "
            "Effusion.",
        ],
        "mix": [
            "The mix of films differs: view (AP: 40% here, 90% there). A difference may be of that, and not "
            "of the hospital.",
            "Not known on both sides: age band.",
        ],
        "guards": [GUARDS],
        "distances": [UNLIKE],
        "appearance": [],
    }
    assert elsewhere_sentences(found) == [text for said in by_topic(found).values() for text in said]


def test_the_models_own_test_films_are_the_reference_if_they_were_at_hand() -> None:
    there = elsewhere().distances
    assert there is not None
    here = there.model_copy(update={"films": 300, "median": 1.011, "unusual": 3, "beyond": 1})
    guards = Guarded(films=300, verdicts={"pass": 299, "caution": 1, "offer": 0, "refuse": 0}, reasons={})
    said = by_topic(elsewhere(guards_here=guards, distances_here=here))
    assert said["guards"] == [GUARDS, "Of 300 films here they pass 299 (99.7%)."]
    assert said["distances"] == [
        UNLIKE,
        "Of 300 films of its own test part half are further than 1.01, beyond 1.50 are 3 (1.0%), beyond 1.95 "
        "1 (0.3%).",
    ]


def test_how_films_look_has_a_reference_if_those_here_were_at_hand() -> None:
    found = elsewhere(
        appearance={"grey": AppearanceShift(there=140.36), "grain": AppearanceShift(there=1.92)}
    )
    medians = "Medians of the films there as the model gets them, of 255 greys: grey 140.4, grain 1.9."
    assert by_topic(found)["appearance"] == [
        medians,
        "Whether that is usual could not be told without the films of its own test part.",
    ]
    grey = AppearanceShift(there=140.36, here=142.8, more=Estimate(0.46, 0.38, 0.54))
    grain = AppearanceShift(there=1.92, here=1.14, more=Estimate(0.88, 0.82, 0.93))
    assert by_topic(elsewhere(appearance={"grey": grey, "grain": grain}))["appearance"] == [
        medians,
        "Here: grey 142.8, grain 1.1. The chance that a film there has more than one here, .5 if they are "
        "alike: grey 0.460 (0.380–0.540), grain 0.880 (0.820–0.930).",
        "Beyond chance: grain. These films are of another exposure, machine or processing, also if the "
        "distance of their features is usual.",
    ]
    alike = elsewhere(appearance={"grey": grey, "grain": grain.model_copy(update={"more": Estimate(0.6)})})
    assert by_topic(alike)["appearance"][-1] == "No difference beyond chance."


def test_a_model_that_is_the_same_elsewhere_is_not_called_worse() -> None:
    rate = Estimate(0.8, 0.7, 0.9)
    found = elsewhere(
        only_here=(),
        per_class={"Mass": finding()},
        mean_findings=("Mass",),
        mean_auc=shift(rate, rate),
        mix={"view": {"AP": (50, 52), "PA": (50, 48)}},
        guards=Guarded(films=100, verdicts={"pass": 100, "caution": 0, "offer": 0, "refuse": 0}, reasons={}),
        distances=Distances(
            films=100, patients=60, median=1.0, limit=1.95, beyond=0, usual=1.5, quantile=0.99,
            usual_films=400, unusual=2,
        ),
    )  # fmt: skip
    assert elsewhere_sentences(found)[1:] == [
        "The mean AUC of 1 finding is 0.800 (0.700–0.900) there and 0.800 (0.700–0.900) here, a difference "
        "of +0.000 (-0.141 to +0.141): no difference beyond chance.",
        "AUC there, of 1 finding with an interval: no difference beyond chance.",
        "Probabilities there, of 1 finding with a calibration intercept: neither too high nor too low beyond "
        "chance.",
        "Sensitivity at the model's thresholds there, of 1 finding with an interval: no difference beyond "
        "chance.",
        "Specificity at the model's thresholds there, of 1 finding with an interval: no difference beyond "
        "chance.",
        "Of 100 films there, spread over all 200, the guards pass 100 (100.0%), warn of 0 (0.0%), would turn "
        "or invert 0 (0.0%) and refuse 0 (0.0%). The metrics are of all of them.",
        "In the model's features half of 100 films there are further than 1.00 from those of training, of "
        "which a usual one is about 1 away. Beyond 1.50, as 1% of the model's own 400 validation films, are "
        "2 (2.0%); beyond 1.95, where the guard warns, 0 (0.0%). That is no more than chance may bring "
        "about: by its features these are films as it learned from.",
    ]


def test_what_cannot_be_told_is_said() -> None:
    here = elsewhere().here
    found = elsewhere(
        here=here.model_copy(update={"contaminated": True}),
        there=here.model_copy(update={"films": 90, "patients": 80, "left_out": 1}),
        same_names=2,
        only_here=(),
        only_there=("Edema",),
        mean_auc=shift(Estimate(0.8, 0.7, 0.9), Estimate(0.7)),
        per_class={"Mass": finding(auc=shift(Estimate(0.8), Estimate(0.7)), threshold=None)},
        mix={},
        distances=None,
    )
    said = by_topic(found)
    assert said["sides"][1:] == [
        "2 films there have the name of one here. If they are the same films, this is not another hospital, "
        "and the sides are not independent.",
        "Here, the model knows some of the films, and which others are new to it cannot be told: no "
        "difference is to be relied on.",
        "There, 1 film of patients that the model knows is left out.",
        "Not labelled here: Edema.",
    ]
    assert said["ranking"] == [
        "The mean AUC of 2 findings is 0.700 there and 0.800 (0.700–0.900) here, a difference of -0.100: "
        "without an interval, which takes 100 patients a side, nobody can tell whether that is chance.",
        "AUC: no finding has patients enough on both sides for an interval.",
    ]
    assert (said["calls"], said["mix"]) == ([], [])
    assert said["distances"] == [
        "How unlike those of training the films there are cannot be told: the model file does not say how "
        "near those are."
    ]
    bare = elsewhere(mean_auc=shift(Estimate(0.8), Estimate(0.7, 0.6, 0.8)))
    assert by_topic(bare)["ranking"][0] == (
        "The mean AUC of 2 findings is 0.700 (0.600–0.800) there and 0.800 here, a difference of -0.100: "
        "without an interval here, as no labels lie beside the model's own report, nobody can tell whether "
        "that is chance."
    )
    nothing = shift(Estimate(None), Estimate(None))
    none = elsewhere(per_class={}, mean_findings=(), mean_auc=nothing)
    assert by_topic(none)["sides"][-1] == (
        "No finding is labelled on both sides, so that nothing is compared."
    )
    assert [by_topic(none)[topic] for topic in ("ranking", "calibration", "calls")] == [[], [], []]
    few = elsewhere(mean_findings=(), mean_auc=nothing)
    assert by_topic(few)["ranking"][0] == (
        "There is no mean AUC to compare: no finding has 10 patients with it and as many without it on both "
        "sides."
    )


def test_shares_are_of_films_whose_group_is_known() -> None:
    assert mix_shares({"AP": (1, 0), "PA": (3, 5)}) == {"AP": (0.25, 0.0), "PA": (0.75, 1.0)}
    assert mix_shares({"AP": (1, 0)}) is None


def test_a_folder_is_called_by_its_name_if_all_of_its_films_were_judged() -> None:
    there = elsewhere().there.model_copy(update={"data": "clinic"})
    said = by_topic(elsewhere(there=there))["sides"][0]
    assert "200 films of 150 patients (all films of clinic (all-42-99999999), labels of an unknown" in said
    assert "1,000 films of 500 patients (split patient-42-1a2b3c4d, 2020 labels)" in said
