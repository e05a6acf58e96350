"""What the figures share: the palette of white paper and error bars."""

from collections.abc import Sequence

import numpy as np

PAPER = (
    "#2f6690", "#c8702a", "#3a8f87", "#b0587a", "#7a8f2c", "#7a5fb0", "#a8593a",
    "#3f7cac", "#8c7f2a", "#8a4f7d", "#4f7a5f", "#5560b0", "#96604f", "#5d6b78",
)  # fmt: skip


def bars(values: np.ndarray, low: np.ndarray, high: np.ndarray, color: str) -> dict:
    """Error bars from low to high, none where they are NaN."""
    return {
        "array": np.nan_to_num(high - values),
        "arrayminus": np.nan_to_num(values - low),
        "color": color,
        "thickness": 1.5,
        "width": 0,
    }


def struck(report: dict, text: str) -> str:
    """The text in plotly's markup, struck through where the report's films are contaminated."""
    return f"<s>{text}</s>" if report["contamination"] else text


def colors(palette: Sequence[str], count: int) -> list[str]:
    """A colour for each of so many lines."""
    return [palette[place % len(palette)] for place in range(count)]
