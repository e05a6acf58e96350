import functools
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import streamlit as st
from page_run_links import show_run_links
from page_shared import OWNERS, being_drawn, data_folder, done, go_to, offer_phantom

from xlite.data.folder import Changes, changes
from xlite.data.small_phantom import drawing_of
from xlite.errors import CheckpointError, DataError, XliteError
from xlite.evaluation.report import Report
from xlite.extras import lacking
from xlite.messages import as_code, headline, page_sentence, said
from xlite.models.available import MODEL_FILE, model_files, model_folders
from xlite.models.duty import Duty, duty, reset_duty, set_duty
from xlite.public import is_public
from xlite.report.duty import score, warning
from xlite.report.overview import (
    Headline,
    auc_of,
    data_headline,
    device_headline,
    disk_headline,
    free_space,
    low_disk,
    model_headline,
)
from xlite.report.saved import on_test_films
from xlite.runs import first_run
from xlite.runs.recent_runs import RunNow, runs_now
from xlite.runs.status import LIVE
from xlite.sweeps.sweep import Sweep

HERE = Path(__file__).parent
LATEST = 5
NEXT = [
    (
        *("classify", "Read a film", ":material/radiology:"),
        "Upload one, or take a synthetic one, and see its findings with maps.",
    ),
    (
        *("explore", "Explore the data", ":material/query_stats:"),
        "Counts, co-occurrence, ages, views, films with their boxes.",
    ),
    (
        *("label", "Label films", ":material/edit_note:"),
        "By keyboard, with several readers; the labels make a data folder to train on.",
    ),
    (
        *("train", "Train a student", ":material/model_training:"),
        "Alone or from a teacher; stop and resume whenever you like.",
    ),
    (
        *("results", "Compare results", ":material/show_chart:"),
        "ROC curves and AUC with intervals, split by split.",
    ),
]


@st.cache_data(max_entries=8, ttl=600, show_spinner=False)
def cached_data_headline(path: Path, changed: Changes) -> Headline:
    """What is in a data folder; `changed` renews the cache."""
    return data_headline(path)


def card(label: str, found: Headline) -> None:
    """What a card of the overview looks like."""
    st.markdown(f":gray[{label}]  \n**{found.value}**")
    st.caption(found.detail)


def report_of(path: Path) -> Report | None:
    """The report on test films beside a model; a sentence in its place if it is damaged."""
    try:
        return on_test_films(path)
    except DataError as error:
        st.warning(page_sentence(error), icon=":material/warning:")
        return None


def model_card(on_duty: Duty, change: bool) -> None:
    """The model on duty, how good it is, and the way to another one."""
    if on_duty.fault:
        st.warning(page_sentence(CheckpointError(on_duty.fault)), icon=":material/warning:")
    try:
        card("Model on duty", model_headline(on_duty))
    except (XliteError, OSError) as error:
        st.error(page_sentence(error))
    if on_duty.path:
        report = report_of(on_duty.path)
        card("Mean test AUC", auc_of(report))
        if report and on_duty.path.parent in model_folders():
            go_to("results", "All of its results", ":material/show_chart:", model=on_duty.path.parent.name)
    if change:
        choose_another(on_duty)


@st.fragment
def choose_another(on_duty: Duty) -> None:
    """Puts another run or file on duty, and says before what it scored and whether that can be relied on."""
    box = st.popover("Choose another", icon=":material/swap_horiz:", key="choose", on_change="rerun")
    if not box.open:
        return
    with box:
        files = model_files()
        chosen = st.selectbox(
            "Model",
            [name for name in files if name != on_duty.name],
            index=None,
            placeholder="a run, or the path of a model file",
            format_func=lambda name: f"{name}, {scored(files[name])}" if name in files else name,
            accept_new_options=True,
            help="What pages, `xlite share` and `xlite serve` read with if no model is named.",
        )
        if chosen:
            path = files.get(chosen, Path(os.path.expanduser(chosen)))
            if sentence := warning(report_of(path)):
                st.warning(said(sentence), icon=":material/warning:")
            if st.button("Put on duty", type="primary") and done(lambda: set_duty(str(path))):
                st.rerun(scope="app")
        if (on_duty.chosen or on_duty.fault) and st.button("Back to the shipped model") and done(reset_duty):
            st.rerun(scope="app")


def scored(path: Path) -> str:
    """What a model scored on its test films."""
    try:
        return score(on_test_films(path))
    except DataError:
        return "its report is damaged"


@st.cache_data(max_entries=64, show_spinner=False)
def cached_score(path: Path, judged_at: float) -> str:
    """The same of a run that is shown again every few seconds; `judged_at` renews the cache."""
    return scored(path)


def data_card(data: str) -> None:
    """The data folder and what is in it."""
    if not data:
        card("Data", Headline("None chosen", "Name a folder in the sidebar, or draw one."))
        return
    path = Path(data)
    drawing = drawing_of(path)
    if drawing and drawing.is_running:
        card("Data", Headline("Being drawn", f"{drawing.films} films  \n{as_code(data)}"))
        return
    try:
        found = cached_data_headline(path, changes(path))
        card("Data", Headline(found.value, f"{found.detail}  \n{as_code(data)}"))
    except (XliteError, OSError) as error:
        st.error(page_sentence(error))


def chosen_data() -> str:
    """The data folder of the sidebar, empty if there is none; a sentence for one that is not offered."""
    try:
        return str(data_folder() or "")
    except DataError as error:
        st.error(page_sentence(error))
        return ""


def disk_card() -> None:
    """The space that is left where runs lie."""
    try:
        free = free_space()
    except OSError as error:
        st.error(page_sentence(error))
        return
    if sentence := low_disk(free):
        st.warning(said(sentence), icon=":material/warning:")
    card("Disk", disk_headline(free))


@st.cache_resource(show_spinner=False)
def device() -> "Future[Headline]":
    """The device of this machine, looked for once: torch takes seconds to load, and no page waits for it."""
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(device_headline)
    finally:
        pool.shutdown(wait=False)


@st.fragment(run_every=1)
def await_device() -> None:
    """A sign of life until the device is known, and then the page with it."""
    if device().done():
        st.rerun(scope="app")
    card("Device", Headline("Looking for a GPU", "The page can be used meanwhile."))


@st.fragment(run_every=3)
def show_runs() -> None:
    """What runs now and what ended last, read anew every three seconds."""
    live, rest = runs_now(LATEST)
    on_duty = functools.cache(duty)  # one look for all runs
    st.subheader("Running now")
    studies = [sweep for sweep in Sweep.list() if sweep.status().state in LIVE]
    for sweep in studies:
        st.markdown(headline(sweep.name, sweep.status().state, ("a study",)))
        go_to("sweeps", "Watch the study", ":material/grid_view:", study=sweep.name)
    for seen in live:
        show_live(seen, on_duty)
    if not live and not studies:
        st.caption("Nothing is running.")
    st.subheader("Latest runs")
    for seen in rest:
        show_ended(seen, on_duty)
    if not rest:
        st.caption("No run has ended yet.")


def show_live(seen: RunNow, on_duty: Callable[[], Duty]) -> None:
    """A run that goes on."""
    with st.container(border=True):
        st.markdown(headline(seen.run.name, seen.status.state, seen.status.said))
        st.progress(seen.share, seen.facts)
        show_run_links(seen.run, seen.status.state, "overview", on_duty)


def show_ended(seen: RunNow, on_duty: Callable[[], Duty]) -> None:
    """A run that has ended, and what one does with it."""
    with st.container(border=True):
        st.markdown(headline(seen.run.name, seen.status.state, seen.status.said))
        model = seen.run.path(MODEL_FILE)
        test = f", {cached_score(model, seen.judged_at)}" if seen.judged_at else ""
        st.caption(seen.facts + test)
        show_run_links(seen.run, seen.status.state, "overview", on_duty)


def first_steps(data: str) -> None:
    """On a machine without data or runs, the button for the next step."""
    if data and being_drawn(data):
        return
    if not data:
        offer_phantom()
        st.caption("Drawn within a minute, in the layout of the real data set. Nothing is fetched.")
        return
    if not first_run.is_next(Path(data)) or lacking("train", "Training"):
        return
    label, path = "Train a tiny student", Path(data)
    if st.button(label, type="primary", icon=":material/play_arrow:"):
        with st.spinner("Starting", show_time=True):
            started = done(lambda: first_run.start_first(path))
        if started:
            st.rerun()
    st.caption(first_run.ESTIMATE)


def what_next(data: str, change: bool) -> None:
    """The ways on from here."""
    st.subheader("What next")
    if change:
        first_steps(data)
    for page, label, icon, text in NEXT:
        if page in OWNERS and is_public():
            continue
        # No button: Streamlit switches no page while the address holds the data folder.
        go_to(page, label, icon)
        st.caption(text)


st.title("X-Lite")
st.markdown(
    "Light models that read chest films: distilled from large ones, judged with intervals, explained by maps."
)
change = not is_public()
on_duty = duty()
data = chosen_data()
first_half, second_half = st.columns(2)
cards = [first_half.container(border=True, height="stretch")]
cards += [second_half.container(border=True) for _ in ("data", "device", "disk")]
left, right = st.columns([3, 2], gap="large")
with right:
    what_next(data, change)
with left:
    show_runs()
with cards[0]:
    model_card(on_duty, change)
with cards[1]:
    data_card(data)
with cards[3]:
    disk_card()
with cards[2]:
    if device().done():
        card("Device", device().result())
    else:
        await_device()
