"""doubts.csv: read as doubts and as a worklist, and refused if it is none."""

from pathlib import Path

import numpy as np
import pytest

from xlite.data.doubts import of_films, read_doubts
from xlite.data.worklist import read_worklist
from xlite.errors import DataError
from xlite.findings import FINDINGS

HEADER = "Image Index,Patient ID,Rank,Finding,Label,Probability,Score,Rank in Finding"
ROWS = ("b.png,2,2,Mass,no,0.75,0.25,1", "a.png,1,1,Edema,yes,0.01,0.01,1", "a.png,1,3,Mass,yes,0.2,0.2,2")
EDEMA, MASS = FINDINGS.index("Edema"), FINDINGS.index("Mass")


def write(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_doubts_come_by_rank_and_are_a_worklist(tmp_path: Path) -> None:
    path = write(tmp_path / "doubts.csv", *ROWS)
    found = read_doubts(path)
    assert found.to_dict("list") == {
        "stem": ["a", "b", "a"],
        "column": [EDEMA, MASS, MASS],
        "label": [1, 0, 1],
        "probability": [0.01, 0.75, 0.2],
    }
    assert read_worklist(path) == ["a", "b"]


def test_labels_that_were_put_right_or_are_unknown_are_in_no_doubt(tmp_path: Path) -> None:
    doubts = read_doubts(write(tmp_path / "doubts.csv", *ROWS))
    labels = np.zeros((2, 14), np.float32)
    labels[1, EDEMA] = 1
    found = of_films(doubts, ["b", "a"], labels)
    assert found[["row", "column"]].to_numpy().tolist() == [[1, EDEMA], [0, MASS]]
    labels[0, MASS] = np.nan
    assert of_films(doubts, ["b", "a"], labels)["row"].tolist() == [1]
    assert of_films(doubts, ["c"], labels[:1])["row"].tolist() == []


@pytest.mark.parametrize(
    ("header", "row", "said"),
    [
        ("Image Index,Patient ID,Rank", "a,1,1", "lacks the column 'Finding'"),
        (HEADER, "a,1,1,Cough,yes,0.5,0.5,1", "the finding 'Cough'"),
        (HEADER, "a,1,1,Mass,maybe,0.5,0.5,1", "the label 'maybe'; expected one of no, yes"),
        (HEADER, "a,1,1,Mass,yes,1.5,0.5,1", "the probability '1.5'"),
        (HEADER, "a,1,1,Mass,yes,nan,0.5,1", "the probability 'nan'"),
        (HEADER, "a,1,first,Mass,yes,0.5,0.5,1", "the rank 'first'"),
    ],
    ids=["a worklist", "finding", "label", "probability", "no number", "rank"],
)
def test_what_is_no_list_of_doubts_is_refused(tmp_path: Path, header: str, row: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_doubts(write(tmp_path / "doubts.csv", row, header=header))


def test_a_label_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="names Edema of a twice"):
        read_doubts(write(tmp_path / "doubts.csv", ROWS[1], ROWS[1].replace("1,1,Edema", "1,2,Edema")))
