"""The lung network: a small U-Net with one output for each cell."""

import torch
from torch import Tensor, nn

CHANNELS = (8, 16, 32, 64)


class LungNet(nn.Module):
    """Pictures (B, 1, 64, 64) of 0-255 to logits (B, 1, 64, 64) of being lung.

    Each picture is brought to mean 0 and standard deviation 1 first: exposure says nothing of what it shows.
    A U-Net (Ronneberger et al., MICCAI 2015) of depth 4.
    """

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList(_block(a, b) for a, b in zip((1, *CHANNELS[:-1]), CHANNELS, strict=True))
        pairs = zip(CHANNELS[:0:-1], CHANNELS[-2::-1], strict=True)
        self.up = nn.ModuleList(_block(deep + wide, wide) for deep, wide in pairs)
        self.last = nn.Conv2d(CHANNELS[0], 1, 1)
        self.pool = nn.MaxPool2d(2)
        self.grow = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, 1, 64, 64) of pictures float32 (B, 1, 64, 64)."""
        x = x - x.mean((2, 3), keepdim=True)
        x = x / (x.square().mean((2, 3), keepdim=True).sqrt() + 1)
        kept: list[Tensor] = []
        for number, block in enumerate(self.down):
            x = block(self.pool(x) if number else x)
            kept.append(x)
        for block, beside in zip(self.up, kept[-2::-1], strict=True):
            x = block(torch.cat([self.grow(x), beside], 1))
        logits: Tensor = self.last(x)
        return logits


class Lung(nn.Module):
    """The network as it is shipped: its answers are probabilities."""

    def __init__(self, net: LungNet):
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        """Probabilities (B, 1, 64, 64) of being lung."""
        logits: Tensor = self.net(x)
        return logits.sigmoid()


def _block(inside: int, outside: int) -> nn.Sequential:
    layers = [
        layer
        for a in (inside, outside)
        for layer in (nn.Conv2d(a, outside, 3, padding=1, bias=False), nn.BatchNorm2d(outside), nn.ReLU())
    ]
    return nn.Sequential(*layers)
