"""The film viewer as pages show it: a Streamlit component, whose parts lie in `viewer/`.

And a second one that brings it the film: a message of its own, which Streamlit sends once, however often a
finding, a map or a box makes another payload for the viewer.
"""

import re
from collections.abc import Callable, Iterable, Mapping

import streamlit as st

from xlite.places import bundled
from xlite.serving.viewer_data import FilmBox, ViewerFilm, ViewerMap, pack

SOURCES = (
    *("payload", "films", "board", "geometry", "pixels", "pictures", "stage", "keys", "key_row", "pointers"),
    *("panel", "viewer"),
)
"""The modules of the script, each behind those that it imports."""
SOURCES_OF_HOLDER = ("payload", "films", "holder")


def script(sources: Iterable[str] = SOURCES) -> str:
    """The modules as one: a component's script is a text, and a text has no files to import from."""
    texts = [part(f"{name}.js") for name in sources]
    return "\n".join(
        re.sub(r"^(import .*\n|export (?!default))", "", text, flags=re.MULTILINE) for text in texts
    )


def part(name: str) -> str:
    """A file of `viewer/` as text."""
    return bundled("app", "viewer", name).read_text(encoding="utf-8")


_VIEWER = st.components.v2.component(
    "xlite_film_viewer", html=part("viewer.html"), css=part("viewer.css"), js=script()
)
_HOLDER = st.components.v2.component(
    "xlite_film", html='<div class="film"></div>', js=script(SOURCES_OF_HOLDER)
)


def show_viewer(
    film: ViewerFilm,
    *,
    name: str,
    key: str,
    maps: Mapping[str, ViewerMap] | None = None,
    finding: str | None = None,
    boxes: Iterable[FilmBox] = (),
    choose: bool = True,
    on_finding: Callable[[str], None] | None = None,
) -> None:
    """A film to zoom, turn and window, with its maps by finding and its boxes.

    `finding` is shown first, else the first of the maps; the others are a key away, without a word to the
    server. If a visitor settles on another, `on_finding` is told before the page is drawn anew: a page whose
    own list it is to follow sets that in the session. `choose`: whether the viewer has such a list itself.
    Zoom and contrast stay as long as the film does, colours and opacity as long as the page.
    """

    def report() -> None:
        chosen: str = (st.session_state[key].get("finding") or {}).get("name", "")
        if on_finding is not None and chosen in (maps or {}):
            on_finding(chosen)

    with st.container(gap=None):
        _HOLDER(key=f"{key}-film", data=film.payload)
        _VIEWER(key=key, data=pack(film, name, maps, finding, boxes, choose), on_finding_change=report)
