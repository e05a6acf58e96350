"""The design document's claims, checked on tables made by hand."""

from pathlib import Path

import pytest
from noise_folder import HEADER_2020

from xlite.data.eda.claims import check_claims, class_weights, expected_exposure
from xlite.data.eda.statistics import finding_counts
from xlite.data.folder import NihFolder


def test_expected_exposure_is_what_chance_gives(hand: NihFolder):
    # three films of one patient escape with .3 ** 2 each, two of another with .3, three single ones always
    assert expected_exposure(hand.table) == pytest.approx(1 - (3 * 0.09 + 2 * 0.3 + 3) / 8)


def test_claims_about_the_hand_made_table(hand: NihFolder):
    claims = check_claims(hand.table, None)
    assert [claim.verdict for claim in claims] == ["does not hold"] * 5 + ["cannot be said"]
    assert claims[0].computed == "1.5:1 between findings (Mass 3 : Nodule 2); 2.0:1 with No Finding"
    assert claims[2].computed == "25.00% of the films; 50.00% of those only that have a finding"
    assert class_weights(finding_counts(hand.table)).round(4).to_dict() == {
        "Mass": round(8 / 42, 4),
        "Nodule": round(8 / 28, 4),
        "Edema": round(8 / 28, 4),
    }


def test_a_claim_holds_if_the_table_agrees(tmp_path: Path):
    """12 of 20 films without finding, 8 with two: the second and third claims hold, no patient is shared."""
    rows = [
        f"{n}_0.png,{'Mass|Nodule' if n < 8 else 'No Finding'},0,{n},50,F,PA,64,64,.1,.1" for n in range(20)
    ]
    (tmp_path / "Data_Entry_2017_v2020.csv").write_text("\n".join([HEADER_2020, *rows]) + "\n")
    claims = check_claims(NihFolder.open(tmp_path).table, 0.0)
    assert [claim.verdict for claim in claims] == [
        "does not hold",
        "holds",
        "holds",
        "holds",
        "does not hold",
        "holds",
    ]
