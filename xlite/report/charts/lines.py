"""What tells lines apart: a colour a finding, a dash a model, for dark and for light pages.

Any two colours of a page stay apart for people who lack the red, the green or the blue cones, and each stands
out from the page: `tests/report/charts/test_lines.py` simulates both.
"""

from collections.abc import Sequence
from typing import Literal

Theme = Literal["dark", "light"]

LINES: dict[Theme, tuple[str, ...]] = {
    "dark": ("#f5a623", "#86e0f0", "#e23d68", "#f7f0b0", "#9d5bff", "#4d74b5"),
    "light": ("#e8501e", "#1b1464", "#5f86c4", "#8f2be0", "#c86f6f", "#5a1010"),
}
"""By the page, in the order in which findings take them."""
DASHES = ("solid", "dash", "dot", "dashdot")
"""By the place of the model."""
MOST_FINDINGS, MOST_MODELS = min(map(len, LINES.values())), len(DASHES)
"""Lines beyond them would look like others."""


def line_colors(theme: str | None) -> Sequence[str]:
    """The colours for a page of that theme; of one that is not known those for dark pages."""
    return LINES["light" if theme == "light" else "dark"]
