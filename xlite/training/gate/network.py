"""The gate network: a small plain CNN with one output per question."""

import torch
from torch import Tensor, nn

SIDE = 112
"""Side of its input in px: half that of a thumbnail, whose 2 x 2 fields are averaged."""
CHANNELS = (16, 24, 48, 96)
CELLS = 7
KINDS, TURNS, FLAGS = 3, 8, 4
"""Outputs: frontal, lateral, other; turned by 0, 90, 180, 270 degrees clockwise, then the same mirrored;
inverted, child, cut, AP."""


class GateNet(nn.Module):
    """Pictures (B, 1, 112, 112) of 0-255 to logits (B, 15): 3 of kinds, 8 of turns, 4 flags.

    Each picture is brought to mean 0 and standard deviation 1 first: exposure says nothing of what it shows.
    """

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d = CHANNELS
        self.layers = nn.Sequential(
            *(_block(1, a, 2), _block(a, b, 2), _block(b, b, 1)),
            *(_block(b, c, 2), _block(c, c, 1), _block(c, c, 1)),
            *(_block(c, d, 2), _block(d, d, 1), _block(d, d, 1)),
        )
        # What lies where counts for turns and cuts; what is there at all, for the kind.
        self.places = nn.Conv2d(d, 8, 1)
        self.head = nn.Linear(d + 8 * CELLS**2, KINDS + TURNS + FLAGS)
        self.drop = nn.Dropout(0.2)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, 15) of pictures float32 (B, 1, 112, 112)."""
        x = x - x.mean((2, 3), keepdim=True)
        x = x / (x.square().mean((2, 3), keepdim=True).sqrt() + 1)
        x = self.layers(x)
        x = torch.cat([x.mean((2, 3)), self.places(x).flatten(1)], 1)
        logits: Tensor = self.head(self.drop(x))
        return logits


class GateProbabilities(nn.Module):
    """The network as it is shipped: its input as given, its answers as probabilities."""

    def __init__(self, net: GateNet):
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Kinds (B, 3) and turns (B, 8), each row adding up to 1, and flags (B, 4) of 0-1."""
        kinds, turns, flags = torch.split(self.net(x), [KINDS, TURNS, FLAGS], 1)
        return kinds.softmax(1), turns.softmax(1), flags.sigmoid()


def _block(inside: int, outside: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU()
    )
