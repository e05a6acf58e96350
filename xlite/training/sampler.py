"""Which films each step of an epoch trains on."""

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler

from xlite.data.imbalance import epoch_order


class EpochSampler(Sampler[int]):
    """The order of an epoch as a pure function of (seed, epoch): a shuffle, or draws by weight.

    Of `ranks` processes each gets its own part of every batch, so that a step's films do not depend on their
    number. Films that fill no whole batch are left out of an epoch, but where there is only one batch.
    """

    def __init__(
        self,
        films: int,
        batch_size: int,
        seed: int,
        weights: np.ndarray | None = None,
        rank: int = 0,
        ranks: int = 1,
    ):
        self.films, self.seed, self.weights, self.rank, self.ranks = films, seed, weights, rank, ranks
        self.films_a_step = min(batch_size, films) // ranks
        self.steps = max(films // batch_size, 1)
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch whose order the next iteration gives."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.steps * self.films_a_step

    def __iter__(self) -> Iterator[int]:
        return iter(self.batches()[:, self.rank].ravel().tolist())

    def batches(self) -> np.ndarray:
        """Rows of the training films, int (steps, ranks, films a step of one process)."""
        order = epoch_order(self.films, self.seed, self.epoch, self.weights)
        return order[: self.ranks * len(self)].reshape(self.steps, self.ranks, self.films_a_step)
