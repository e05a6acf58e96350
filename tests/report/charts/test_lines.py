"""Colours and dashes of lines: apart for every kind of eye, and from the page."""

from itertools import combinations

import numpy as np
import pytest

from xlite.report.charts.lines import DASHES, LINES, MOST_FINDINGS, MOST_MODELS, Theme, line_colors

GROUNDS: dict[Theme, str] = {"dark": "#11161b", "light": "#ffffff"}
EYES = {
    "all cones": np.eye(3),
    # Machado, Oliveira & Fernandes, IEEE Transactions on Visualization 15 (2009) 1291, severity 1.
    "no red": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "no green": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "no blue": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
APART = 30.0
"""CIE76: a difference of 2.3 is just seen side by side."""


def linear(color: str) -> np.ndarray:
    """Linear RGB in 0-1 of `#rrggbb`."""
    values = np.array([int(color[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB of linear sRGB, white D65."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    ratio = to_xyz @ np.clip(rgb, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def luminance(color: str) -> float:
    return float(np.array([0.2126, 0.7152, 0.0722]) @ linear(color))


def test_the_simulation_is_of_such_eyes() -> None:
    """Greys stay; red and green of one lightness, far apart for others, come together."""
    for eye in EYES.values():
        assert np.allclose(eye @ np.full(3, 0.5), 0.5, atol=1e-3)
    red, green = linear("#c0392b"), linear("#5f7f1f")
    assert np.linalg.norm(lab(red) - lab(green)) > 60
    assert np.linalg.norm(lab(EYES["no green"] @ red) - lab(EYES["no green"] @ green)) < 30


@pytest.mark.parametrize("theme", LINES)
@pytest.mark.parametrize("eye", EYES)
def test_any_two_colours_of_a_page_are_apart(theme: Theme, eye: str) -> None:
    seen = [lab(EYES[eye] @ linear(color)) for color in LINES[theme]]
    assert min(np.linalg.norm(first - second) for first, second in combinations(seen, 2)) >= APART


@pytest.mark.parametrize("theme", LINES)
def test_each_colour_stands_out_from_its_page(theme: Theme) -> None:
    ground = luminance(GROUNDS[theme])
    for color in LINES[theme]:
        dark, bright = sorted((ground, luminance(color)))
        assert (bright + 0.05) / (dark + 0.05) >= 3, color  # WCAG 1.4.11


def test_a_page_of_no_known_theme_is_taken_for_dark() -> None:
    assert line_colors("light") == LINES["light"]
    assert line_colors("dark") == line_colors(None) == LINES["dark"]
    assert (MOST_FINDINGS, MOST_MODELS) == (6, 4) and len(set(DASHES)) == 4
