"""From one film of a list to its neighbours: two buttons, and a key for each."""

from collections.abc import Callable

import streamlit as st


def show_steps(before: str, after: str, open_film: Callable[[str], None], words: str) -> None:
    """Previous and Next, and where in the list the film is; a neighbour that is empty does not exist.

    The keys work all over the page, in the film viewer, too, which leaves them to it.
    """
    for label, key, shortcut, name in (
        ("Previous", "film-before", "W", before),
        ("Next", "film-after", "E", after),
    ):
        st.button(label, key=key, disabled=not name, on_click=open_film, args=(name,), shortcut=shortcut)
    st.caption(words, width="content")
