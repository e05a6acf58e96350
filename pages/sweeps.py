import os
import shlex
from typing import Any

import streamlit as st
from page_parts import QUIET_BAR, show_command, show_log, table_height

from xlite.config import MOST_FOLDS, TrainConfig
from xlite.data.strategies import LEAK_FREE
from xlite.errors import XliteError
from xlite.messages import field_title, headline, in_field_titles, literal, page_sentence, said
from xlite.places import checkpoints_dir
from xlite.runs.run import Run
from xlite.runs.status import LIVE
from xlite.sweeps.check import check_sources
from xlite.sweeps.crossfit import FOLDS, plan_crossfit
from xlite.sweeps.leaderboard_table import leaderboard_rows
from xlite.sweeps.phases import BACKBONES, SEEDS, SHARE_TEXT, plan_phase
from xlite.sweeps.plan import Design, Kind, Plan, make_plan, parse_vary, without_password
from xlite.sweeps.status import SweepStatus
from xlite.sweeps.sweep import Sweep
from xlite.text import counted

KINDS: dict[Kind, str] = {
    "phase1": "Phase 1",
    "phase2": "Phase 2",
    "phase3": "Phase 3",
    "search": "Search",
    "crossfit": "Cross-fit",
}
ABOUT: dict[Kind, str] = {
    "phase1": f"Students alone: each backbone with and without attention, on {SHARE_TEXT} of the train part.",
    "phase2": "Distillation: each backbone with two temperatures and two alphas, on "
    f"{SHARE_TEXT} of the train part, with the attention that phase 1 chose and all that phase 1 was given.",
    "phase3": "The winner of phase 2, or of phase 1 if there is no phase 2, on the whole train part.",
    "search": "Any settings of a run: a grid of all combinations, or so many that Optuna's TPE picks.",
    "crossfit": "A teacher for all training films: each run leaves one fold of the train part out and "
    "answers for its films, so that none teaches what it knows by heart.",
}
COMMON = ["image_size", "epochs", "batch_size"]
DIGITS = {"Val AUC": "%.4f", "Test AUC": "%.4f"}


def choose_fixed(follows: bool) -> dict[str, Any]:
    """The settings that every trial shares; a phase that follows another takes over what is not given."""
    names = [name for name in TrainConfig.model_fields if name not in ("data", "name", "split", "teacher")]
    chosen = st.multiselect(
        "Settings that stay fixed",
        names,
        default=[] if follows else COMMON,
        format_func=field_title,
        help="All others are at their defaults, or as in the study that this one follows.",
    )
    fixed = {}
    columns = st.columns(4)
    for place, name in enumerate(chosen):
        field = TrainConfig.model_fields[name]
        with columns[place % 4]:
            fixed[name] = st.text_input(
                field_title(name), str(field.default), help=field.description, key=f"fixed-{name}"
            )
    return fixed


def choose_plan(kind: Kind) -> Plan | None:
    """The form of one kind of study, None before it has a data folder; XliteError if it is not complete."""
    first, second, third, fourth = st.columns([3, 3, 4, 2])
    study = first.text_input("Name", kind, key=f"study-{kind}", help="A study goes on under its name.")
    split = second.selectbox("Split", LEAK_FREE, accept_new_options=True)
    data = third.text_input("Data folder", st.session_state.get("data", ""))
    seeds = fourth.number_input(
        "Seeds", 1, value=1 if kind in ("search", "crossfit") else SEEDS, key=f"seeds-{kind}"
    )
    if not data:
        st.info("Name a data folder above or in the sidebar; then the rest of the form is here.")
        return None
    given: dict[str, Any] = {"data": os.path.expanduser(data), "split": split}
    if kind == "search":
        return choose_search(study, given, seeds)
    if kind == "crossfit":
        folds = st.number_input("Folds", 2, MOST_FOLDS, FOLDS, help="Of the train part, by patient.")
        return plan_crossfit(given | choose_fixed(follows=False), int(folds), Design(study, seeds))
    backbones, after = [], ""
    if kind in ("phase2", "phase3"):
        studies = [""] + [sweep.name for sweep in Sweep.list()]
        after = st.selectbox("After", studies, format_func=lambda name: name or "the phase before") or ""
    if kind == "phase2" and (teacher := st.text_input("Teacher", help=teacher_help())):
        given["teacher"] = teacher
    if kind == "phase1":
        backbones = st.multiselect("Backbones", BACKBONES, default=BACKBONES, accept_new_options=True)
    given |= choose_fixed(follows=kind != "phase1")
    return plan_phase(kind, given, Design(study, seeds, after=after), backbones)


def choose_search(study: str, given: dict[str, Any], seeds: int) -> Plan:
    """The form of a search: what varies, how many trials, and what stays fixed."""
    left, right = st.columns([4, 1])
    vary = left.text_area(
        "What varies, a line each", "lr=1e-4..1e-2:log", help="backbone=a,b or lr=1e-4..1e-2:log"
    )
    trials = right.number_input("Trials", 0, value=20, help="How many TPE picks; 0 tries them all.")
    given |= choose_fixed(follows=False)
    varying = dict(parse_vary(line) for line in vary.splitlines() if line.strip())
    return make_plan("search", given, varying, Design(study, seeds, trials, prune=True))


def teacher_help() -> str | None:
    """What a teacher may be."""
    return TrainConfig.model_fields["teacher"].description


@st.fragment
def new_study() -> None:
    """The form, the command that does the same, and Start."""
    kind = st.segmented_control(
        "Kind", list(KINDS), default="phase1", format_func=KINDS.__getitem__, label_visibility="collapsed"
    )
    if kind is None:
        return
    st.caption(ABOUT[kind])
    try:
        plan = choose_plan(kind)
        if plan is None:
            return
        st.caption(f"{counted(plan.total(), 'run')}. The same from a terminal:")
        st.code(shlex.join(plan.command()), language="bash", wrap_lines=True)
        if st.button("Start the study", type="primary", icon=":material/play_arrow:"):
            with st.spinner("Starting", show_time=True):
                check_sources(plan)
                sweep = Sweep.open(plan)
                sweep.start()
            st.query_params["study"] = sweep.name
            st.rerun(scope="app")
    except (XliteError, OSError) as error:
        st.error(page_sentence(error))


def show_buttons(sweep: Sweep, status: SweepStatus) -> None:
    """Stop for a study that runs; Delete for one that does not, and Go on if it can."""
    if status.state == "running":
        if sweep.stop_requested():
            st.button("Stopping", disabled=True, icon=":material/hourglass:")
        elif st.button("Stop", icon=":material/stop:", help="Its run gives up the epoch it is in."):
            sweep.stop()
            st.rerun()
        return
    can_go_on = status.state != "finished" or status.count("failed")
    if can_go_on and st.button("Go on", icon=":material/resume:", type="primary"):
        with st.spinner("Starting"):
            sweep.start()
        st.rerun()
    with st.popover("Delete", icon=":material/delete:"):
        sure = st.checkbox("Delete its plan, trials and leaderboard for good", key=f"sure-{sweep.name}")
        runs = st.checkbox("Its runs with their models too", key=f"runs-{sweep.name}", disabled=not sure)
        typed = st.text_input("Type its name to confirm", key=f"typed-{sweep.name}", disabled=not sure)
        if st.button("Delete it", type="primary", disabled=not sure or typed != sweep.name):
            sweep.delete(sweep.runs() if runs else [])
            st.rerun(scope="app")


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
    if found.verdict:
        (st.warning if found.chooses and found.winner is None else st.success)(said(found.verdict))
    if found.warnings:
        st.warning("  \n".join(map(said, found.warnings)), icon=":material/warning:")
    # Not a data frame: that keeps the widths of its first rows, and its last columns are out of sight.
    table = leaderboard_rows(found, unbroken=True)
    table = [row | {"Configuration": literal(row["Configuration"])} for row in table]
    st.table(table, border="horizontal", height=table_height(len(table), 45))
    st.caption(
        f"{literal(found.caption)} All metrics are of the runs that have finished. Val and Test AUC are "
        "means of single models ± standard deviation over the seeds. “Averaged” are the seeds' averaged "
        "probabilities; “First − this” compares those of the first row and this one on the same test films. "
        "Intervals are 95 %, by resampling patients; those of “First − this” and p hold for all pairs of the "
        "configurations compared together."
    )
    points = {row.name: status.val_aucs(row.runs) for row in found.rows}
    st.plotly_chart(
        trials_figure({name: values for name, values in points.items() if values}),
        key="trials",
        config=QUIET_BAR,
    )


def show_trials(status: SweepStatus) -> None:
    """Every run of the study."""
    rows = [
        {
            "Run": trial.run,
            "State": trial.state,
            **{field_title(name): value for name, value in trial.values.items()},
            "Val AUC": trial.val_auc,
            "Test AUC": trial.test_auc,
            "Message": in_field_titles(trial.said),
        }
        for trial in status.trials
    ]
    columns = {name: st.column_config.NumberColumn(format=DIGITS[name]) for name in ("Val AUC", "Test AUC")}
    st.dataframe(rows, hide_index=True, placeholder="–", column_config=columns)
    st.caption("Each is an ordinary run: follow it on the Train page.")


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
names = [sweep.name for sweep in Sweep.list()]
with st.expander("New study", icon=":material/add:", expanded=not names):
    new_study()
if names:
    asked = st.query_params.get("study")
    place = names.index(asked) if asked in names else 0
    selected = st.selectbox("Study", names, index=place, help="The one begun last first.")
    st.query_params["study"] = selected
    watch(selected, names)
else:
    st.caption("No study yet. A study lives on when this page, this tab or the server goes.")
