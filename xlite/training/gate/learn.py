"""The training of the gate network: what it sees, its losses, its limits."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from xlite.files import Progress
from xlite.guards.gate import reasons
from xlite.guards.limits import Limits
from xlite.guards.measure import SIDE, gate_input, measure, thumbnail
from xlite.training.gate import augment
from xlite.training.gate.drawn import DRAWN
from xlite.training.gate.network import FLAGS, KINDS, TURNS, GateNet, GateProbabilities
from xlite.training.gate.network import SIDE as INPUT
from xlite.training.gate.pictures import FRONTAL, LATERAL, OTHER, Picture, Thumbnails

BATCH, LEARNING_RATE, WEIGHT_DECAY = 64, 3e-3, 1e-3
_SHARES = {"film": 0.4, "child": 0.06, "elsewhere": 0.06, "phantom": 0.03, "lateral": 0.1, "other": 0.35}
_LIBRARY, _BLENDED, _SCRAMBLED = 0.5, 0.2, 0.1
_ADULT = 18.0


@dataclass(frozen=True)
class Stock:
    """All that a network learns from: films of a data folder, phantoms uint8 (N, 224, 224), pictures."""

    films: Thumbnails
    phantoms: np.ndarray
    pictures: list[Picture]

    def of(self, kind: int) -> np.ndarray:
        """The thumbnails of the pictures of a kind, uint8 (N, 224, 224); N may be 0."""
        found = [picture.small for picture in self.pictures if picture.kind == kind]
        return np.array(found, np.uint8).reshape(-1, SIDE, SIDE)


@dataclass
class Batch:
    """Inputs uint8 (B, 112, 112) and what is asked; NaN, and -1 for turns, if nothing is known.

    flags (B, 4): inverted, child, cut, AP.
    """

    x: np.ndarray
    kinds: np.ndarray
    turns: np.ndarray
    flags: np.ndarray


class Sampler:
    """Draws batches from a stock, by seed."""

    def __init__(self, stock: Stock, seed: int):
        self.stock, self.rng = stock, np.random.default_rng(seed)
        self.laterals, self.others = stock.of(LATERAL), stock.of(OTHER)
        self.elsewhere = stock.of(FRONTAL)
        self.children = np.flatnonzero(stock.films.age < _ADULT)

    def batch(self) -> Batch:
        """One batch of all that there is, in fixed shares."""
        batch = Batch(
            np.empty((BATCH, INPUT, INPUT), np.uint8),
            np.empty(BATCH, np.int64),
            np.full(BATCH, -1),
            np.full((BATCH, FLAGS), np.nan, np.float32),
        )
        for row, what in enumerate(self.rng.choice(list(_SHARES), BATCH, p=list(_SHARES.values()))):
            self._draw(batch, row, str(what))
        return batch

    def _draw(self, batch: Batch, row: int, what: str) -> None:
        rng, films = self.rng, self.stock.films
        if what == "lateral" and len(self.laterals):
            batch.x[row], done = augment.lateral(rng, self.laterals[rng.integers(len(self.laterals))])
            batch.kinds[row], batch.turns[row] = LATERAL, done.turn
            return
        if what in {"lateral", "other"}:
            batch.x[row], batch.kinds[row] = self._other(), OTHER
            return
        age = ap = np.nan
        if what in {"film", "child"}:
            some = self.children if what == "child" and len(self.children) else np.arange(len(films.small))
            film = int(rng.choice(some))
            small, age, ap = films.small[film], films.age[film], films.ap[film]
        else:
            source = self.elsewhere if what == "elsewhere" and len(self.elsewhere) else self.stock.phantoms
            small = source[rng.integers(len(source))]
        batch.x[row], done = augment.film(rng, small)
        batch.kinds[row], batch.turns[row] = FRONTAL, done.turn
        child = np.nan if np.isnan(age) else float(age < _ADULT)
        batch.flags[row] = done.inverted, child, done.cut, ap

    def _other(self) -> np.ndarray:
        rng = self.rng
        what = rng.random()
        if what < _LIBRARY and len(self.others):
            one, two = self.others[rng.integers(len(self.others), size=2)]
            blended = cv2.addWeighted(one, 0.6, two, 0.4, 0) if rng.random() < _BLENDED else one
            return augment.other(rng, blended)
        if what < _LIBRARY + _SCRAMBLED:
            return augment.scrambled(rng, self.stock.films.small)
        draw = list(DRAWN.values())[rng.integers(len(DRAWN))]
        return augment.other(rng, draw(rng), 0.7)


def train(stock: Stock, steps: int, seed: int, start: GateNet | None, progress: Progress | None) -> GateNet:
    """A network after `steps` batches, from new weights or those of `start`, at half the rate.

    The same arguments give the same network on the same machine.
    """
    torch.manual_seed(seed)
    net, sampler = GateNet(), Sampler(stock, seed)
    if start is not None:
        net.load_state_dict(start.state_dict())
    net.train()
    net.layers.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    rate = LEARNING_RATE if start is None else LEARNING_RATE / 2
    optimizer = torch.optim.AdamW(net.parameters(), rate, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps, pct_start=0.15)
    for step in range(steps):
        batch = sampler.batch()
        x = torch.from_numpy(batch.x)[:, None].float().to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(x)
        loss = _loss(logits.float(), batch)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
        if progress:
            progress(step + 1, steps)
    net.eval()
    return net


def open_base(path: Path) -> GateNet:
    """A network with the weights of a file that `save_base` wrote."""
    net = GateNet()
    net.load_state_dict(torch.load(path, weights_only=True))
    return net


def save_base(net: GateNet, path: Path) -> None:
    """Writes the weights of a network, to go on from."""
    torch.save(net.state_dict(), path)


def _loss(logits: Tensor, batch: Batch) -> Tensor:
    kinds, turns, flags = torch.split(logits, [KINDS, TURNS, FLAGS], 1)
    known = torch.from_numpy(~np.isnan(batch.flags))
    asked = torch.from_numpy(np.nan_to_num(batch.flags))
    by_flag = F.binary_cross_entropy_with_logits(flags, asked, reduction="none") * known
    total: Tensor = (
        F.cross_entropy(kinds, torch.from_numpy(batch.kinds))
        + F.cross_entropy(turns, torch.from_numpy(batch.turns), ignore_index=-1)
        + (by_flag.sum(0) / known.sum(0).clamp(min=1)).sum()
    )
    return total


def answers(net: GateNet, small: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the network says of thumbnails uint8 (N, 224, 224): kinds (N, 3), turns (N, 8), flags (N, 4)."""
    asked = GateProbabilities(net.eval())
    parts = []
    with torch.inference_mode():
        for start in range(0, len(small), 256):
            x = np.concatenate([gate_input(one) for one in small[start : start + 256]])
            parts.append([part.numpy() for part in asked(torch.from_numpy(x))])
    kinds, turns, flags = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return kinds, turns, flags


_MOST_ALARMS = {
    **{"other": 0.001, "lateral": 0.004, "inverted": 0.002, "turned": 0.002},
    **{"mirrored": 0.004, "child": 0.012, "cut": 0.012},
}
"""The share of validation films, upright, whole, of adults, for which a reason may be given wrongly."""
_LEAST = {
    **{"other": 0.5, "lateral": 0.8, "inverted": 0.5, "turned": 0.5},
    **{"mirrored": 0.95, "child": 0.5, "cut": 0.5},
}
_UNLIKE, _MOST_UNLIKE = 0.004, 0.6
"""The share of these films that may be called unlike for being hardly frontal; the highest limit."""
_MOST = 0.99
"""No limit is higher: a film of validation may itself be turned, inverted or cut, and nobody knows."""
_SPARE = 0.35
"""By how much a film may be flatter or sharper than all films of training."""


def choose_limits(net: GateNet, val: Thumbnails, stock: Stock, seed: int) -> Limits:
    """Limits that validation films pass but for few, each film as it is and four times slightly changed.

    Films of children set no limit. Greys and sharpness are measured on all frontal films of training.
    """
    rng = np.random.default_rng(seed)
    adults = val.small[~(val.age < _ADULT)]
    shown = np.concatenate([adults, *([slightly(rng, film) for film in adults] for _ in range(4))])
    scores = reasons(*answers(net, shown))
    limits = {
        name: float(np.clip(np.quantile(scores[name], 1 - share), _LEAST[name], _MOST))
        for name, share in _MOST_ALARMS.items()
    }
    found = [measure(small) for small in (*stock.films.small, *stock.of(FRONTAL))]
    sharp = np.quantile([one.sharpness for one in found], (0.001, 0.999))
    return Limits(
        **limits,
        frontal=float(min(np.quantile(scores["frontal"], _UNLIKE), _MOST_UNLIKE)),
        grey_range=float((1 - _SPARE) * np.quantile([one.grey_range for one in found], 0.001)),
        sharpness=(float(sharp[0] * (1 - _SPARE)), float(sharp[1] * (1 + _SPARE))),
    )


def slightly(rng: np.random.Generator, small: np.ndarray) -> np.ndarray:
    """A thumbnail with another exposure and a crop of up to 4 % a side: still the same film to a reader."""
    edges = (rng.uniform(0, 0.04, 4) * SIDE).astype(int)
    part = small[edges[0] : SIDE - edges[1], edges[2] : SIDE - edges[3]]
    greys = 255 * (np.arange(256) / 255) ** np.exp(rng.normal(0, 0.2))
    return thumbnail(cv2.LUT(np.ascontiguousarray(part), greys.astype(np.uint8)))
