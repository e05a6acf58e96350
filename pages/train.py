import shlex
from typing import Any

import streamlit as st
from page_federation import choose_form, new_simulation, show_rounds, watch_served
from page_forecast import (
    concerns_of,
    end_probe,
    films_of,
    keep_seen,
    knows_teacher,
    show_concerns,
    show_films,
    show_forecast,
    show_refusal,
)
from page_run_links import show_run_links
from page_settings import setting_widget, settings_in_columns
from page_shared import (
    ask_for_data,
    choose_named,
    choose_next,
    data_folder,
    go_to,
    say_unknown,
    show_command,
    show_curves,
    show_log,
)

from xlite.config import TrainConfig, make_config
from xlite.errors import XliteError
from xlite.extras import lacking
from xlite.federated.federation import Federation
from xlite.federated.form import FORM_KEYS
from xlite.federated.simulation import command_of
from xlite.messages import headline, literal, page_sentence
from xlite.presets import PRESET, PRESET_NOTES, PRESET_TITLES, settings_of
from xlite.runs import form, slurm
from xlite.runs.command import start_command
from xlite.runs.run import Run
from xlite.runs.status import LIVE, RunStatus, facts

SHARES = [3, 3, 1.5, 2]


def take_preset() -> None:
    """Sets all that presets speak of to what the one chosen has, or to the defaults."""
    values = settings_of(st.session_state["preset"] or "")
    for name in form.OF_PRESETS:
        st.session_state[name] = values[name]


def choose_preset() -> str:
    """The preset that the form begins with; empty for none. The three phases lead to Sweeps."""
    say_unknown("preset", list(PRESET_TITLES.values()), "preset")
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    preset: str | None = left.pills(
        PRESET.field_title,
        list(PRESET_TITLES),
        format_func=PRESET_TITLES.__getitem__,
        key="preset",
        bind="query-params",
        on_change=take_preset,
    )
    with right:
        go_to("sweeps", "The three phases", ":material/grid_view:")
    st.caption(
        PRESET_NOTES.get(preset or "", "")
        or "Nothing chosen: each setting is at its default, as `xlite train` has it. The three phases "
        "compare students, then how they are taught, and train the winner."
    )
    return preset or ""


def choose_settings(data: str, preset: str) -> dict[str, Any]:
    """The short form, and all other settings folded away, in groups."""
    values = settings_of(preset)
    chosen: dict[str, Any] = {"data": data}
    for name, column in zip(form.SHORT, st.columns(SHARES), strict=True):
        with column:
            chosen[name] = setting_widget(name, values[name])
    with st.expander("All other settings", icon=":material/tune:"):
        groups = form.groups()
        for tab, (group, names) in zip(st.tabs(list(groups)), groups.items(), strict=True):
            with tab:
                if note := form.note_of(group):
                    st.caption(note)
                chosen |= settings_in_columns(names, values)
    return chosen


def choose_launcher() -> list[str] | None:
    """The options of sbatch if a SLURM cluster is to train the run, None for this machine."""
    if not slurm.is_available():
        return None
    chosen = st.segmented_control("Train on", ["This machine", "SLURM cluster"], default="This machine")
    if chosen != "SLURM cluster":
        return None
    text = st.text_area(
        "Options of sbatch, one a line",
        placeholder="--partition=gpu\n--gres=gpu:1\n--time=8:00:00",
        help="A pre-empted job goes back into SLURM's queue and goes on after its last finished epoch.",
    )
    return [line.strip() for line in text.splitlines() if line.strip()]


@st.fragment
def new_run() -> None:
    """The form, what it would take, the command that does the same, and Start."""
    if sentence := lacking("train", "Training"):
        st.info(sentence)
        return
    data = str(data_folder() or "")
    if not data:
        ask_for_data()
        return
    if choose_form():
        new_simulation(data)
        return
    preset = choose_preset()
    folder = st.empty()
    with folder:
        show_films(data, None)
    chosen = choose_settings(data, preset)
    try:
        config = make_config(chosen)
        films = films_of(config)
        with folder:
            show_films(data, films)
        options = choose_launcher()
        concerns = concerns_of(config, films)
        show_concerns(concerns)
        show_refusal()
        refused = any(one.refuses for one in concerns)
        place, rest = st.columns([1, 4], vertical_alignment="top")
        with rest:
            show_forecast(config, disabled=refused)
        label = "Start all the same" if knows_teacher(concerns) else "Start training"
        if place.button(label, type="primary", icon=":material/play_arrow:", disabled=refused, key="start"):
            start(config, options, told=knows_teacher(concerns))
        with st.expander("The same from a terminal", icon=":material/terminal:"):
            st.code(shlex.join(start_command(config, options)), language="bash", wrap_lines=True)
    except (XliteError, OSError) as error:
        st.error(page_sentence(error))


def start(config: TrainConfig, options: list[str] | None, told: bool) -> None:
    """Makes the run and starts it; `told` if it was said what its teacher has seen, which is said first."""
    from xlite.training.start import start_run

    end_probe()
    with st.spinner("Looking for all that it names, and starting", show_time=True):
        made = start_run(config, options, told)
    if isinstance(made, Run):
        choose_next("run", made.name)
        st.rerun(scope="app")
    keep_seen(config, made)
    st.rerun()


def show_status(status: RunStatus) -> None:
    """How far the run is, in one row of facts and a bar."""
    with st.container(horizontal=True, gap="large"):
        for title, text in facts(status).items():
            st.markdown(f":gray[{title}]  \n**{literal(text)}**", width="content")
    if status.state in LIVE and (status.steps or status.unit == "epoch"):
        st.progress(status.share, text=status.step_text)


def show_buttons(run: Run, state: str) -> None:
    """Stop for a live run, Resume for one that can go on; nothing for a client's: its federation decides."""
    if run.is_client():
        return
    if state in LIVE:
        if run.stop_requested():
            st.button("Stopping", disabled=True, icon=":material/hourglass:")
        elif st.button(
            "Stop",
            icon=":material/stop:",
            help="Gives up the epoch or the round it is in; resume repeats that.",
        ):
            run.stop()
            st.rerun()
    elif run.can_resume() and st.button("Resume", icon=":material/resume:", type="primary"):
        with st.spinner("Starting"):
            run.resume()
        st.rerun()


@st.fragment(run_every=2)
def watch(name: str, listed: list[str]) -> None:
    """One run, read anew from its files every two seconds: any tab sees the same."""
    if [run.name for run in Run.list()] != listed:
        st.rerun(scope="app")
    try:
        run = Run.named(name)
        status = run.status()
        head, buttons = st.columns([5, 1], vertical_alignment="center")
        head.markdown(headline(name, status.state, status.said))
        with buttons.container(horizontal=True, horizontal_alignment="right"):
            show_buttons(run, status.state)
        show_status(status)
        show_run_links(run, status.state, "train")
        if not (show_rounds(run.folder) or show_curves(run)):
            untrained = "Nothing was trained. Start it anew under its name, or delete it on the Runs page."
            begin = f"The curves begin after the first {status.unit}."
            st.caption(untrained if run.failed_untrained() else begin)
        show_log(run)
        if not run.is_client():  # its own command would train it alone
            show_command("Command and settings", command_of(run))
    except (XliteError, OSError) as error:
        st.error(page_sentence(error))


st.title("Train")
for refusal in form.not_meant(st.query_params):
    st.warning(page_sentence(refusal), icon=":material/link_off:")
names = [run.name for run in Run.list()]
servers = [one.name for one in Federation.served()]
opened = not names or form.is_asked_for(st.query_params, *FORM_KEYS)
with st.expander("New run", icon=":material/add:", expanded=opened):
    new_run()
tip = "Newest first, then servers of federations. The address of this page keeps the choice."
selected = choose_named("Run", [*names, *servers], "run", tip)
if selected in servers:
    watch_served(selected)
elif selected:
    watch(selected, names)
elif not (names or servers):
    st.caption("No run yet. A run goes on if you leave this page, close the tab or stop the server.")
