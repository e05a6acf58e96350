"""Small films, kept from run to run, as Explore and Results show them."""

from pathlib import Path

import pandas as pd
import streamlit as st

from xlite.data.eda.thumbnails import SIDE, thumbnail


@st.cache_data(max_entries=1200, show_spinner=False)
def cached_thumbnail(path: str, changed: float, boxes: pd.DataFrame, side: int = SIDE) -> bytes:
    """A film as JPEG with its boxes; another time of its file makes it anew. Raises as `thumbnail`."""
    return thumbnail(Path(path), boxes, side)
