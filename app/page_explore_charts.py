"""The charts of the Explore page in the browser: a component whose bars and cells are buttons."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from xlite.data.eda.charts import Chart

_HERE = Path(__file__).parent
_draw = st.components.v2.component(
    "xlite_explore_charts",
    html='<div class="charts"></div>',
    css=(_HERE / "page_explore_charts.css").read_text(encoding="utf-8"),
    js=(_HERE / "page_explore_charts.js").read_text(encoding="utf-8"),
)


def show_charts(charts: Sequence[Chart], key: str, on_pick: Callable[[str, Any], None]) -> None:
    """Draws charts side by side; `on_pick(field, value)` runs before the page when a mark is chosen."""
    _draw(
        key=key,
        data={"charts": [chart.plain() for chart in charts]},
        on_pick_change=partial(_picked, key, on_pick),
    )


def _picked(key: str, on_pick: Callable[[str, Any], None]) -> None:
    picked = st.session_state[key].get("pick")
    if picked:
        field, value = picked
        on_pick(field, value)
