"""Which films each step trains on."""

import numpy as np
import pytest

from xlite.training.sampler import EpochSampler, Rank


def test_an_epoch_order_follows_from_seed_and_epoch_alone():
    one, other = EpochSampler(50, 10, seed=3), EpochSampler(50, 10, seed=3)
    list(one)
    for sampler in (one, other):
        sampler.set_epoch(4)
    assert list(one) == list(other) and sorted(one) == list(range(50))
    other.set_epoch(5)
    assert list(one) != list(other)


def test_the_balanced_order_follows_the_weights():
    sampler = EpochSampler(10000, 16, seed=0, weights=np.r_[np.zeros(5000), np.ones(5000)])
    assert min(sampler) >= 5000 and len(list(sampler)) == 10000


@pytest.mark.parametrize("films", [50, 16, 7])
def test_processes_share_every_batch_of_the_one(films):
    alone = EpochSampler(films, 16, seed=3).batches()
    parts = [EpochSampler(films, 16, seed=3, process=Rank(rank, 2)) for rank in (0, 1)]
    shared = [np.reshape(list(part), (part.steps, part.films_a_step)) for part in parts]
    for batch, *of_ranks in zip(alone[:, 0], *shared, strict=True):
        assert np.concatenate(of_ranks).tolist() == batch.tolist()[: films // 2 * 2]
