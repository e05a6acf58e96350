from collections.abc import Callable

import streamlit as st
from page_parts import show_command, show_curves, show_log, table_height

from xlite.errors import XliteError
from xlite.messages import headline, literal, page_sentence
from xlite.places import checkpoints_dir
from xlite.runs.command import train_command
from xlite.runs.results import readable_and_damaged, to_csv
from xlite.runs.rows import experiment_rows, run_rows
from xlite.runs.run import Run
from xlite.runs.status import LIVE, facts


@st.fragment(run_every=5)
def runs_table() -> None:
    """Every run of this home, newest first, renewed while one looks."""
    runs, damaged = Run.readable_and_damaged()
    for error in damaged:
        st.warning(page_sentence(error), icon=":material/warning:")
    rows = run_rows(runs)
    if not rows:
        st.caption("No run yet: start one on the Train page, or by `xlite train`.")
        return
    columns = {
        "Best val AUC": st.column_config.NumberColumn(format="%.3f"),
        "Best epoch": None,
        "Minutes": st.column_config.NumberColumn(format="%.1f"),
    }
    st.dataframe(rows, hide_index=True, placeholder="–", column_config=columns)


@st.fragment(run_every=2)
def one_run(name: str) -> None:
    """One run, read anew every two seconds from its files: how far it is, what can be done, curves, log."""
    run = Run(checkpoints_dir() / name)
    if not run.path("config.json").exists():  # renamed or deleted, here or by somebody else
        st.rerun(scope="app")
    try:
        status = run.status()
        st.markdown(headline(name, status.state, status.said))
        st.caption("  ·  ".join(f"{title} {literal(text)}" for title, text in facts(status).items()))
        show_actions(run, status.state)
        show_curves(run)
        show_log(run)
        show_command("Command and settings", train_command(run.config()))
    except (XliteError, OSError) as error:
        st.error(page_sentence(error))


def show_actions(run: Run, state: str) -> None:
    """Stop for a live run; resume, rename and delete for one that is at rest."""
    with st.container(horizontal=True):
        if state in LIVE:
            if st.button("Stop", icon=":material/stop:", disabled=run.stop_requested()) and done(run.stop):
                st.rerun()
            return
        if run.can_resume() and st.button("Resume", icon=":material/resume:") and done(run.resume):
            st.rerun()
        with st.popover("Rename", icon=":material/edit:"):
            new_name = st.text_input("New name", run.name, key=f"rename-{run.name}")
            asked = st.button("Rename it", disabled=new_name == run.name)
            if asked and done(lambda: run.rename(new_name)):
                st.query_params["run"] = new_name
                st.rerun(scope="app")
        with st.popover("Delete", icon=":material/delete:"):
            sure = st.checkbox("Delete its model, curves and log for good", key=f"sure-{run.name}")
            typed = st.text_input("Type its name to confirm", key=f"typed-{run.name}", disabled=not sure)
            asked = st.button("Delete it", type="primary", disabled=not sure or typed != run.name)
            if asked and done(run.delete):
                st.rerun(scope="app")


def done(act: Callable[[], object]) -> bool:
    """Does what a button says; shows a sentence if that cannot be done."""
    try:
        act()
    except (XliteError, OSError) as error:
        st.error(page_sentence(error))
        return False
    return True


def experiments_table() -> None:
    """experiments/results.csv, a row a finished experiment."""
    try:
        experiments, damage = readable_and_damaged()
    except XliteError as error:
        st.error(page_sentence(error))
        return
    if damage:
        st.warning(page_sentence(damage), icon=":material/warning:")
    if not experiments:
        st.caption("Finished runs are logged here (`experiments/results.csv`).")
        return
    # Not a data frame: that strikes nothing through, and cuts the notes off.
    table = experiment_rows(reversed(experiments))
    with st.container(key="experiments"):
        st.table(table, border="horizontal", height=table_height(len(table), 70))
    st.caption(
        "Struck through: the teacher knows test films; it was trained or chosen on so many of them. "
        "The notes name the split of a row. Metrics on different splits cannot be ranked against each other. "
        "The CSV has more columns: attention, training loss, size and time."
    )
    st.download_button(
        "Download CSV", to_csv(experiments), "results.csv", "text/csv", icon=":material/download:"
    )


st.title("Runs")
st.caption("The same as `xlite jobs`. Runs start on the Train page and are compared on the Results page.")
runs_table()
if names := [run.name for run in Run.list()]:
    asked = st.query_params.get("run")
    selected = st.selectbox("Run", names, index=names.index(asked) if asked in names else 0)
    st.query_params["run"] = selected
    one_run(selected)
st.subheader("Finished experiments")
experiments_table()
