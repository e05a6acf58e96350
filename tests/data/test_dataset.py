"""The dataset: train/serve parity, augmentation by (seed, epoch, index), missing films."""

import errno
import os
import pickle
import signal

import cv2
import numpy as np
import pytest
import torch

from xlite.data.augmentation import ODDS, augmentation
from xlite.data.dataset import (
    FilmDataset,
    FilmRows,
    folder_films,
    killed_worker,
    loader,
    model_input,
    open_films,
)
from xlite.data.folder import NihFolder
from xlite.data.split_files import load_split
from xlite.data.splits import PARTS
from xlite.errors import DataError, RunError
from xlite.images import Preprocess, read_image

PREPROCESS = Preprocess(48)


@pytest.fixture
def folder(tiny_folder):
    return NihFolder.open(tiny_folder)


@pytest.fixture
def films() -> np.ndarray:
    """Twelve smooth films with one bright spot, left of the middle: uint8 (12, 48, 48)."""
    film = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8), (0, 0), 4)
    film = cv2.normalize(film, None, 40, 180, cv2.NORM_MINMAX)
    film[20:28, 6:14] = 255
    return np.repeat(film[None], 12, axis=0)


def dataset_of(films, flip=True, seed=3) -> FilmDataset:
    return FilmDataset(films, np.zeros((len(films), 14), np.float32), PREPROCESS, augmentation(flip), seed)


def all_of(dataset: FilmDataset, workers: int = 0, start: str | None = None) -> torch.Tensor:
    """Every film of the dataset by index, through a loader that reads them in another order."""
    order = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(workers)).tolist()
    batches = loader(dataset, 5, order, workers)
    if start:
        batches.multiprocessing_context = start
    found = {int(i): film for films, _, _, rows in batches for film, i in zip(films, rows, strict=True)}
    return torch.stack([found[i] for i in range(len(dataset))])


@pytest.mark.parametrize("part", PARTS)
def test_without_augmentation_a_film_is_what_serving_sees(folder, part):
    split = load_split(folder, "official")
    films, labels, stems = open_films(folder, split, part, PREPROCESS)
    assert stems == split.stems(part) and films.shape == (len(stems), 48, 48)
    dataset = FilmDataset(films, labels, PREPROCESS)
    assert len(dataset) == len(stems)
    for epoch in (0, 5):
        dataset.set_epoch(epoch)
        for i, stem in enumerate(stems):
            film, y, file_logits, index = dataset[i]
            assert film.dtype == torch.uint8 and index == i
            x = model_input(film[None], PREPROCESS)
            np.testing.assert_array_equal(x[0].numpy(), PREPROCESS(read_image(folder.paths[stem])))
            assert x.is_contiguous(memory_format=torch.channels_last)
            np.testing.assert_array_equal(y.numpy(), folder.labels([stem])[0])
            assert torch.isnan(file_logits).all() and file_logits.shape == (14,)


def test_logits_of_files_come_with_their_film(films):
    file_logits = np.arange(12 * 14, dtype=np.float32).reshape(12, 14)
    dataset = FilmDataset(films, np.zeros((12, 14)), PREPROCESS, file_logits=file_logits)
    np.testing.assert_array_equal(dataset[7].file_logits.numpy(), file_logits[7])


def test_parts_share_one_cache_and_read_none_of_it_beforehand(folder):
    split = load_split(folder, "patient")
    parts = [open_films(folder, split, part, PREPROCESS)[0] for part in PARTS]
    assert sum(map(len, parts)) == 24
    assert all(isinstance(films.array, np.memmap) and len(films.array) == 24 for films in parts)
    assert len(list((folder.root / "cache").glob("*.npy"))) == 1


@pytest.mark.slow
def test_augmentation_depends_on_seed_epoch_and_index_alone(films):
    first = all_of(dataset_of(films))
    assert len(torch.unique(first.flatten(1), dim=0)) > 6  # though the films are alike
    np.testing.assert_array_equal(all_of(dataset_of(films), workers=2).numpy(), first.numpy())
    dataset = dataset_of(films)
    dataset.set_epoch(1)
    second = all_of(dataset)
    assert not torch.equal(second, first)
    assert not torch.equal(all_of(dataset_of(films, seed=4)), first)
    dataset.set_epoch(0)
    np.testing.assert_array_equal(all_of(dataset, workers=1).numpy(), first.numpy())


@pytest.mark.slow
def test_the_steps_of_the_augmentation_are_drawn_independently(films):
    dataset = FilmDataset(films, np.zeros((12, 14)), PREPROCESS, augmentation(flip=True))
    unchanged = 0
    for epoch in range(100):
        dataset.set_epoch(epoch)
        unchanged += sum(np.array_equal(dataset[i][0], films[i]) for i in range(12))
    # .5 x .7 x .6 x .7 x .8 of all; if all steps had the same draws, .5 would stay as they are.
    assert unchanged / 1200 == pytest.approx(0.1176, abs=0.03)


def test_light_changes_every_film_and_only_moves_and_brightens_it(films):
    dataset = FilmDataset(films, np.zeros((12, 14)), PREPROCESS, augmentation(False, ODDS["light"]))
    steps = {type(step).__name__: step for step in dataset.augment.transforms}
    odds = {"RandomBrightnessContrast": 1, "Affine": 1, "Rotate": 0, "OneOf": 0}
    assert {name: step.p for name, step in steps.items()} == odds
    seen = all_of(dataset)
    assert not any(np.array_equal(film, plain) for film, plain in zip(seen, films, strict=True))
    even = FilmDataset(np.full((12, 48, 48), 100, np.uint8), np.zeros((12, 14)), PREPROCESS, dataset.augment)
    inner = all_of(even)[:, 12:-12, 12:-12].flatten(1).float()
    assert (inner.amax(1) - inner.amin(1)).max() <= 1  # no grain
    greys = inner.mean(1)
    assert greys.unique().numel() > 6 and greys.min() >= 60 and greys.max() <= 140


def spot_is_left(x: torch.Tensor) -> bool:
    return bool(x[:, :24].max() > x[:, 24:].max())


def test_flip_is_a_switch(films):
    turned = {flip: [not spot_is_left(x) for x in all_of(dataset_of(films, flip))] for flip in (True, False)}
    assert 2 <= sum(turned[True]) <= 10
    assert sum(turned[False]) == 0


def test_augmentation_never_changes_the_cached_film(films):
    before = films.copy()
    all_of(dataset_of(films))
    np.testing.assert_array_equal(films, before)


def test_what_moves_in_is_black():
    white = np.full((1, 48, 48), 200, np.uint8)
    dataset = FilmDataset(white, np.zeros((1, 14)), PREPROCESS, augmentation(flip=False))
    corners = []
    for epoch in range(60):
        dataset.set_epoch(epoch)
        corners.append(int(dataset[0][0][[0, 0, -1, -1], [0, -1, 0, -1]].min()))
    assert sum(corner < 12 for corner in corners) > 15


def test_a_dataset_for_a_worker_carries_the_file_name_not_the_films(folder):
    films, labels, _ = open_films(folder, load_split(folder, "patient"), "train", PREPROCESS)
    dataset = FilmDataset(films, labels, PREPROCESS)
    packed = pickle.dumps(dataset.films)
    assert len(packed) < 2000 < len(films) * 48 * 48
    unpacked = pickle.loads(packed)
    assert isinstance(unpacked.array, np.memmap)
    np.testing.assert_array_equal(unpacked[3], films[3])
    plain = pickle.loads(pickle.dumps(FilmRows(np.zeros((2, 4, 4), np.uint8), np.array([1]))))
    assert plain.shape == (1, 4, 4)


@pytest.mark.timeout(60)
def test_workers_need_no_shared_memory(films, monkeypatch):
    def full(*_: object) -> None:
        raise RuntimeError("unable to allocate shared memory(shm): No space left on device (28)")

    monkeypatch.setattr(torch.UntypedStorage, "_share_fd_cpu_", full)
    monkeypatch.setattr(torch.UntypedStorage, "_share_filename_cpu_", full)
    np.testing.assert_array_equal(all_of(dataset_of(films), workers=2), all_of(dataset_of(films)))


def test_workers_that_cannot_be_started_are_refused_in_one_sentence(films, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("torch.utils.data.dataloader._MultiProcessingDataLoaderIter", full)
    with pytest.raises(RunError) as refusal:
        all_of(dataset_of(films), workers=1)
    assert str(refusal.value) == (
        "the data-loader workers could not be started (No space left on device): use --workers 0, which does "
        "without"
    )


@pytest.mark.timeout(60)
def test_a_worker_that_is_killed_is_told_of(films):
    class Deadly(FilmDataset):
        def __getitems__(self, rows: list[int]) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(RuntimeError) as death:
        all_of(Deadly(films, np.zeros((12, 14)), PREPROCESS), workers=1)
    said = killed_worker(death.value)
    assert said is not None and said.settings == ("workers",)
    assert str(said).startswith("a data-loader worker has died, most often for want of memory (DataLoader")
    assert str(said).endswith("): use fewer --workers or 0, which does without")
    assert killed_worker(RuntimeError("something else")) is None


@pytest.mark.release
@pytest.mark.slow
def test_a_spawned_worker_sees_the_same_films(folder):
    films, labels, _ = open_films(folder, load_split(folder, "patient"), "train", PREPROCESS)
    dataset = FilmDataset(films, labels, PREPROCESS, augmentation(flip=True))
    spawned = all_of(dataset, workers=1, start="spawn")
    np.testing.assert_array_equal(spawned.numpy(), all_of(dataset).numpy())


def test_missing_films_are_counted_and_skipped_only_when_asked(folder):
    split = load_split(folder, "official")
    gone = split.stems("test")[:2]
    for stem in gone:
        folder.paths[stem].unlink()
    folder = NihFolder.open(folder.root)
    with pytest.raises(DataError, match="2 of the 6 films of the test part are missing .* --skip-missing"):
        open_films(folder, split, "test", PREPROCESS)
    films, labels, stems = open_films(folder, split, "test", PREPROCESS, skip_missing=True)
    assert stems == split.stems("test")[2:] and len(films) == len(labels) == 4
    np.testing.assert_array_equal(films[0], PREPROCESS.resize(read_image(folder.paths[stems[0]])))
    assert len(open_films(folder, split, "train", PREPROCESS)[2]) == len(split.parts["train"])
    for stem in split.stems("test")[2:]:
        folder.paths[stem].unlink()
    with pytest.raises(DataError, match="has no films"):
        open_films(NihFolder.open(folder.root), split, "test", PREPROCESS, skip_missing=True)


def test_the_folders_cache_holds_what_the_table_lists(folder):
    (folder.root / "images" / "stranger.png").write_bytes(b"no film at all")
    films, row_of = folder_films(NihFolder.open(folder.root), PREPROCESS)
    assert len(films) == 24 and list(row_of) == sorted(folder.table["stem"])


def test_films_of_another_size_or_number_are_refused(films):
    with pytest.raises(ValueError, match="the preprocessing is for 32"):
        FilmDataset(films, np.zeros((12, 14)), Preprocess(32))
    with pytest.raises(ValueError, match="12 films, 11 labels"):
        FilmDataset(films, np.zeros((11, 14)), PREPROCESS)
