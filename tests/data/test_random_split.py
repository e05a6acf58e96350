"""Films dealt out at random: whole patients or single films, in shares, the same on any machine."""

from collections import Counter

import numpy as np
import pytest

from xlite.data.folder import NihFolder
from xlite.data.random_split import SHARES, deal, split_by_film, split_by_patient
from xlite.errors import DataError


def test_patients_are_dealt_whole_and_in_their_shares(large_table: NihFolder) -> None:
    stems = sorted(large_table.table["stem"])
    parts = split_by_patient(large_table, 1)
    assert sorted(sum(parts, [])) == stems
    owners = [set(large_table.patients(part).tolist()) for part in parts]
    assert sum(map(len, owners)) == large_table.table["patient"].nunique()
    for part, share in zip(parts, SHARES, strict=True):
        assert len(part) / len(stems) == pytest.approx(share, abs=0.01)


@pytest.mark.slow
def test_a_deal_keeps_the_order_of_its_films_and_depends_on_the_seed_alone(large_table: NihFolder) -> None:
    stems = large_table.table["stem"].tolist()[::-1]
    first, second = deal(large_table, stems, (0.5, 0.5), 7)
    assert first == [stem for stem in stems if stem in set(first)]
    assert deal(large_table, stems, (0.5, 0.5), 7) == [first, second]
    assert deal(large_table, stems, (0.5, 0.5), 8) != [first, second]
    counts = [Counter(large_table.finding_counts(part).tolist()) for part in (first, second)]
    assert max(abs(counts[0][number] - counts[1][number]) for number in range(3)) <= 4


def test_single_films_keep_the_share_of_each_number_of_findings(large_table: NihFolder) -> None:
    stems = sorted(large_table.table["stem"])
    parts = split_by_film(large_table, 1)
    assert sorted(sum(parts, [])) == stems and [len(part) for part in parts] == [1400, 300, 300]
    shares = [np.bincount(large_table.finding_counts(part), minlength=3) / len(part) for part in parts]
    np.testing.assert_allclose(shares[1:], [shares[0]] * 2, atol=0.005)
    assert set(large_table.patients(parts[0])) & set(large_table.patients(parts[2]))


def test_too_few_films_to_split_singly_are_counted(tiny_folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xlite.data.random_split._SMALLEST_STRATUM", 30)
    with pytest.raises(DataError, match="30 films.* 24"):
        split_by_film(NihFolder.open(tiny_folder), 1)
