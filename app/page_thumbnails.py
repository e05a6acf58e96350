"""Films of a data folder as Explore and Results show them, kept from run to run: small, or for the viewer."""

from pathlib import Path

import pandas as pd
import streamlit as st

from xlite.data.eda.thumbnails import SIDE, thumbnail
from xlite.images import read_image
from xlite.serving.viewer_data import ViewerFilm


@st.cache_data(max_entries=1200, show_spinner=False)
def cached_thumbnail(path: str, changed: float, boxes: pd.DataFrame, side: int = SIDE) -> bytes:
    """A film as JPEG with its boxes; another time of its file makes it anew. Raises as `thumbnail`."""
    return thumbnail(Path(path), boxes, side)


@st.cache_resource(max_entries=8, show_spinner="Opening the film")
def cached_film(path: str, changed: float) -> ViewerFilm:
    """A film for the viewer, which every visitor shares; another time of its file makes it anew.

    Raises ImageError.
    """
    return ViewerFilm.of(read_image(Path(path)))
