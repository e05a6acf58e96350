"""Which films each step of an epoch trains on."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

from xlite.data.imbalance import epoch_order


@dataclass(frozen=True)
class Rank:
    """Which of several processes one is: `rank` counts from 0 to `world_size` - 1."""

    rank: int = 0
    world_size: int = 1


ALONE = Rank()


class EpochSampler(Sampler[int]):
    """The order of an epoch as a pure function of (seed, epoch): a shuffle, or draws by weight.

    Each process gets its own share of every batch, so the films of a step do not depend on the number of
    processes. Films that fill no whole batch are left out of an epoch, unless there is only one batch.
    """

    def __init__(
        self,
        films: int,
        batch_size: int,
        seed: int,
        weights: NDArray[np.float64] | None = None,
        process: Rank = ALONE,
    ):
        """For `films` training films, drawn by `weights` (films,) if they are given."""
        self.films, self.seed, self.weights, self.process = films, seed, weights, process
        self.films_a_step = min(batch_size, films) // process.world_size
        self.steps = max(films // batch_size, 1)
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch whose order the next iteration gives."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.steps * self.films_a_step

    def __iter__(self) -> Iterator[int]:
        return iter(self.batches()[:, self.process.rank].ravel().tolist())

    def batches(self) -> NDArray[np.int64]:
        """Rows of the training films: int64 (steps, processes, films a step of one process)."""
        order = epoch_order(self.films, self.seed, self.epoch, self.weights)
        processes = self.process.world_size
        return order[: processes * len(self)].reshape(self.steps, processes, self.films_a_step)
