"""What the training loop and the evaluation read: films from the cache, augmented or not, with their
labels.
"""

import os
import random
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from xlite.data.cache import Progress, cache_folder, open_cache
from xlite.data.folder import NihFolder
from xlite.data.splits import Split
from xlite.errors import DataError
from xlite.images import Preprocess
from xlite.text import are, counted

if TYPE_CHECKING:
    import albumentations

Batch = tuple[torch.Tensor, ...]
"""Films uint8 (B, S, S), labels (B, 14), what predictions files know (B, 14), rows int64 (B,)."""


class FilmRows:
    """Rows of a memory map as a sequence of films, in shape uint8 (N, S, S); none is read before its turn."""

    def __init__(self, array: np.ndarray, rows: np.ndarray):
        self.array, self.rows = array, rows

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, S, S)."""
        return (len(self.rows), *self.array.shape[1:])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at: int | list[int]) -> np.ndarray:
        """One film (S, S), or a copy of several (B, S, S)."""
        return np.asarray(self.array[self.rows[at]])

    def __getstate__(self) -> dict[str, Any]:
        """A loader process that is not forked maps the file itself; pickled, it would get a copy of every
        film.
        """
        name = self.array.filename if isinstance(self.array, np.memmap) else None
        return {"array": self.array if name is None else os.fspath(name), "rows": self.rows}

    def __setstate__(self, state: dict[str, Any]) -> None:
        array = state["array"]
        self.array = np.load(array, mmap_mode="r") if isinstance(array, str) else array
        self.rows = state["rows"]


class FilmDataset(Dataset):
    """Films of one part, each as (film uint8 (S, S), y float32 (14,), soft float32 (14,), i).

    They stay grey bytes until they are where the model is; `model_input` makes of them what it reads.
    films: uint8 (N, S, S), as a rule the FilmRows of `open_films`; labels and soft (what a teacher says,
    NaN where it says nothing): float32 (N, 14). Augmentation is a pure function of (seed, epoch, i): it
    depends neither on workers nor on the order of reading.
    """

    def __init__(
        self,
        films: np.ndarray | FilmRows,
        labels: np.ndarray,
        preprocess: Preprocess,
        augment: "albumentations.Compose | None" = None,
        seed: int = 0,
        soft: np.ndarray | None = None,
    ):
        if films.shape[1:] != (preprocess.size, preprocess.size):
            raise ValueError(f"films are {films.shape[1:]} px; the preprocessing is for {preprocess.size}")
        soft = np.full(labels.shape, np.nan) if soft is None else soft
        if not len(films) == len(labels) == len(soft):
            raise ValueError(
                f"{counted(len(films), 'film')}, {counted(len(labels), 'label')}, "
                f"{counted(len(soft), 'soft label')}; expected as many"
            )
        self.films, self.preprocess = films, preprocess
        self.labels = torch.from_numpy(labels.astype(np.float32))
        self.soft = torch.from_numpy(soft.astype(np.float32))
        self.augment, self.seed, self.epoch = augment, seed, 0

    def __len__(self) -> int:
        return len(self.films)

    def set_epoch(self, epoch: int) -> None:
        """Which epoch's augmentation comes next; call it before the loader is iterated."""
        self.epoch = epoch

    def __getitem__(self, i: int) -> tuple[torch.Tensor, ...]:
        return tuple(part[0] for part in self.__getitems__([i]))

    def __getitems__(self, rows: list[int]) -> Batch:
        """The films of several rows as one batch: (B, S, S), (B, 14), (B, 14), (B,)."""
        films, at = self.films[rows], torch.tensor(rows)
        if self.augment is not None:
            films = np.stack([self._augmented(*pair) for pair in zip(rows, films, strict=True)])
        return torch.from_numpy(films), self.labels[at], self.soft[at], at

    def _augmented(self, i: int, film: np.ndarray) -> np.ndarray:
        key = (self.seed, self.epoch, i)
        # One generator for all steps: by set_random_seed each gets the same draws, and rare steps coincide.
        self.augment.set_random_state(np.random.default_rng(key), random.Random(repr(key)))
        return self.augment(image=film)["image"]


def loader(
    films: FilmDataset,
    batch_size: int,
    order: Iterable[int] | None = None,
    workers: int = 0,
    pin: bool = False,
) -> DataLoader:
    """Batches of a part, read in one go each; in the order of its rows, or of the sampler given.

    Workers are started anew each epoch: persistent ones would keep an epoch's number.
    """
    sampler = range(len(films)) if order is None else order
    return DataLoader(
        films, batch_size, sampler=sampler, num_workers=workers, pin_memory=pin, collate_fn=_as_it_is
    )


def ahead(batches: Iterable[Batch], depth: int = 3) -> Iterator[Batch]:
    """The same batches in the same order, read by a thread up to `depth` of them before their turn."""
    with ThreadPoolExecutor(1) as reader:
        source = iter(batches)
        waiting = deque(reader.submit(next, source, None) for _ in range(depth))
        while (batch := waiting.popleft().result()) is not None:
            waiting.append(reader.submit(next, source, None))
            yield batch


def _as_it_is(batch: Batch) -> Batch:
    return batch


def model_input(films: torch.Tensor, preprocess: Preprocess) -> torch.Tensor:
    """Films (B, S, S) of 0-255, uint8 or float32, to float32 (B, 3, S, S) on whichever device they are.

    On a CPU it is `Preprocess.normalize` bit for bit. The channels lie last in memory.
    """
    unit = films.float() / 255
    channels = [(unit - mean) / std for mean, std in zip(preprocess.mean, preprocess.std, strict=True)]
    return torch.stack(channels, dim=-1).permute(0, 3, 1, 2)


def part_stems(folder: NihFolder, split: Split, part: str, skip_missing: bool = False) -> list[str]:
    """The stems of a part's films that are there, in the split's order.

    Raises DataError where the part is empty, or where films are missing and `skip_missing` is not set.
    """
    stems = split.stems(part)
    there = [stem for stem in stems if stem in folder.paths]
    lacking = len(stems) - len(there)
    if lacking and not skip_missing:
        raise DataError(
            f"{lacking:,} of the {counted(len(stems), 'film')} of the {part} part {are(lacking)} missing in "
            f"{folder.root}; put them there, or go on without them with --skip-missing"
        )
    if not there:
        raise DataError(f"the {part} part of the split {split.name!r} has no films in {folder.root}")
    return there


def open_films(
    folder: NihFolder,
    split: Split,
    part: str,
    preprocess: Preprocess,
    skip_missing: bool = False,
    progress: Progress | None = None,
) -> tuple[FilmRows, np.ndarray, list[str]]:
    """(films, labels, stems) of a part: FilmRows uint8 (N, S, S), float32 (N, 14), N stems, in the split's
    order.

    All parts share the cache of the whole folder. Raises DataError as `part_stems` and `open_cache` do.
    """
    stems = part_stems(folder, split, part, skip_missing)
    films, row_of = folder_films(folder, preprocess, progress)
    return FilmRows(films, np.array([row_of[stem] for stem in stems])), folder.labels(stems), stems


def folder_films(
    folder: NihFolder, preprocess: Preprocess, progress: Progress | None = None
) -> tuple[np.ndarray, dict[str, int]]:
    """All films there are that the table lists: the cache's memory map, uint8 (M, S, S), and stem to row."""
    stems = sorted(stem for stem in folder.table["stem"] if stem in folder.paths)
    paths = [folder.paths[stem] for stem in stems]
    films = open_cache(paths, preprocess, cache_folder(folder.root), progress)
    return films, {stem: row for row, stem in enumerate(stems)}
