"""The training of the lung network, and how well it finds the lungs of phantoms."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from xlite.files import Progress
from xlite.training.lungs.drawn import changed
from xlite.training.lungs.network import LungNet

BATCH, LEARNING_RATE, WEIGHT_DECAY = 24, 4e-3, 1e-3


def train(
    pictures: np.ndarray, lungs: np.ndarray, steps: int, seed: int, progress: Progress | None = None
) -> LungNet:
    """A network after `steps` batches of phantoms (N, S, S) and their lungs (N, S, S), both uint8.

    The same arguments give the same network on the same machine.
    """
    torch.manual_seed(seed)
    rng, net = np.random.default_rng(seed), LungNet().train()
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(net.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, steps, pct_start=0.15)
    for step in range(steps):
        rows = rng.integers(len(pictures), size=BATCH)
        pairs = [changed(rng, pictures[row], lungs[row]) for row in rows]
        x, y = (torch.from_numpy(np.stack(part))[:, None].float() for part in zip(*pairs, strict=True))
        loss = _loss(net(x.to(memory_format=torch.channels_last)), y / 255)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
        if progress:
            progress(step + 1, steps)
    return net.eval()


def _loss(logits: Tensor, lungs: Tensor) -> Tensor:
    """Binary cross-entropy, and what the overlap lacks (Dice)."""
    share = logits.sigmoid()
    dice = (2 * (share * lungs).sum() + 1) / (share.sum() + lungs.sum() + 1)
    return F.binary_cross_entropy_with_logits(logits, lungs) + 1 - dice


def dice(net: LungNet, pictures: np.ndarray, lungs: np.ndarray) -> np.ndarray:
    """Dice's overlap (N,), 0-1, of what the network finds with the lungs: uint8 (N, 64, 64) both.

    Dice, Ecology 26 (1945) 297.
    """
    with torch.inference_mode():
        found = net(torch.from_numpy(pictures)[:, None].float())[:, 0].numpy() > 0
    true = lungs > 127
    both, either = (found & true).sum((1, 2)), found.sum((1, 2)) + true.sum((1, 2))
    return np.asarray(2 * both / np.maximum(either, 1))
