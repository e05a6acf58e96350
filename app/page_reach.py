"""What Streamlit shows and no key reaches: a component without a look of its own that the frame draws."""

from pathlib import Path

import streamlit as st

_SCRIPT = Path(__file__).with_name("page_reach.js")
_REACH = st.components.v2.component("xlite_reach", html="<div></div>", js=_SCRIPT.read_text(encoding="utf-8"))


def let_keys_reach() -> None:
    """From now on tables that scroll sideways take the focus, on whatever page they are."""
    with st.container(key="reach"):
        _REACH(key="xlite-reach")
