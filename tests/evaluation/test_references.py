"""Published results: comparable only on exactly the same films."""

from pathlib import Path

import numpy as np
import pytest

from xlite.data.tables import read_list
from xlite.evaluation.references import TEST_LISTS, films_digest, published_references
from xlite.findings import FINDINGS


@pytest.mark.slow
def test_the_known_test_lists_are_told_by_their_films(shared_data: Path) -> None:
    tables = shared_data / "nih_tables"
    lists = {"official": "test_list.txt", "chexnet": "chexnet_test_list.txt"}
    assert {films_digest(read_list(tables / file)): name for name, file in lists.items()} == TEST_LISTS


def test_results_on_the_same_films_are_comparable_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    stems = ["00000002_000", "00000001_000"]
    assert not any(one.comparable for one in published_references(stems))
    monkeypatch.setitem(TEST_LISTS, films_digest(stems[::-1]), "chexnet")
    found = published_references(stems)
    assert {one.films for one in found} == {"official", "chexnet", "random"}
    assert [one.name for one in found if one.comparable] == [
        one.name for one in found if one.films == "chexnet"
    ]


def test_beside_drawn_films_no_published_result_stands() -> None:
    assert published_references(["00000002_000"], drawn=True) == ()


def test_a_result_is_the_mean_of_its_findings_unless_another_is_published() -> None:
    found = {one.name: one for one in published_references([])}
    light, large = found["CheXNet"], found["DenseNet-121, 448 px"]
    assert (light.auc, list(light.per_class)) == (0.841, list(FINDINGS))
    assert light.per_class["Hernia"] == 0.9164
    assert large.auc == pytest.approx(np.mean(list(large.per_class.values())), abs=1e-4)
    assert found["EVA-X-B, 86 M"].per_class is None
