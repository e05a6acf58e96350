"""Augmentation of whole batches on a device: the same steps, odds and strengths as film by film."""

import cv2
import numpy as np
import pytest
import torch

from xlite.data import augmentation as augment
from xlite.data.augmentation import ODDS, BatchAugment

SIDE, FILMS = 64, 4000
CPU = torch.device("cpu")


def batch_augment(epoch: int = 1, flip: bool = True, seed: int = 3, films: int = FILMS) -> BatchAugment:
    drawn = BatchAugment(films, flip, seed, CPU)
    drawn.set_epoch(epoch)
    return drawn


@pytest.fixture
def film() -> np.ndarray:
    """A smooth film, uint8 (64, 64)."""
    film = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (SIDE, SIDE), np.uint8), (0, 0), 4)
    return cv2.normalize(film, None, 40, 200, cv2.NORM_MINMAX)


def many(film: np.ndarray, count: int) -> torch.Tensor:
    return torch.from_numpy(film).expand(count, SIDE, SIDE)


def changed_alike(drawn: BatchAugment, **only: bool) -> np.ndarray:
    """Rows with exactly the named steps."""
    identity = torch.tensor([[1.0, 0, 0], [0, 1, 0]])
    done = {
        "grey": (drawn.contrast != 1).numpy(),
        "moved": ((drawn.sources - identity).abs().amax((1, 2)) > 1e-6).numpy(),
        "noisy": drawn.noisy,
        "blurred": drawn.blurred,
    }
    return np.flatnonzero(np.all([done[step] == only.get(step, False) for step in done], axis=0))


@pytest.mark.slow
def test_what_is_done_depends_on_seed_epoch_and_row_alone(film):
    drawn, rows = batch_augment(), torch.arange(200)
    still = rows[~torch.from_numpy(drawn.noisy[:200])]  # torch draws only the pattern of the noise
    whole = drawn(many(film, len(still)), still)
    order = torch.randperm(len(still), generator=torch.Generator().manual_seed(1))
    parts = [batch_augment()(many(film, len(part)), still[part]) for part in order.split(7)]
    torch.testing.assert_close(torch.cat(parts), whole[order], rtol=0, atol=1e-3)
    for other in (batch_augment(epoch=2), batch_augment(seed=4)):
        assert (other(many(film, len(still)), still) - whole).abs().max() > 20


def test_odds_are_those_of_the_document():
    drawn = batch_augment(films=40_000)
    mirrored = torch.linalg.det(drawn.sources[:, :, :2]) < 0
    moved = (drawn.sources[:, :, 2] != 0).any(1)
    assert float(mirrored.float().mean()) == pytest.approx(0.5, abs=0.01)
    assert float(moved.float().mean()) == pytest.approx(0.3, abs=0.01)
    assert float((drawn.contrast != 1).float().mean()) == pytest.approx(0.3, abs=0.01)
    assert drawn.noisy.mean() == pytest.approx(0.1, abs=0.01)
    assert drawn.blurred.mean() == pytest.approx(0.1, abs=0.01)
    assert not (drawn.noisy & drawn.blurred).any()
    turned = (drawn.sources[:, 0, 1].abs() > 1e-6) & ~moved
    assert float(turned.float().mean()) == pytest.approx(0.4 * 0.7, abs=0.01)
    assert not (torch.linalg.det(batch_augment(flip=False).sources[:, :, :2]) < 0).any()


def test_light_moves_and_brightens_every_film_and_leaves_its_grain():
    drawn = BatchAugment(FILMS, False, 3, CPU, odds=ODDS["light"])
    drawn.set_epoch(1)
    assert not drawn.noisy.any() and not drawn.blurred.any()
    assert (drawn.contrast != 1).all() and (drawn.brightness != 0).all()
    assert 0.9 <= drawn.contrast.min() < 0.91 and 1.09 < drawn.contrast.max() <= 1.1
    assert 25 < drawn.brightness.abs().max() <= 25.5
    back = drawn.sources.numpy().astype(float)
    ahead = np.linalg.inv(back[:, :, :2])
    shifts = -(ahead @ back[:, :, 2:])[:, :, 0] / 2  # in sides of the film
    assert 0.06 < np.abs(shifts).max() <= 0.0625 + 1e-6 and (shifts != 0).all()
    turned, scales = np.degrees(np.arctan2(ahead[:, 1], ahead[:, 0]))[:, 0], np.linalg.norm(ahead, axis=1)
    assert 4.9 < np.abs(turned).max() <= 5 + 1e-4
    assert 0.9 - 1e-6 <= scales.min() < 0.91 and 1.09 < scales.max() <= 1.1 + 1e-6


def test_an_untouched_film_stays_as_it_is(film):
    drawn = batch_augment(flip=False)
    rows = torch.from_numpy(changed_alike(drawn))
    assert len(rows) > 100
    np.testing.assert_allclose(drawn(many(film, len(rows)), rows), many(film, len(rows)), atol=0.01)


def test_flips_turns_scales_and_shifts_are_opencvs(film):
    flips, turns = np.array([-1, 1, 1, 1, -1]), np.array([0.0, 10, 0, 0, -12])
    scales = np.array([[1, 1], [1, 1], [1.1, 0.9], [1, 1], [0.95, 1.05]])
    angles, shifts = (
        np.array([0.0, 0, 0, 0, 4]),
        np.array([[0, 0], [0, 0], [0, 0], [0.05, -0.03], [0.02, 0.06]]),
    )
    drawn = batch_augment(films=5)
    drawn.sources = torch.from_numpy(augment._sources(flips, turns, scales, angles, shifts)).float()
    drawn.contrast, drawn.brightness = torch.ones(5), torch.zeros(5)
    drawn.noisy = drawn.blurred = np.zeros(5, bool)
    films = drawn(many(film, 5), torch.arange(5)).numpy()
    middle = SIDE / 2 - 0.5
    for row in range(5):
        start = np.fliplr(film) if flips[row] < 0 else film
        rotate = [
            np.vstack([cv2.getRotationMatrix2D((middle, middle), -a, 1), [0, 0, 1]])
            for a in (turns[row], angles[row])
        ]
        scale = np.diag([*scales[row], 1.0])
        scale[:2, 2] = middle * (1 - scales[row])
        shift = np.eye(3)
        shift[:2, 2] = SIDE * shifts[row]
        whole = (shift @ rotate[1] @ scale @ rotate[0])[:2]
        expected = cv2.warpAffine(start.astype(np.float32), whole, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
        inner = np.s_[3:-3, 3:-3]
        assert np.abs(films[row][inner] - expected[inner]).max() < 2.5, row
    assert films[3][0, 0] == 0 or films[3][-1, 0] == 0  # what moves in is black


def test_grey_values_noise_and_blur_are_as_strong_as_said(film):
    drawn = batch_augment(flip=False)
    grey = torch.from_numpy(changed_alike(drawn, grey=True))
    got = drawn(many(film, len(grey)), grey)
    expected = (
        torch.from_numpy(film) * drawn.contrast[grey, None, None] + drawn.brightness[grey, None, None]
    ).clamp(0, 255)
    torch.testing.assert_close(got, expected, rtol=0, atol=0.02)
    assert 0.9 <= drawn.contrast.min() < 0.91 and 25 < drawn.brightness.max() <= 25.5
    noisy = torch.from_numpy(changed_alike(drawn, noisy=True))
    stds = (drawn(many(film, len(noisy)), noisy) - torch.from_numpy(film)).std((1, 2))
    torch.testing.assert_close(stds, drawn.noise[noisy], rtol=0.08, atol=0)
    assert stds.min() > 2.2 and stds.max() < 8.3
    blurred = torch.from_numpy(changed_alike(drawn, blurred=True))
    rough = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE)).astype(np.uint8)
    weights = drawn.blur[blurred]
    for row, soft in enumerate(drawn(many(rough, len(blurred)), blurred).numpy()[:20]):
        kernel = weights[row].numpy()
        np.testing.assert_allclose(
            soft, cv2.sepFilter2D(rough.astype(np.float32), -1, kernel, kernel), atol=0.05
        )


def test_a_batch_without_noise_or_blur_passes(film):
    drawn = batch_augment()
    drawn.noisy = drawn.blurred = np.zeros(FILMS, bool)
    assert drawn(many(film, 3), torch.arange(3)).shape == (3, SIDE, SIDE)


def test_noise_leaves_torchs_own_draws_alone_and_comes_again(film):
    rows = torch.from_numpy(np.flatnonzero(batch_augment().noisy)[:5])
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    drawn = batch_augment()
    first = drawn(many(film, 5), rows)
    assert torch.equal(torch.rand(3), expected)
    assert not torch.equal(drawn(many(film, 5), rows), first)
    drawn.set_epoch(1)
    assert torch.equal(drawn(many(film, 5), rows), first)
    other = BatchAugment(FILMS, True, 3, CPU, rank=1)
    other.set_epoch(1)
    assert not torch.equal(other(many(film, 5), rows), first)
