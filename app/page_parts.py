"""What several pages show alike. Streamlit puts the folder of `Home.py` on the path, so pages import it."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from xlite.messages import literal
from xlite.runs.run import Run
from xlite.runs.work_folder import WorkFolder
from xlite.serving.address import unknown
from xlite.text import number

QUIET_BAR = {"displayModeBar": False}
"""How pages show their figures: without Plotly's buttons."""

_PAGES = Path(__file__).resolve().parents[1] / "pages"
_LONG = 20
"""Rows of a table; more are scrolled."""


def table_height(rows: int, row_px: int) -> int | Literal["content"]:
    """The height of a table whose rows are so high: of all rows, or of as many as are shown at a time."""
    return "content" if rows <= _LONG else _LONG * row_px


def show_curves(run: Run) -> bool:
    """A run's learning curves; whether it has any yet."""
    from xlite.plots import finding_curves, learning_curves

    metrics = run.read_metrics()
    if not len(metrics):
        return False
    last = number(metrics.iloc[-1].get("val_auc"))
    alt = f"Loss and validation AUC by epoch, {len(metrics)} so far; the last has {last}."
    st.plotly_chart(learning_curves(metrics), key="curves", config=QUIET_BAR, alt=alt)
    if (curves := finding_curves(metrics)) is not None:
        with st.expander("AUC of each finding"):
            alt = "Validation AUC of each of the 14 findings by epoch."
            st.plotly_chart(curves, key="findings", config=QUIET_BAR, alt=alt)
    return True


def show_log(work: WorkFolder[Any]) -> None:
    """The end of a run's or study's log."""
    with st.expander("Log"):
        st.code(work.log_tail(40) or "nothing yet", language=None, height=260)


def show_command(title: str, *commands: Sequence[str]) -> None:
    """Commands to type in a terminal."""
    with st.expander(title):
        for words in commands:
            st.code(shlex.join(words), language="bash", wrap_lines=True)


def go_to(page: str, label: str, icon: str, **state: str) -> None:
    """A link to another page, which then shows what `state` says, by names of the address.

    No button: switching the page from code fails while the address holds the value of a widget.
    """
    there = st.Page(_PAGES / f"{page}.py", title=label, url_path=page)
    st.page_link(there, label=label, icon=icon, query_params=state)


def forget(key: str, name: str) -> None:
    """Has `choose_named` show the first one in the place of one that was deleted here."""
    st.session_state[f"{key}-deleted"] = name


def choose_named(kind: str, key: str, names: Sequence[str], help: str) -> str | None:
    """One of the runs or studies, the first unless the address names another; None if it has no such name.

    What the address asks for in vain is said, and nothing is shown in its place until somebody chooses.
    """
    gone = f"{key}-gone"
    missing, deleted = unknown(st.query_params, key, names), st.session_state.pop(f"{key}-deleted", None)
    if deleted and deleted in (missing, st.session_state.get(key)):
        st.session_state[key] = names[0]
    elif missing:
        st.session_state[gone], st.session_state[key] = missing, None
    elif st.session_state.get(key) not in (None, *names):  # deleted or renamed since
        st.session_state[gone], st.session_state[key] = st.session_state[key], None
    chosen: str | None = st.selectbox(
        kind.capitalize(),
        list(names),
        key=key,
        bind="query-params",
        help=help,
        placeholder=f"Choose a {kind}",
    )
    if chosen is None and (asked := st.session_state.get(gone)):
        st.error(
            f"There is no {kind} “{literal(asked)}” here: it was renamed or deleted, or is on another "
            "machine."
        )
    return chosen
