"""Radiologists' labels beside NIH's: counted by hand on a small table, and the facts of the real one."""

from pathlib import Path

import numpy as np
import pytest
from demo_home import drawn_films
from sklearn.metrics import precision_score, recall_score, roc_auc_score

from xlite.data.tables import read_table
from xlite.errors import DataError
from xlite.evaluation.films import Films
from xlite.evaluation.radiologists import SHARED, beside_radiologists, read_radiologists
from xlite.findings import FINDINGS
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.calibration import logit
from xlite.metrics.intervals import percentile
from xlite.metrics.significance import Look, shared

HEADER = "Image Index,Finding Labels,Fracture,Pneumothorax,Airspace opacity,Nodule or mass"


def write(path: Path, names: list[str], marks: np.ndarray) -> Path:
    words = np.where(marks, "YES", "NO")
    rows = [f"{name},No Finding,{','.join(row)}" for name, row in zip(names, words, strict=True)]
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def test_the_labels_are_compared_on_the_films_both_have(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    films = drawn_films(rng)
    marks = rng.random((120, 4)) < 0.4
    path = write(tmp_path / "g.csv", [*films.names[:119], "elsewhere.png"], marks)
    found = beside_radiologists(films, read_radiologists(path), Resamples(films.patients, 50))
    assert (found.images, found.patients) == (119, 60)
    clear = ~films.labels[:119].astype(bool).any(axis=1)
    assert found.missed_by_no_finding == pytest.approx(marks[:119][clear].any(axis=1).mean())
    for column, (name, nih) in zip((1, 3, 2), SHARED.items(), strict=True):
        marked, one = marks[:119, column], found.findings[name]
        places = [FINDINGS.index(finding) for finding in nih]
        said = films.labels[:119, places].max(axis=1)
        scores = films.probs[:119, places].max(axis=1)
        assert one.nih == nih
        assert (one.positives, one.nih_positives) == (marked.sum(), said.sum())
        assert one.nih_ppv == pytest.approx(precision_score(marked, said))
        assert one.nih_sensitivity == pytest.approx(recall_score(marked, said))
        assert one.auc.value == pytest.approx(roc_auc_score(marked, scores))
        assert one.nih_auc.value == pytest.approx(roc_auc_score(said, scores))
        gap = one.difference
        assert gap.value == pytest.approx(one.auc.value - one.nih_auc.value)
        assert gap.low < gap.value < gap.high


def test_a_difference_of_few_patients_has_the_interval_that_the_rules_of_k_give(tmp_path: Path) -> None:
    """Resamples of 8 patients vary too little: their percentiles alone are too narrow."""
    films = drawn_films(np.random.default_rng(0), count=120)
    place = FINDINGS.index("Pneumothorax")
    owner = np.unique(films.patients, return_inverse=True)[1]
    for marked, given in ((8, True), (4, False)):
        marks = np.zeros((120, 4), bool)
        marks[:, 1] = owner < marked
        read = read_radiologists(write(tmp_path / "g.csv", films.names, marks))
        found = beside_radiologists(films, read, Resamples(films.patients, 200)).findings["Pneumothorax"]
        both = np.stack([marks[:, 1], films.labels[:, place]], axis=1)
        scores = films.probs[:, [place, place]]
        drawn_gap = np.subtract(*Resamples(films.patients, 200).auc(both, scores).T)
        assert (found.difference.low is not None) == given
        if given:
            [expected] = shared([Look(found.auc.value - found.nih_auc.value, drawn_gap, np.array([8]))])
            assert found.difference == expected.difference
            ends = found.difference.low, found.difference.high
            low, high = percentile(drawn_gap)
            assert ends[0] < low and high < ends[1]


def test_a_wrong_table_is_one_sentence(tmp_path: Path) -> None:
    films = drawn_films(np.random.default_rng(0))
    with pytest.raises(DataError, match="there is no file .*none.csv"):
        read_radiologists(tmp_path / "none.csv")
    (tmp_path / "a.csv").write_text("Image Index,Fracture\na.png,NO\n")
    with pytest.raises(DataError, match="lacks the column 'Pneumothorax'; Google's table has"):
        read_radiologists(tmp_path / "a.csv")
    path = write(tmp_path / "b.csv", ["a.png"], np.ones((1, 4), bool))
    with pytest.raises(DataError, match="the radiologists read none of these films"):
        beside_radiologists(films, read_radiologists(path), Resamples(films.patients, 2))
    path.write_text(path.read_text().replace("YES", "MAYBE"))
    with pytest.raises(DataError, match="has marks other than YES and NO"):
        read_radiologists(path)
    for names, first in ((["a.png", "b.png", "a.png"], "'a.png', line 4"), (["a.png", ""], "'', line 3")):
        twice = write(tmp_path / "c.csv", names, np.ones((len(names), 4), bool))
        with pytest.raises(DataError, match=f"names a film twice or not at all .{first}"):
            read_radiologists(twice)


@pytest.mark.slow
def test_the_published_facts_on_nihs_labels(shared_data: Path) -> None:
    tables = shared_data / "nih_tables"
    marks = read_radiologists(tables / "google2019_nih-chest-xray-labels.csv.gz")
    table = read_table(tables / "Data_Entry_2017_v2020.csv.gz").set_index("stem", drop=False).loc[marks.index]
    probs = table[list(FINDINGS)].to_numpy(float)
    films = Films(table, table["image"].tolist(), logit(probs), probs)
    found = beside_radiologists(films, marks, Resamples(films.patients, 2))
    assert found.images == 4376
    assert found.findings["Pneumothorax"].nih_ppv == pytest.approx(0.46, abs=0.005)
    assert found.missed_by_no_finding == pytest.approx(0.36, abs=0.005)
    assert found.findings["Pneumothorax"].nih_auc.value == 1
