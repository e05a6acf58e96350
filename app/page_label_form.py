"""The form of the Label page: a Streamlit component, whose parts lie in `viewer/` beside the viewer's."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st
from film_viewer import part, script

SOURCES_OF_FORM = ("board", "key_row", "label_draft", "label_keys", "label_rows", "label_form")
"""The modules of the script, each behind those that it imports."""
_FORM = st.components.v2.component(
    "xlite_label_form",
    html=part("label_form.html"),
    css=part("label_form.css"),
    js=script(SOURCES_OF_FORM),
)


def show_form(data: Mapping[str, Any], key: str, on_sent: Callable[[Mapping[str, Any]], None]) -> None:
    """The 14 findings to answer, as `form_data` says; `on_sent` is told what a reader sends.

    That is before the page is drawn anew. What is not yet saved stays in the browser.
    """

    def report() -> None:
        if sent := st.session_state[key].get("sent"):
            on_sent(sent)

    _FORM(key=key, data=dict(data), on_sent_change=report)
