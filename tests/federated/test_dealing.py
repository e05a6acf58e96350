"""Dealing out: patients stay whole, each client is a data folder, and each way does what it says."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from unknown_labels import hide_some

from xlite.data.folder import NihFolder
from xlite.data.split_files import load_split
from xlite.data.splits import PARTS
from xlite.errors import DataError, RunError
from xlite.federated.dealing import Deal, deal_by, deal_out, not_labelled, write_clients
from xlite.findings import FINDINGS

DEALS = [Deal("evenly"), Deal("view"), Deal("prevalence", 0.5)]


@pytest.mark.parametrize("deal", DEALS, ids=[deal.by for deal in DEALS])
def test_no_patient_is_in_two_clients_and_no_film_is_lost(films: Path, deal: Deal):
    folder = NihFolder.open(films)
    split = load_split(folder, "patient")
    dealt = deal_out(folder, split, 3, deal, seed=1)
    assert sorted(stem for mine in dealt for stem in mine) == sorted(folder.table["stem"])
    patients = [set(folder.patients(mine).tolist()) for mine in dealt]
    assert not any(one & other for one, other in combinations(patients, 2))
    for mine in dealt:
        assert len(set(split.stems("train")) & {*mine}) >= 2 and set(split.stems("val")) & {*mine}
    assert deal_out(folder, split, 3, deal, seed=1) == dealt


@pytest.mark.slow
def test_by_view_the_first_client_has_fewest_ap_films(large_table: NihFolder):
    views = np.array(["AP" if number % 3 == 0 else "PA" for number in range(len(large_table.table))])
    large_table.table["view"] = views
    dealt = deal_out(large_table, load_split(large_table, "patient"), 3, Deal("view"), seed=0)
    share = [(large_table.table["view"].to_numpy()[large_table.rows(mine)] == "AP").mean() for mine in dealt]
    assert share == sorted(share) and share[2] - share[0] > 0.25


@pytest.mark.slow
def test_by_prevalence_a_small_alpha_makes_clients_less_alike(large_table: NihFolder):
    split = load_split(large_table, "patient")

    def spread(alpha: float) -> float:
        dealt = deal_out(large_table, split, 3, Deal("prevalence", alpha), seed=3)
        shares = [large_table.labels(mine).mean(0) for mine in dealt]
        return float(np.std(shares, axis=0).mean())

    assert spread(0.3) > 2 * spread(100)


def test_a_client_is_a_data_folder_with_its_part_of_the_split_and_its_unknown_labels(films: Path):
    hide_some(films)
    folder = NihFolder.open(films)
    split = load_split(folder, "patient")
    dealt = deal_out(folder, split, 2, Deal(), seed=1)
    paths = write_clients(folder, split, dealt, films.parent / "clients")
    for mine, path in zip(dealt, paths, strict=True):
        one = NihFolder.open(path)
        assert sorted(one.table["stem"]) == sorted(mine) and not one.missing()
        np.testing.assert_array_equal(one.labels(mine), folder.labels(mine))
        assert np.isnan(one.labels(mine)).any()
        parts = load_split(one, "patient").parts
        assert parts == {
            part: [n for n in split.parts[part] if n in set(folder.names(mine))] for part in PARTS
        }


@pytest.mark.parametrize(
    "clients, share, knowing", [(3, 1.0, 3), (3, 0.67, 2), (3, 0.34, 1), (3, 0.0, 1), (5, 0.6, 3)]
)
def test_each_finding_is_labelled_by_as_many_clients(clients: int, share: float, knowing: int):
    lacking = not_labelled(clients, Deal(labelled=share), seed=4)
    assert len(lacking) == clients
    assert {sum(finding not in one for one in lacking) for finding in FINDINGS} == {knowing}
    assert lacking == not_labelled(clients, Deal(labelled=share), seed=4)
    if knowing < clients:
        assert lacking != not_labelled(clients, Deal(labelled=share), seed=5)


@pytest.mark.parametrize("hides_before", [False, True], ids=["all known", "some unknown"])
def test_a_client_that_does_not_label_a_finding_has_it_unknown_on_all_films(films: Path, hides_before: bool):
    if hides_before:
        hide_some(films)
    folder = NihFolder.open(films)
    split = load_split(folder, "patient")
    dealt = deal_out(folder, split, 2, Deal(), seed=1)
    lacking = [[], ["Effusion", "Pleural_Thickening"]]
    whole, partial = map(NihFolder.open, write_clients(folder, split, dealt, films.parent / "c", lacking))
    np.testing.assert_array_equal(whole.labels(dealt[0]), folder.labels(dealt[0]))
    expected = folder.labels(dealt[1]).astype(np.float32)
    expected[:, [FINDINGS.index(finding) for finding in lacking[1]]] = np.nan
    np.testing.assert_array_equal(partial.labels(dealt[1]), expected)


def test_too_many_clients_and_unknown_ways_are_refused(tiny_folder: Path):
    folder = NihFolder.open(tiny_folder)
    with pytest.raises(
        DataError, match="9 clients cannot be dealt out of .* so that each has films to train"
    ):
        deal_out(folder, load_split(folder, "patient"), 9, Deal(), seed=0)
    with pytest.raises(
        RunError, match="--by is 'age': patients are dealt out evenly, by view or by prevalence"
    ):
        deal_by("age", 0.5)
