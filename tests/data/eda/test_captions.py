"""Texts of the Explore page."""

import numpy as np

from xlite.data.eda import captions
from xlite.data.eda.overview import overview
from xlite.data.folder import NihFolder
from xlite.findings import FINDINGS


def test_headline_of_the_hand_made_table(hand: NihFolder):
    assert captions.headline(overview(hand.table).facts) == {
        "Films": "8",
        "Patients": "5",
        "Without finding": "50.0%",
        "Several findings": "25.0%",
    }
    assert "2 patients" in captions.patients_caption(overview(hand.table).facts)
    assert "62.5%" in captions.patients_caption(overview(hand.table).facts)


def test_prevalence_by_view_sex_and_age(hand: NihFolder):
    table = captions.prevalence_table(overview(hand.table))
    assert list(table.columns) == ["AP", "PA", "F", "M", "under 18", "18 to 60", "over 60", "unknown"]
    assert table.loc["Films"].tolist() == ["4", "4", "4", "4", "1", "5", "1", "1"]
    assert table.loc["Mass"].tolist()[:2] == ["50.00%", "25.00%"] and len(table) == 2 + len(FINDINGS)


def test_a_film_is_captioned_with_what_the_table_says(hand: NihFolder):
    film = hand.table.iloc[0]
    assert captions.film_caption(film) == "**Mass, Nodule**  \nPA, M, 17 y  \n1_0"
    unknown = hand.table.iloc[2].copy()
    unknown["age"] = np.nan
    assert captions.film_caption(unknown) == "**No finding**  \nAP, M, age unknown  \n1_2"
    assert captions.gallery_title(("Pleural_Thickening", "Mass")) == "Films with pleural thickening and mass"
