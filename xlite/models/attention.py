"""Attention over the last features: exact (MHSA) or linear (Performer), each with a residual connection.

Both see the cells of the features as tokens, work at 4 heads of 64 whatever the backbone's width (at full
width the attention alone would outweigh EfficientNet-B0), take features of any height and width (2D sin-cos
positions), and start as the identity, so that a pretrained backbone is not disturbed.
"""

import math
from contextlib import AbstractContextManager, nullcontext

import torch
from timm.layers.attention import Attention
from timm.layers.pos_embed_sincos import build_sincos2d_pos_embed
from torch import Tensor, nn
from torch.amp.autocast_mode import is_autocast_available

HEADS = 4
HEAD_WIDTH = 64


class FavorAttention(nn.Module):
    """Multi-head attention by FAVOR+ in time linear in the tokens: (B, N, C) -> (B, N, C).

    Choromanski et al., "Rethinking Attention with Performers", ICLR 2021: the softmax kernel is the mean over
    random w of phi(q) phi(k) with the positive features phi(x) = exp(w.x - |x|^2 / 2) (Lemma 1), w drawn in
    orthogonal blocks (section 3.2). With the 49 tokens of 7x7 cells it is no cheaper than exact attention.
    """

    directions: Tensor

    def __init__(self, channels: int, features: int = 256):
        super().__init__()
        self.qkv = nn.Linear(channels, 3 * HEADS * HEAD_WIDTH, bias=False)
        self.proj = nn.Linear(HEADS * HEAD_WIDTH, channels)
        self.register_buffer("directions", orthogonal_directions(features, HEAD_WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        """Tokens mixed: (B, N, C) -> (B, N, C)."""
        batch, tokens, _ = x.shape
        q, k, v = self.qkv(x).reshape(batch, tokens, 3, HEADS, HEAD_WIDTH).permute(2, 0, 3, 1, 4)
        with _full_precision(x.device.type):
            mixed = self._mix(q.float(), k.float(), v.float())  # (B, heads, N, width)
        out: Tensor = self.proj(mixed.transpose(1, 2).reshape(batch, tokens, -1).to(x.dtype))
        return out

    def _mix(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        q, k = self._random_features(q, (-1,)), self._random_features(k, (-2, -1))  # (B, heads, N, features)
        weighted = q @ (k.transpose(-2, -1) @ v)  # (B, heads, N, width)
        return weighted / (q @ k.sum(dim=-2).unsqueeze(-1)).clamp_min(1e-6)

    def _random_features(self, x: Tensor, stabilize_over: tuple[int, ...]) -> Tensor:
        x = x * HEAD_WIDTH**-0.25  # both sides together give the 1 / sqrt(width) of softmax attention
        exponent = x @ self.directions.T - x.square().sum(dim=-1, keepdim=True) / 2
        # a factor common to numerator and denominator cancels: one for each query, one for all keys
        exponent = exponent - exponent.amax(dim=stabilize_over, keepdim=True).detach()
        return exponent.exp() + 1e-6


def _full_precision(device_type: str) -> AbstractContextManager[object]:
    """No autocast inside: half precision would put errors of several percent into the exponentials."""
    if not is_autocast_available(device_type):
        return nullcontext()
    return torch.autocast(device_type, enabled=False)


def orthogonal_directions(count: int, width: int) -> Tensor:
    """Gaussian directions, orthogonal in each block of `width`: float32 (count, width), always the same."""
    generator = torch.Generator().manual_seed(0)
    blocks = [
        torch.linalg.qr(torch.randn(width, width, generator=generator, dtype=torch.float64))[0].T
        for _ in range(math.ceil(count / width))
    ]
    lengths = torch.randn(count, width, generator=generator, dtype=torch.float64).norm(dim=1, keepdim=True)
    directions: Tensor = torch.cat(blocks)[:count] * lengths
    return directions.float()


class _CellAttention(nn.Module):
    """f + attention(norm(f) + position): (B, C, h, w) -> (B, C, h, w), the identity until trained."""

    def __init__(self, channels: int, attention: Attention | FavorAttention):
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.attention = attention
        nn.init.zeros_(attention.proj.weight)
        nn.init.zeros_(attention.proj.bias)

    def forward(self, f: Tensor) -> Tensor:
        batch, channels, height, width = f.shape
        tokens = self.norm(f.flatten(2).transpose(1, 2))  # (B, N, C)
        mixed = self.attention(tokens + positions(height, width, channels, f.device))
        out: Tensor = f + mixed.transpose(1, 2).reshape(batch, channels, height, width)
        return out


def positions(height: int, width: int, channels: int, device: torch.device) -> Tensor:
    """2D sin-cos position of each cell, row by row: float32 (height * width, channels)."""
    padded = math.ceil(channels / 4) * 4
    embedding: Tensor = build_sincos2d_pos_embed([height, width], dim=padded, device=device)
    return embedding[:, :channels]


class MHSA(_CellAttention):
    """Exact multi-head self-attention over the cells of features: (B, C, h, w) -> (B, C, h, w)."""

    def __init__(self, channels: int):
        super().__init__(channels, Attention(channels, num_heads=HEADS, attn_head_dim=HEAD_WIDTH))


class Performer(_CellAttention):
    """Linear (FAVOR+) self-attention over the cells of features: (B, C, h, w) -> (B, C, h, w)."""

    def __init__(self, channels: int):
        super().__init__(channels, FavorAttention(channels))
