"""Texts of the Explore page."""

import dataclasses

import numpy as np

from xlite.data.eda import captions
from xlite.data.eda.coded import CodedFilms
from xlite.data.eda.overview import overview
from xlite.data.eda.ranking import BY_MODEL, ModelProbabilities
from xlite.data.folder import NihFolder
from xlite.findings import FINDINGS
from xlite.messages import literal


def test_headline_of_the_hand_made_table(hand: NihFolder):
    assert captions.headline(overview(hand.table).facts) == {
        "Films": "8",
        "Patients": "5",
        "Without finding": "50.0%",
        "Several findings": "25.0%",
    }
    assert "2 patients" in captions.patients_caption(overview(hand.table).facts)
    assert "62.5%" in captions.patients_caption(overview(hand.table).facts)
    alone = overview(hand.table.drop_duplicates("patient")).facts
    assert captions.patients_caption(alone) == "No patient has more than one film."


def test_prevalence_by_view_sex_and_age(coded: CodedFilms):
    everything = np.ones(len(coded), dtype=bool)
    groups = (coded.views, coded.sexes, coded.age_groups())
    table = captions.prevalence_table([coded.prevalence(everything, one) for one in groups])
    assert list(table.columns) == ["AP", "PA", "F", "M", "under 18", "18 to 60", "over 60", "unknown"]
    assert table.loc["Films"].tolist() == ["4", "4", "4", "4", "1", "5", "1", "1"]
    assert table.loc["Mass"].tolist()[:2] == ["50.00%", "25.00%"] and len(table) == 2 + len(FINDINGS)


def test_a_film_is_captioned_with_what_the_table_says(hand: NihFolder):
    film = hand.table.iloc[0]
    assert captions.film_caption(film) == "**Mass, Nodule**  \nPA, M, 17 y  \n1_0"
    unknown = hand.table.iloc[2].copy()
    unknown["age"] = np.nan
    assert captions.film_caption(unknown) == "**No finding**  \nAP, M, age unknown  \n1_2"
    assert captions.film_alt(film, 2) == "Chest X-ray 1_0, labelled Mass, Nodule, with 2 boxes"
    assert captions.film_alt(hand.table.iloc[2], 0) == "Chest X-ray 1_2, labelled No finding"


def test_the_public_learns_a_folder_s_name_and_not_its_path(hand: NihFolder):
    words = "2020 labels, 8 films in the table"
    assert captions.folder_caption(hand, public=True) == f"hand, {words}"
    assert captions.folder_caption(hand, public=False) == f"{literal(str(hand.root))}, {words}"


def test_a_film_among_its_patient_s(hand: NihFolder, coded: CodedFilms):
    boxes = hand.boxes()
    assert captions.film_facts(coded, 1, boxes[boxes["stem"] == "1_1"]) == [
        "Follow-up 1, film 2 of 3 of the patient",
        "1 box: Mass",
        "In official train+val",
    ]
    alone = dataclasses.replace(coded, parts={"official test": np.zeros(8, dtype=bool)})
    assert captions.film_facts(alone, 3, boxes[:0]) == [
        "Follow-up 0, film 1 of 1 of the patient",
        "In no part of a list or split of this folder",
    ]


def judged() -> ModelProbabilities:
    """0.2 for a mass and 0.1 for the rest on the first film; the others were not judged."""
    probs = np.full((8, 14), np.nan, np.float32)
    probs[0] = 0.1
    probs[0, FINDINGS.index("Mass")] = 0.2
    return ModelProbabilities("demo", probs, ("val", "test"))


def test_what_a_model_said_of_films(coded: CodedFilms):
    one = judged()
    said = [captions.said_of_film(coded, 0, one, order, "Mass") for order in BY_MODEL]
    assert said == ["Mass 20.0%", "Nodule 10.0%, labelled", "loss 0.370"]
    assert captions.said_of_films(coded, np.array([1, 2]), one, "loss", "Mass") == [
        "not judged",
        "not judged",
    ]
    assert captions.said_of_films(coded, np.array([1, 2]), None, "table", "Mass") == []
    assert captions.said_of_films(coded, np.array([1, 2]), None, "doubt", "Mass") == ["", ""]
    assert captions.order_sentence("loss", one, np.arange(3)) == (
        "demo judged 1 of these 3 films (val, test). First comes the highest mean cross entropy over the 14 "
        "findings. The others stand last."
    )
    assert captions.order_sentence("young", one, np.arange(3)) == ""


def test_probabilities_beside_labels(coded: CodedFilms):
    table = captions.probabilities_table(coded, 0, {"demo": judged()})
    assert table is not None and table.columns.tolist() == ["Finding", "Label", "demo"]
    assert table.iloc[0, :2].tolist() == ["Mass", "yes"] and table["demo"].iloc[0] == np.float32(0.2)
    assert captions.probabilities_table(coded, 1, {"demo": judged()}) is None
    assert captions.not_judged(["demo"], one=True) == "demo judged films of this folder, but not this one."
    assert captions.not_judged([]).startswith("No model has been judged on these films. The page Results")


def test_near_duplicates_and_splits_in_words():
    assert captions.duplicates_sentence([]) == "No other film of this patient looks nearly the same."
    assert captions.duplicates_sentence([("1_0", 0.98765)]) == (
        "Nearly the same (correlation of the greys at 32 px): 1_0 (0.988)"
    )
    assert captions.split_sentence({"train": (70, 10), "val": (15, 1)}, "mine") == (
        "The split mine is written: train 70 films of 10 patients; val 15 films of 1 patient. To train on "
        "it, set “Split” to mine."
    )
