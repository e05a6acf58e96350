"""What keys reach if Streamlit has it otherwise: a component without a look, which the frame draws."""

from pathlib import Path

import streamlit as st

_SCRIPT = Path(__file__).with_name("page_reach.js")
_REACH = st.components.v2.component("xlite_reach", html="<div></div>", js=_SCRIPT.read_text(encoding="utf-8"))


def let_keys_reach() -> None:
    """From now on tables that scroll sideways take the focus, and a reader's name that is given leaves it."""
    with st.container(key="reach"):
        _REACH(key="xlite-reach")
