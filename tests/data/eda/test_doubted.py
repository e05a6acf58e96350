"""Labels in doubt on Explore: the order of films, and what is said of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from xlite.data.eda import captions, ranking
from xlite.data.eda.coded import CodedFilms
from xlite.data.eda.doubted import Doubted
from xlite.data.folder import NihFolder
from xlite.data.joined import JoinedFolder
from xlite.findings import FINDINGS

ROWS = """Image Index,Patient ID,Rank,Finding,Label,Probability,Score,Rank in Finding
3_1.png,3,1,Mass,yes,0.02,0.02,1
1_2.png,1,2,Edema,no,0.9,0.1,1
3_1.png,3,3,Nodule,yes,0.1,0.1,1
1_0.png,1,4,Edema,yes,0.1,0.1,2
"""
EVERYTHING = np.arange(8)


@pytest.fixture
def doubted(hand: NihFolder, coded: CodedFilms) -> CodedFilms:
    (hand.root / "doubts.csv").write_text(ROWS)
    return replace(coded, doubted=Doubted.of(hand))


def test_films_come_by_their_first_label_in_doubt_and_the_others_last(doubted: CodedFilms) -> None:
    by = ranking.values(doubted, EVERYTHING, "doubt", None, "Mass")
    assert by is not None
    # 1_0 is not labelled with an Edema any more, so that there is nothing to doubt.
    assert ranking.ordered(EVERYTHING, by, "doubt").tolist() == [5, 2, 0, 1, 3, 4, 6, 7]
    assert captions.doubts_sentence(doubted, EVERYTHING).startswith(
        "2 of these 8 films have labels in doubt, the most doubtful first."
    )


def test_both_directions_are_said_of_a_film(doubted: CodedFilms) -> None:
    assert (
        captions.said_of_doubts(doubted, 5)
        == "Mass labelled yes, 2.0% likely; Nodule labelled yes, 10.0% likely"
    )
    assert captions.said_of_doubts(doubted, 2) == "Edema labelled no, 90.0% likely"
    assert captions.said_of_doubts(doubted, 0) == ""
    facts = captions.film_facts(doubted, 2, doubted.table.iloc[:0].assign(finding=""))
    assert "In doubt: Edema labelled no, 90.0% likely" in facts


def test_without_a_list_it_is_said_how_to_make_one(hand: NihFolder, coded: CodedFilms) -> None:
    assert Doubted.of(hand) is None and ranking.values(coded, EVERYTHING, "doubt", None, "Mass") is None
    assert "`xlite data doubts DATA --model MODEL`" in captions.doubts_sentence(coded, EVERYTHING)
    assert captions.said_of_doubts(coded, 0) == ""


def test_a_list_that_is_none_is_a_fault_and_no_end(hand: NihFolder, tmp_path: Path) -> None:
    (hand.root / "doubts.csv").write_text("Image Index\n1_0.png\n")
    found = Doubted.of(hand)
    assert found is not None and "lacks the column 'Rank'" in str(found.fault) and np.isnan(found.ranks).all()


def test_of_several_folders_each_ones_list_counts(joined: JoinedFolder) -> None:
    assert Doubted.of(joined) is None
    hand, other = joined.parts
    (other.root / "doubts.csv").write_text(ROWS)
    found = Doubted.of(joined)
    assert found is not None and np.isnan(found.ranks[:8]).all()
    np.testing.assert_array_equal(found.ranks[8:], [np.nan, np.nan, 1, np.nan, np.nan, 0, np.nan, np.nan])
    assert found.probs[13, FINDINGS.index("Mass")] == 0.02 and found.fault is None
    (hand.root / "doubts.csv").write_text("Image Index\n")
    found = Doubted.of(joined)
    assert found is not None and "hand" in str(found.fault) and found.ranks[13] == 0
