"""The palette of white paper; `plots.PALETTE` is that of dark pages."""

from collections.abc import Sequence

PAPER = (
    "#2f6690", "#c8702a", "#3a8f87", "#b0587a", "#7a8f2c", "#7a5fb0", "#a8593a",
    "#3f7cac", "#8c7f2a", "#8a4f7d", "#4f7a5f", "#5560b0", "#96604f", "#5d6b78",
)  # fmt: skip


def colors(palette: Sequence[str], count: int) -> list[str]:
    """A colour for each of so many lines."""
    return [palette[place % len(palette)] for place in range(count)]
