"""What several pages show alike. Streamlit puts the folder of `Home.py` on the path, so pages import it."""

import shlex
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from xlite.data.layout import data_roots, find_folders
from xlite.data.small_phantom import IMAGES, draw_small, drawing_of, small_phantom
from xlite.errors import DataError, RunError, XliteError
from xlite.messages import literal, page_sentence
from xlite.places import home
from xlite.public import is_public, refuse_in_public
from xlite.runs.default_data import default_data, named_data
from xlite.runs.run import Run
from xlite.runs.work_folder import WorkFolder
from xlite.serving.address import absent, unknown
from xlite.text import number

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

QUIET_BAR = {"displayModeBar": False}
"""How pages show their figures: without Plotly's buttons."""

_PAGES = Path(__file__).resolve().parents[1] / "pages"
OWNERS = {
    "train": ("Train", "train models"),
    "sweeps": ("Sweeps", "start studies"),
    "label": ("Label", "label films"),
}
"""Pages that a public deployment lacks, by name: their titles, and what nobody can do there."""
_LONG = 20
"""Rows of a table; more are scrolled."""


def data_folder() -> Path | None:
    """The data folder of the sidebar, or several as `data_roots` takes them; None before one is chosen.

    Raises DataError for one that is not offered.
    """
    return named_data(st.session_state["data"] if "data" in st.session_state else default_data())


def refuse_page(name: str) -> None:
    """What a stranger sees in the place of an owner's page: why it is not there."""
    title, deed = OWNERS[name]
    st.title(title)
    try:
        refuse_in_public(deed)
    except RunError as error:
        st.error(page_sentence(error))


def table_height(rows: int, row_px: int) -> int | Literal["content"]:
    """The height of a table whose rows are so high: of all rows, or of as many as are shown at a time."""
    return "content" if rows <= _LONG else _LONG * row_px


def choose_named(label: str, names: Sequence[str], key: str, help: str | None = None) -> str | None:
    """The run or study that a person chooses, at first the first; the address has it under the key.

    None while the address asks for one that is not here: no other is shown in its place. With a sentence, but
    for one that `choose_next` left.
    """
    session = st.session_state
    if f"next-{key}" in session:
        session[key] = session.pop(f"next-{key}")
    asked = unknown(st.query_params, key, names)
    # The browser says the old address until it has the new one, which may be several runs of the page later.
    if asked in session.get(f"left-{key}", ()):
        asked = None
    if asked is None and session.get(key) is not None and session[key] not in names:
        asked = session[key]  # renamed or deleted since it was chosen
    if asked is not None:
        session[f"asked-{key}"], session[key] = asked, None
    else:
        choose_first(key, names)
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


def choose_first(key: str, choices: Sequence[str]) -> None:
    """Chooses the first unless one is chosen, for a selectbox of these without a default.

    An address leaves a widget's default out, and tomorrow another one may be the first.
    """
    session = st.session_state
    lost = session.get(key) is not None and session[key] not in choices
    if choices and (key not in session or lost) and key not in st.query_params:
        session[key] = st.query_params[key] = choices[0]


def choose_one(
    label: str,
    names: Sequence[str],
    key: str,
    place: "DeltaGenerator",
    help: str | None = None,
    placeholder: str | None = None,
) -> str | None:
    """One of the names, at first the first; the address always has it. None if there are none, or if the
    address asks for one that is not here.
    """
    choose_first(key, names)
    return place.selectbox(
        label,
        names,
        index=None,
        required=True,
        key=key,
        bind="query-params",
        help=help,
        placeholder=placeholder,
    )


def choose_next(key: str, name: str | None) -> None:
    """Has `choose_named` show that one, or none, in the next run of the page, whatever its address says."""
    session = st.session_state
    session[f"left-{key}"] = {session.get(key), *st.query_params.get_all(key)}
    # Under a name of its own: a browser that still shows the old one would take it back from the widget's.
    session[f"next-{key}"] = name


def say_unknown(key: str, choices: Collection[str], what: str) -> bool:
    """Whether the address asks for what is not here, with a sentence if so; called before its widget."""
    asked = [one for one in st.query_params.get_all(key) if unknown({key: one}, key, choices)]
    if asked:
        st.warning(page_sentence(DataError(absent(what, *asked))), icon=":material/warning:")
    return bool(asked)


def ask_for_data() -> None:
    """What stands in the place of a form that needs a data folder."""
    st.info("Name a data folder in the sidebar, or draw one on Explore the data; then the form appears here.")
    go_to("explore", "Explore the data", ":material/query_stats:")


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


def offer_phantom() -> None:
    """Buttons that make a folder of this home the app's data folder: one that is there, or one to draw."""
    found = find_folders(home())
    for folder in found:
        st.button(f"Open {literal(folder.name)}", on_click=_open_folder, args=(folder,), key=f"open-{folder}")
    if small_phantom() not in found:
        label = f"Draw a small phantom folder ({IMAGES} films)"
        st.button(label, on_click=_draw_phantom, type="primary", icon=":material/draw:")


def _open_folder(folder: Path) -> None:
    st.session_state["data"] = str(folder)


def _draw_phantom() -> None:
    _open_folder(draw_small().out)  # at once: no later run may change what its sidebar has shown


def being_drawn(data: str) -> bool:
    """Whether a data folder is being drawn, or could not be: shows how far it is, or why."""
    drawing = next(filter(None, map(drawing_of, data_roots(data))), None)
    if drawing is None:
        return False
    if drawing.is_running:
        _show_drawing(drawing.out)
        return True
    if drawing.failed and drawing.error:
        st.error(page_sentence(drawing.error))
        offer_phantom()
        return True
    return False


@st.fragment(run_every=0.5)
def _show_drawing(out: Path) -> None:
    """How far a drawing is; draws the whole page anew when it has ended."""
    drawing = drawing_of(out)
    if drawing is None or not drawing.is_running:
        st.rerun(scope="app")
    st.progress(drawing.done / drawing.films, f"Drawing film {drawing.done} of {drawing.films}")


def done(act: Callable[[], object]) -> bool:
    """Does what a button says; shows a sentence if that cannot be done, or strangers may press it."""
    try:
        refuse_in_public("change anything")
        act()
    except (XliteError, OSError) as error:
        st.error(page_sentence(error))
        return False
    return True


def go_to(page: str, label: str, icon: str | None = None, **state: str) -> None:
    """A link to another page, which then shows what `state` says, by names of the address.

    None in public to a page that is not there.
    No button: switching the page from code fails while the address holds the value of a widget.
    """
    if page in OWNERS and is_public():
        return
    there = st.Page(_PAGES / f"{page}.py", title=label, url_path=page)
    st.page_link(there, label=label, icon=icon, query_params=state)
