"""What several pages show alike. Streamlit puts the folder of `Home.py` on the path, so pages import it."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from xlite.public import folder_of, is_public
from xlite.runs.run import Run
from xlite.runs.work_folder import WorkFolder

QUIET_BAR = {"displayModeBar": False}
"""How pages show their figures: without Plotly's buttons."""

_LONG = 20
"""Rows of a table; more are scrolled."""


def data_folder() -> Path | None:
    """The data folder of the sidebar, None before one is chosen; DataError for one that is not offered."""
    said = st.session_state.get("data")
    return folder_of(said) if said else None


def table_height(rows: int, row_px: int) -> int | Literal["content"]:
    """The height of a table whose rows are so high: of all rows, or of as many as are shown at a time."""
    return "content" if rows <= _LONG else _LONG * row_px


def show_curves(run: Run) -> bool:
    """A run's learning curves; whether it has any yet."""
    from xlite.plots import finding_curves, learning_curves

    metrics = run.read_metrics()
    if not len(metrics):
        return False
    st.plotly_chart(learning_curves(metrics), key="curves", config=QUIET_BAR)
    if (curves := finding_curves(metrics)) is not None:
        with st.expander("AUC of each finding"):
            st.plotly_chart(curves, key="findings", config=QUIET_BAR)
    return True


def show_log(work: WorkFolder[Any]) -> None:
    """The end of a run's or study's log: not for strangers, as it names folders of this machine."""
    if is_public():
        return
    with st.expander("Log"):
        st.code(work.log_tail(40) or "nothing yet", language=None, height=260)


def show_command(title: str, *commands: Sequence[str]) -> None:
    """Commands to type in a terminal: not for strangers, who have none on this machine."""
    if is_public():
        return
    with st.expander(title):
        for words in commands:
            st.code(shlex.join(words), language="bash", wrap_lines=True)
