"""What several pages show alike. Streamlit puts the folder of `Home.py` on the path, so pages import it."""

import shlex
from collections.abc import Collection, Sequence
from typing import Any, Literal

import streamlit as st

from xlite.messages import literal
from xlite.runs.run import Run
from xlite.runs.work_folder import WorkFolder
from xlite.serving.address import unknown

QUIET_BAR = {"displayModeBar": False}
"""How pages show their figures: without Plotly's buttons."""

_LONG = 20
"""Rows of a table; more are scrolled."""


def table_height(rows: int, row_px: int) -> int | Literal["content"]:
    """The height of a table whose rows are so high: of all rows, or of as many as are shown at a time."""
    return "content" if rows <= _LONG else _LONG * row_px


def choose_named(label: str, names: Sequence[str], key: str, help: str | None = None) -> str | None:
    """The run or study that a person chooses, at first the first; the address has it under the key.

    None, with a sentence, while the address asks for one that is not here: no other is shown in its place.
    """
    session = st.session_state
    # The address has the old name until the choice is drawn anew.
    asked = None if session.pop(f"set-{key}", False) else unknown(st.query_params, key, names)
    if asked is None and session.get(key) is not None and session[key] not in names:
        asked = session[key]  # renamed or deleted since it was chosen
    if asked is not None:
        session[f"asked-{key}"], session[key] = asked, None
    elif names and key not in session and key not in st.query_params:
        # No default of the widget: an address would leave it out, and tomorrow it is another one.
        session[key] = st.query_params[key] = names[0]
    place = st.empty()
    chosen = None
    if names:
        hint = "Choose one"
        chosen = st.selectbox(
            label, names, index=None, placeholder=hint, help=help, key=key, bind="query-params"
        )
    if chosen is not None:
        session.pop(f"asked-{key}", None)
    elif asked := session.get(f"asked-{key}"):
        other = " Choose another one." if names else ""
        place.warning(
            f"There is no {label.lower()} **{literal(asked)}** to open here: it was renamed, deleted or "
            f"damaged, or is of another home.{other}",
            icon=":material/warning:",
        )
    return chosen


def choose_next(key: str, name: str | None) -> None:
    """Has `choose_named` show that one, or none, in the next run of the page, whatever the address says."""
    st.session_state[key], st.session_state[f"set-{key}"] = name, True


def say_unknown(key: str, choices: Collection[str], what: str) -> None:
    """A sentence if the address asks for what is not here; called before the widget that takes several."""
    asked = [one for one in st.query_params.get_all(key) if one and one not in choices]
    if asked:
        names = ", ".join(map(literal, asked))
        st.warning(f"The address asks for {what} that are not here: {names}.", icon=":material/warning:")


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
    """The end of a run's or study's log."""
    with st.expander("Log"):
        st.code(work.log_tail(40) or "nothing yet", language=None, height=260)


def show_command(title: str, *commands: Sequence[str]) -> None:
    """Commands to type in a terminal."""
    with st.expander(title):
        for words in commands:
            st.code(shlex.join(words), language="bash", wrap_lines=True)
