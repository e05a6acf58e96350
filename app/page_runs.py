"""One run on the Runs page: what can be done with it, tags and note, the ways on. Pages import it."""

import streamlit as st
from page_federation import show_rounds
from page_run_links import show_run_links
from page_shared import choose_next, done, show_command, show_curves, show_log

from xlite.errors import XliteError
from xlite.federated.simulation import command_of
from xlite.messages import headline, literal, page_sentence
from xlite.places import checkpoints_dir
from xlite.public import is_public, refuse_in_public
from xlite.runs.annotation import Annotation, annotate, read_annotation
from xlite.runs.archive import MOST_BYTES, contents, zipped
from xlite.runs.run import Run
from xlite.runs.run_files import SETTINGS_FILE, STATE_FILE
from xlite.runs.status import LIVE, facts
from xlite.text import counted


def watch(name: str, live: bool, tags: list[str]) -> None:
    """One run, read anew from its files: how far it is, what can be done, notes, curves, log.

    live: whether it was when the page was drawn; tags: those that any run has.
    """
    run = Run(checkpoints_dir() / name)
    if not run.path(SETTINGS_FILE).exists():  # renamed or deleted, here or by somebody else
        st.rerun(scope="app")
    try:
        status = run.status()
        if (status.state in LIVE) != live:  # it began or ended, so it is looked at more often, or less
            st.rerun(scope="app")
        st.markdown(headline(name, status.state, status.said))
        st.caption("  ·  ".join(f"{title} {literal(text)}" for title, text in facts(status).items()))
        if not is_public():
            show_actions(run, status.state)
        show_run_links(run, status.state, "runs")
        if not is_public():
            show_annotation(run, tags)
        show_rounds(run.folder) or show_curves(run)
        show_log(run)
        if not run.is_client():  # its own command would train it alone
            show_command("Command and settings", command_of(run))
    except (XliteError, OSError) as error:
        st.error(page_sentence(error))


def show_actions(run: Run, state: str) -> None:
    """Stop for a live run; resume, rename, delete and a zip for one that is at rest."""
    if problem := st.session_state.pop("run-error", ""):
        st.error(problem)
    with st.container(horizontal=True):
        if state in LIVE:
            if run.is_client():
                st.caption("A client ends with its federation.")
            elif st.button("Stop", icon=":material/stop:", disabled=run.stop_requested()) and done(run.stop):
                st.rerun()
            return
        if run.can_resume() and st.button("Resume", icon=":material/resume:") and done(run.resume):
            st.rerun()
        with st.popover("Rename", icon=":material/edit:"):
            new_name = st.text_input("New name", run.name, key=f"rename-{run.name}")
            st.button("Rename it", disabled=new_name == run.name, on_click=rename, args=(run, new_name))
        with st.popover("Delete", icon=":material/delete:"):
            sure = st.checkbox("Delete its model, curves and log for good", key=f"sure-{run.name}")
            typed = st.text_input("Type its name to confirm", key=f"typed-{run.name}", disabled=not sure)
            certain = sure and typed == run.name
            st.button("Delete it", type="primary", disabled=not certain, on_click=delete, args=(run,))
        with st.popover("Folder as a zip", icon=":material/folder_zip:"):
            offer_zip(run)


def rename(run: Run, new_name: str) -> None:
    """Gives the run its new name and goes on with it; a callback, as the widgets of its name are drawn."""
    try:
        refuse_in_public("rename runs")
        run.rename(new_name)
        follow(run.name, new_name)
    except (XliteError, OSError) as error:
        st.session_state["run-error"] = page_sentence(error)


def delete(run: Run) -> None:
    """Deletes the run, after which none is open; a callback."""
    try:
        refuse_in_public("delete runs")
        run.delete()
        follow(run.name, None)
    except (XliteError, OSError) as error:
        st.session_state["run-error"] = page_sentence(error)


def follow(name: str, new_name: str | None) -> None:
    """Goes on with a run under its new name, or without one that is deleted."""
    choose_next("run", new_name)
    chosen = [new_name if one == name else one for one in st.session_state.get("compare", [])]
    st.session_state["compare"] = [one for one in chosen if one is not None]


def offer_zip(run: Run) -> None:
    """The size of a run's folder, and a zip of it that is made when somebody asks for it."""
    state = run.path(STATE_FILE).is_file() and st.toggle(
        f"With all that a resume needs ({STATE_FILE})", key=f"with-state-{run.name}"
    )
    found = contents(run, with_state=state)
    st.caption(
        f"{counted(len(found.files), 'file')}, {found.size_text}. Without locks, hidden files, links and "
        "what SLURM was told; config.json and the log name folders of this machine."
    )
    if found.size > MOST_BYTES:
        st.info("Too large to hand out here: copy the folder itself.")
    else:
        st.download_button(
            "Download the zip",
            lambda: zipped(found),
            f"{run.name}.zip",
            "application/zip",
            icon=":material/download:",
            on_click="ignore",
        )


def show_annotation(run: Run, known: list[str]) -> None:
    """Tags and note of a run, written into its folder when one leaves the field; `known` tags are offered."""
    if problem := st.session_state.pop("annotation-error", ""):
        st.error(problem)
    written = Annotation()
    try:
        written = read_annotation(run.folder)
    except XliteError as error:
        st.warning(page_sentence(error), icon=":material/warning:")
    # What another person writes makes new fields, which show it.
    tags, note = written.tags, written.note
    fields = f"{run.name}-{hash((tags, note))}"
    left, right = st.columns([2, 3])
    left.multiselect(
        "Tags",
        list(dict.fromkeys([*tags, *known])),
        default=tags,
        accept_new_options=True,
        key=f"written-tags-{fields}",
        placeholder="none; type to add one",
        on_change=write,
        args=(run, "tags", f"written-tags-{fields}"),
    )
    right.text_area(
        "Note",
        note,
        height=68,
        key=f"written-note-{fields}",
        placeholder="what to remember of this run",
        on_change=write,
        args=(run, "note", f"written-note-{fields}"),
    )


def write(run: Run, what: str, key: str) -> None:
    """Keeps what a field of a run's annotation says; the other one stays as it is in the file."""
    try:
        refuse_in_public("write notes")
        annotate(run.folder, **{what: st.session_state[key]})
    except (XliteError, OSError) as error:
        st.session_state["annotation-error"] = page_sentence(error)
