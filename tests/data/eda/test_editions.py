"""Two editions of a table beside each other."""

import json

import pytest
from noise_folder import HEADER_2020

from xlite.data.eda.editions import compare_editions, other_edition
from xlite.data.eda.sections.editions import editions
from xlite.data.eda.survey import survey
from xlite.data.folder import NihFolder
from xlite.errors import DataError

pytestmark = pytest.mark.slow


def test_editions_are_compared_film_by_film(hand: NihFolder):
    text = (hand.root / "Data_Entry_2017_v2020.csv").read_text()
    text = text.replace("1_0.png,Mass|Nodule,0,1,17,", "1_0.png,Nodule|Hernia,0,1,18,")
    other = hand.root / "Data_Entry_2017.csv"
    lines = [*text.splitlines()[:-1], "10_0.png,Mass,0,10,50,M,PA,64,64,0.1,0.1"]
    other.write_text("".join(f"{line},\n" for line in lines))  # the 2017 edition ends in an empty column
    assert other_edition(hand.root) == other
    found = compare_editions(hand.table, other)
    assert (found.films, found.here, found.there, found.label_sets) == (7, 1, 1, 1)
    assert found.findings.loc["Mass"].tolist() == [3, 2, 1, 0, 0]
    assert found.findings.loc["Hernia"].tolist() == [0, 1, 0, 1, 0]
    assert found.findings.loc["Nodule"].tolist() == [2, 2, 0, 0, 0]
    assert found.details == {"patient": 0, "follow_up": 0, "age": 1, "sex": 0, "view": 0}
    found = survey(hand)
    assert "table (2020) beside `Data_Entry_2017.csv` (2017): 7 films\nare in both" in editions(found)
    assert found.as_dict()["difference"]["findings"]["Mass"]["only_here"] == 1
    json.dumps(found.as_dict(), allow_nan=False)
    other.write_text((hand.root / "Data_Entry_2017_v2020.csv").read_text())
    said = editions(survey(hand))
    assert "beside `Data_Entry_2017.csv` (unknown): 8 films" in said
    assert "| finding | 2020 | there | only here | only there |" in said
    (hand.root / "Data_Entry_2017_v2020.csv").unlink()
    alone = survey(NihFolder.open(hand.root))
    assert alone.label_version == "unknown"
    assert editions(alone).startswith(
        "## Label editions\n\nOne table of an unknown edition is here. `--other"
    )
    other.write_text(HEADER_2020 + "\n10_0.png,Mass,0,10,50,M,PA,64,64,0.1,0.1\n")
    with pytest.raises(DataError, match="no film in common"):
        compare_editions(hand.table, other)
