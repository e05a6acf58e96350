import shlex
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st
from page_forecast import concerns_of, end_probe, films_of, show_concerns, show_forecast, show_refusal
from page_shared import (
    QUIET_BAR,
    ask_for_data,
    choose_named,
    choose_next,
    data_folder,
    go_to,
    show_command,
    show_log,
    table_height,
)
from page_study import choose_kind, choose_plan

from xlite.errors import XliteError
from xlite.messages import as_code, headline, in_field_titles, literal, page_sentence, said
from xlite.places import checkpoints_dir
from xlite.runs import form
from xlite.runs.run import Run
from xlite.runs.status import LIVE
from xlite.sweeps.check import check_sources
from xlite.sweeps.forecast import sample_config, study_basis, study_facts
from xlite.sweeps.kinds import KINDS
from xlite.sweeps.leaderboard_sentences import caption, verdict, warnings
from xlite.sweeps.leaderboard_table import leaderboard_rows
from xlite.sweeps.plan import Plan, without_password
from xlite.sweeps.status import SweepStatus, TrialStatus
from xlite.sweeps.sweep import Sweep
from xlite.sweeps.trials_table import FORMATS, trial_rows
from xlite.text import counted

if TYPE_CHECKING:
    import plotly.graph_objects as go


@st.fragment
def new_study() -> None:
    """The form, what the study would take, the command that does the same, and Start."""
    data = str(data_folder() or "")
    if not data:
        ask_for_data()
        return
    kind = choose_kind()
    if kind is None:
        return
    st.caption(KINDS[kind].told)
    st.caption(f"**Data folder** {as_code(data)}, as the sidebar has it")
    try:
        plan = choose_plan(kind, data)
        if plan is None:
            return
        config = sample_config(plan)
        concerns = concerns_of(config, films_of(config))
        show_concerns(concerns)
        show_refusal()
        refused = any(one.refuses for one in concerns)
        start, rest = st.columns([1, 4], vertical_alignment="top")
        with rest:
            show_forecast(config, refused, partial(study_facts, plan), study_basis(plan))
        if start.button("Start the study", type="primary", icon=":material/play_arrow:", disabled=refused):
            end_probe()
            with st.spinner("Starting", show_time=True):
                check_sources(plan)
                sweep = Sweep.open(plan)
                sweep.start()
            choose_next("study", sweep.name)
            st.rerun(scope="app")
        st.caption(f"{counted(plan.total(), 'run')}. The same from a terminal:")
        st.code(shlex.join(plan.command()), language="bash", wrap_lines=True)
    except (XliteError, OSError) as error:
        st.error(page_sentence(error))


def show_buttons(sweep: Sweep, status: SweepStatus) -> None:
    """Stop for a study that runs; Delete for one that does not, and Go on if it can."""
    if told := st.session_state.pop("study-error", ""):
        st.error(told)
    if status.state == "running":
        if sweep.stop_requested():
            st.button("Stopping", disabled=True, icon=":material/hourglass:")
        elif st.button("Stop", icon=":material/stop:", help="Its run gives up the epoch it is in."):
            sweep.stop()
            st.rerun()
        return
    if status.can_go_on and st.button("Go on", icon=":material/resume:", type="primary"):
        with st.spinner("Starting"):
            sweep.start()
        st.rerun()
    with st.popover("Delete", icon=":material/delete:"):
        sure = st.checkbox("Delete its plan, trials and leaderboard for good", key=f"sure-{sweep.name}")
        runs = st.checkbox("Its runs with their models too", key=f"runs-{sweep.name}", disabled=not sure)
        typed = st.text_input("Type its name to confirm", key=f"typed-{sweep.name}", disabled=not sure)
        certain = sure and typed == sweep.name
        st.button("Delete it", type="primary", disabled=not certain, on_click=delete, args=(sweep, runs))


def delete(sweep: Sweep, runs: bool) -> None:
    """Deletes a study, with its runs if told, and shows the one that is first then."""
    try:
        sweep.delete(sweep.runs() if runs else [])
    except (XliteError, OSError) as error:
        st.session_state["study-error"] = page_sentence(error)
        return
    choose_next("study", next((left.name for left in Sweep.list()), None))


def show_current(status: SweepStatus) -> None:
    """How far the study is, and the run that is training."""
    st.progress(status.share, text=f"{status.ended} of {counted(status.total, 'run')}")
    for name in status.running():
        run = Run(checkpoints_dir() / name).status()
        if run.state in LIVE:
            place = f"epoch {run.epoch_text}" if run.epoch else run.state
            told = in_field_titles(run.said)
            st.caption(said(": ".join(filter(None, [name, place, told]))))


def show_leaderboard(sweep: Sweep, status: SweepStatus) -> None:
    """The configurations so far, the first on top, and which is chosen once all is done."""
    from xlite.plots import trials_figure

    found = sweep.leaderboard()
    if found is None:
        st.caption("The leaderboard begins with the first run that finishes.")
        return
    st.subheader("Leaderboard")
    if outcome := verdict(found):
        (st.warning if found.chooses and found.winner is None else st.success)(said(outcome))
    if known := warnings(found):
        st.warning("  \n".join(map(said, known)), icon=":material/warning:")
    # Not a data frame: that keeps the widths of its first rows, and its last columns are out of sight.
    table = leaderboard_rows(found, unbroken=True)
    table = [row | {"Configuration": literal(row["Configuration"])} for row in table]
    st.table(table, border="horizontal", height=table_height(len(table), 45))
    st.caption(
        f"{literal(caption(found))} All metrics are of the runs that have finished. Validation and test AUC "
        "are means of single models ± standard deviation over the seeds. “Averaged” are the seeds' averaged "
        "probabilities; “First − this” compares those of the first row and this one on the same test films. "
        "Intervals are 95 %, by resampling patients; those of “First − this” and p hold for all pairs of the "
        "configurations compared together."
    )
    points = {row.name: status.val_aucs(row.runs) for row in found.rows}
    st.plotly_chart(
        trials_figure({name: values for name, values in points.items() if values}),
        key="trials",
        config=QUIET_BAR,
        alt="Validation AUC of each configuration, a point a seed; the table above has the same.",
    )


@st.cache_data(max_entries=8, show_spinner=False)
def searched(plan: str, trials: tuple[str, ...]) -> "tuple[go.Figure | None, dict[str, float]]":
    """Optuna's charts of a study's plan and trials, as JSON: parallel coordinates, and importance."""
    from xlite.sweeps.charts import as_optuna, importance, parallel_coordinates

    study = as_optuna(Plan.model_validate_json(plan), list(map(TrialStatus.model_validate_json, trials)))
    return parallel_coordinates(study), importance(study)


def show_searched(plan: Plan, status: SweepStatus) -> None:
    """Which settings go with which AUC, once there is something to compare."""
    from xlite.sweeps import charts

    ended = tuple(trial.model_dump_json() for trial in status.trials if trial.state == "finished")
    lines, shares = searched(plan.model_dump_json(), ended)
    if lines is None:
        return
    with st.expander("What the settings do", icon=":material/insights:", expanded=True):
        st.plotly_chart(
            lines,
            key="parallel",
            config=QUIET_BAR,
            alt="A line for each finished run across its settings and its validation AUC; the table of runs "
            "below has the same values.",
        )
        st.caption("A line is a run: from its validation AUC on the left across its settings.")
        if not shares:
            st.caption(f"How much each setting matters is here from {charts.FEWEST} finished runs on.")
            return
        bars = charts.importance_bars(shares)
        st.plotly_chart(
            bars, key="importance", config=QUIET_BAR, alt=f"Importance: {charts.importance_line(shares)}."
        )
        st.caption(
            "How much of the difference between runs goes with each setting (Optuna's fANOVA). With few runs "
            "it is a hint: what matters no more than the seed is noise."
        )


def show_trials(status: SweepStatus) -> None:
    """Every run of the study."""
    rows = trial_rows(status.trials, apart=True)
    columns = {name: st.column_config.NumberColumn(format=text) for name, text in FORMATS.items()}
    st.dataframe(rows, hide_index=True, placeholder="–", column_config=columns)
    st.caption("Each is an ordinary run.")
    if running := status.running():
        go_to("train", "Follow the run that trains", ":material/model_training:", run=running[0])


@st.fragment(run_every=2)
def watch(name: str, listed: list[str]) -> None:
    """One study, read anew from its files every two seconds: any tab sees the same."""
    if [sweep.name for sweep in Sweep.list()] != listed:
        st.rerun(scope="app")
    try:
        sweep = Sweep.named(name)
        status = sweep.status()
        head, buttons = st.columns([5, 2], vertical_alignment="center")
        head.markdown(headline(name, status.state, status.said))
        with buttons.container(horizontal=True, horizontal_alignment="right"):
            show_buttons(sweep, status)
        show_current(status)
        show_leaderboard(sweep, status)
        show_searched(sweep.plan(), status)
        if status.trials:
            st.subheader("Runs")
            show_trials(status)
        show_log(sweep)
        dashboard = ["optuna-dashboard", without_password(sweep.storage())]
        title = "Command, and the trials in Optuna's dashboard"
        show_command(title, sweep.plan().command(), dashboard)
    except (XliteError, OSError) as error:
        st.error(page_sentence(error))


st.title("Sweeps")
for refusal in form.not_meant(st.query_params):
    st.warning(page_sentence(refusal), icon=":material/link_off:")
names = [sweep.name for sweep in Sweep.list()]
opened = not names or form.is_asked_for(st.query_params, "kind", "planned", "varies", "after", "trials")
with st.expander("New study", icon=":material/add:", expanded=opened):
    new_study()
if selected := choose_named("Study", names, "study", "The one begun last first."):
    watch(selected, names)
elif not names:
    st.caption("No study yet. A study goes on if you leave this page, close the tab or stop the server.")
