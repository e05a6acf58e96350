"""The ways on from a run, the same on every page that shows one. Pages import it."""

from collections.abc import Callable, Iterator

import streamlit as st
from page_shared import done, go_to

from xlite.models.available import MODEL_FILE
from xlite.models.duty import Duty, duty, set_duty
from xlite.public import is_public
from xlite.runs.judged import REPORT_FILE
from xlite.runs.run import Run
from xlite.runs.status import LIVE


def show_run_links(run: Run, state: str, here: str, on_duty: Callable[[], Duty] = duty) -> None:
    """Links to what comes after a run, and the button that puts its model on duty once it has ended.

    here: the page that shows them, to which none leads; on_duty: tells the model on duty, and is asked only
    for a run at rest, as it looks at all models.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        for page, label, icon, query in _ways_on(run, state):
            if page != here:
                go_to(page, label, icon, **query)
        if state not in LIVE and run.path(MODEL_FILE).is_file():
            _offer_duty(run.name, on_duty().name)


def _ways_on(run: Run, state: str) -> Iterator[tuple[str, str, str, dict[str, str]]]:
    """Page, label, icon, and what its address says."""
    if state in LIVE:
        yield "train", "Watch it on Train", ":material/model_training:", {"run": run.name}
        return
    if run.path(REPORT_FILE).is_file():
        yield "results", "See its results", ":material/show_chart:", {"model": run.name}
    if run.path(MODEL_FILE).is_file():
        yield "classify", "Read a film with it", ":material/radiology:", {"model": run.name}
    yield "runs", "Among all runs", ":material/table_rows:", {"run": run.name}


def _offer_duty(name: str, on_duty: str) -> None:
    """The button that puts a run's model on duty; that it is there, if it is."""
    if name == on_duty:
        st.caption("On duty")
        return
    if is_public():
        return
    label, icon = "Put on duty", ":material/verified:"
    if st.button(label, icon=icon, type="tertiary", key=f"duty-{name}") and done(lambda: set_duty(name)):
        st.rerun()
