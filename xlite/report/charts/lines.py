"""What tells lines apart: a colour a finding, a dash a model, for dark and for light pages.

Any two colours of a page stay apart for people who lack the red, the green or the blue cones, and each stands
out from the page: `tests/report/charts/test_lines.py` simulates both.
"""

from collections.abc import Sequence
from typing import Literal

Theme = Literal["dark", "light"]

LINES: dict[Theme, tuple[str, ...]] = {
    "dark": ("#e69f00", "#56b4e9", "#f0e442", "#cc79a7", "#009e73", "#d55e00"),
    "light": ("#0072b2", "#d55e00", "#009e73", "#7a2f8f", "#8a6d00", "#1b1b1b"),
}
"""By the page, in the order in which findings take them."""
DASHES = ("solid", "dash", "dot", "dashdot")
"""By the place of the model."""
MOST_FINDINGS, MOST_MODELS = min(map(len, LINES.values())), len(DASHES)
"""Lines beyond them would look like others."""


def line_colors(theme: str | None) -> Sequence[str]:
    """The colours for a page of that theme; of one that is not known those for dark pages."""
    return LINES["light" if theme == "light" else "dark"]
