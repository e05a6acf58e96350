"""What training and evaluation read: films from the cache, augmented or not, with their labels."""

import os
import random
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from xlite.data.cache import FilmFacts, cache_folder, film_facts, open_cache
from xlite.data.folder import NihFolder
from xlite.data.joined import JoinedFolder
from xlite.data.joined_arrays import JoinedArrays
from xlite.data.part_films import part_stems
from xlite.data.splits import Split
from xlite.errors import RunError, Setting
from xlite.files import Progress
from xlite.images import Preprocess
from xlite.text import counted

if TYPE_CHECKING:
    import albumentations


class FilmBatch(NamedTuple):
    """Films uint8 (B, S, S), labels (B, 14), NaN if unknown, logits of predictions files (B, 14), NaN for
    films they lack, and their rows int64 (B,).
    """

    films: torch.Tensor
    labels: torch.Tensor
    file_logits: torch.Tensor
    rows: torch.Tensor

    def __reduce__(self) -> tuple[Any, ...]:
        """A data-loader worker hands a batch over as bytes: torch would put its tensors into shared memory.

        Containers have 64 MB of that as a rule, and when it is full torch loses a batch and waits for ever.
        """
        return _batch_of, tuple(tensor.numpy() for tensor in self)


def _batch_of(*arrays: np.ndarray) -> FilmBatch:
    """The batch whose tensors these arrays are."""
    return FilmBatch(*map(torch.from_numpy, arrays))


class FilmRows:
    """Some rows of a memory map as a sequence of films, uint8 (N, S, S); each is read only when asked for."""

    def __init__(self, array: "np.ndarray | JoinedArrays", rows: np.ndarray):
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

    def facts(self) -> FilmFacts:
        """What the cache knows of these films."""
        if isinstance(self.array, JoinedArrays):
            return self.array.facts(self.rows)
        return film_facts(self.array, self.rows)

    def __getstate__(self) -> dict[str, Any]:
        """The file's name instead of its films: a data-loader worker that is spawned maps the file itself."""
        name = self.array.filename if isinstance(self.array, np.memmap) else None
        return {"array": self.array if name is None else os.fspath(name), "rows": self.rows}

    def __setstate__(self, state: dict[str, Any]) -> None:
        array = state["array"]
        self.array = np.load(array, mmap_mode="r") if isinstance(array, str) else array
        self.rows = state["rows"]


class FilmDataset(Dataset[FilmBatch]):
    """Films of one part with their labels, and what predictions files of a teacher say of them.

    Films stay grey bytes until they are on the model's device; `model_input` turns them into its input.
    films: uint8 (N, S, S), usually the FilmRows of `open_films`; labels float32 (N, 14), NaN if unknown;
    file_logits: float32 (N, 14) logits of predictions files, NaN for films they lack. Augmentation is a pure
    function of (seed, epoch, i): it depends neither on data-loader workers nor on the order of reading.
    """

    def __init__(
        self,
        films: np.ndarray | FilmRows,
        labels: np.ndarray,
        preprocess: Preprocess,
        augment: "albumentations.Compose | None" = None,
        seed: int = 0,
        file_logits: np.ndarray | None = None,
    ):
        if films.shape[1:] != (preprocess.size, preprocess.size):
            raise ValueError(f"films are {films.shape[1:]} px; the preprocessing is for {preprocess.size}")
        file_logits = np.full(labels.shape, np.nan) if file_logits is None else file_logits
        if not len(films) == len(labels) == len(file_logits):
            raise ValueError(
                f"{counted(len(films), 'film')}, {counted(len(labels), 'label')}, "
                f"{len(file_logits)} with logits of files; expected as many"
            )
        self.films, self.preprocess = films, preprocess
        self.labels = torch.from_numpy(labels.astype(np.float32))
        self.file_logits = torch.from_numpy(file_logits.astype(np.float32))
        self.augment, self.seed, self.epoch = augment, seed, 0

    def __len__(self) -> int:
        return len(self.films)

    def set_epoch(self, epoch: int) -> None:
        """Sets the epoch whose augmentation comes next; call it before the loader is iterated."""
        self.epoch = epoch

    def __getitem__(self, i: int) -> FilmBatch:
        """One film, without the axis of a batch: (S, S), (14,), (14,), ()."""
        return FilmBatch(*(part[0] for part in self.__getitems__([i])))

    def __getitems__(self, rows: list[int]) -> FilmBatch:
        """The films of several rows as one batch."""
        films, at = self.films[rows], torch.tensor(rows)
        if self.augment is not None:
            pairs = zip(rows, films, strict=True)
            films = np.stack([self._augmented(self.augment, *pair) for pair in pairs])
        return FilmBatch(torch.from_numpy(films), self.labels[at], self.file_logits[at], at)

    def _augmented(self, augment: "albumentations.Compose", i: int, image: np.ndarray) -> np.ndarray:
        key = (self.seed, self.epoch, i)
        # One generator for all steps: set_random_seed gives each the same draws, and rare steps coincide.
        augment.set_random_state(np.random.default_rng(key), random.Random(repr(key)))
        augmented: np.ndarray = augment(image=image)["image"]
        return augmented


class _Loader(DataLoader[FilmBatch]):
    def __iter__(self) -> Any:
        """Starts the workers; RunError if that cannot be done."""
        try:
            return super().__iter__()
        except OSError as error:  # of a file system for shared memory that is full, or too many processes
            raise RunError(
                f"the data-loader workers could not be started ({error.strerror}): use ",
                Setting("workers"),
                " 0, which does without",
            ) from error


def killed_worker(error: RuntimeError) -> RunError | None:
    """What to say if a data-loader worker was killed; None if the error is another one."""
    if not str(error).startswith("DataLoader worker"):
        return None
    told = f"a data-loader worker has died, most often for want of memory ({str(error).rstrip('. ')})"
    return RunError(
        f"{told}: use fewer ",
        Setting("workers"),
        " or 0, which does without",
    )


def loader(
    films: FilmDataset,
    batch_size: int,
    order: Iterable[int] | None = None,
    workers: int = 0,
    pin: bool = False,
) -> DataLoader[FilmBatch]:
    """Batches of a part, each read in one go, in the order of its rows or the `order` given.

    Data-loader workers are started anew each epoch: persistent ones would keep the number of the old epoch.
    """
    sampler = range(len(films)) if order is None else order
    return _Loader(
        films, batch_size, sampler=sampler, num_workers=workers, pin_memory=pin, collate_fn=_as_it_is
    )


def ahead(batches: Iterable[FilmBatch], depth: int = 3) -> Iterator[FilmBatch]:
    """The same batches in the same order, read by a thread up to `depth` batches ahead."""
    with ThreadPoolExecutor(1) as reader:
        source = iter(batches)
        waiting: deque[Future[FilmBatch | None]] = deque(
            reader.submit(next, source, None) for _ in range(depth)
        )
        while (batch := waiting.popleft().result()) is not None:
            waiting.append(reader.submit(next, source, None))
            yield batch


def _as_it_is(batch: Any) -> Any:
    """A batch comes whole from FilmDataset.__getitems__, though a data loader expects a list of its films."""
    return batch


def model_input(films: torch.Tensor, preprocess: Preprocess) -> torch.Tensor:
    """Films (B, S, S) of 0-255, uint8 or float32, to float32 (B, 3, S, S) on the same device.

    On a CPU it is `Preprocess.normalize` bit for bit. Memory format: channels last.
    """
    unit = films.float() / 255
    channels = [(unit - mean) / std for mean, std in zip(preprocess.mean, preprocess.std, strict=True)]
    return torch.stack(channels, dim=-1).permute(0, 3, 1, 2)


def open_films(
    folder: NihFolder,
    split: Split,
    part: str,
    preprocess: Preprocess,
    skip_missing: bool = False,
    progress: Progress | None = None,
) -> tuple[FilmRows, np.ndarray, list[str]]:
    """Films uint8 (N, S, S), labels float32 (N, 14) and stems of a part, in the split's order.

    A label that is unknown is NaN. All parts share the cache of the whole folder. Raises DataError as
    `part_stems` and `open_cache` do.
    """
    stems = part_stems(folder, split, part, skip_missing)
    films: np.ndarray | JoinedArrays
    if isinstance(folder, JoinedFolder):
        films, row_of = joined_films(folder, preprocess, progress)
    else:
        films, row_of = folder_films(folder, preprocess, progress)
    return FilmRows(films, np.array([row_of[stem] for stem in stems])), folder.labels(stems), stems


def joined_films(
    folder: JoinedFolder, preprocess: Preprocess, progress: Progress | None = None
) -> tuple[JoinedArrays, dict[str, int]]:
    """As `folder_films`, from the caches of all folders, which they keep when they are used alone, too."""
    arrays: list[np.ndarray] = []
    row_of: dict[str, int] = {}
    for one, names in zip(folder.folders, folder.stems, strict=True):
        if not any(stem in one.paths for stem in names):
            continue
        before = len(row_of)
        films, rows = folder_films(one, preprocess, progress)
        arrays.append(films)
        row_of |= {names[stem]: before + row for stem, row in rows.items()}
    return JoinedArrays(arrays), row_of


def folder_films(
    folder: NihFolder, preprocess: Preprocess, progress: Progress | None = None
) -> tuple[np.ndarray, dict[str, int]]:
    """All films of the folder that its table lists: the cache, uint8 (M, S, S), and {stem: row of it}."""
    stems = sorted(stem for stem in folder.table["stem"] if stem in folder.paths)
    paths = [folder.paths[stem] for stem in stems]
    films = open_cache(paths, preprocess, cache_folder(folder.root), progress)
    return films, {stem: row for row, stem in enumerate(stems)}
