"""Entry of the app, which `xlite app` starts: the frame around the pages in `pages/`."""

import sys
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from threading import Thread

import sign_in
import streamlit as st
from page_history import follow_address, page_routes, tidy_address
from page_reach import let_keys_reach
from page_shared import OWNERS, refuse_page, say_unknown
from public_socket import PublicSocket
from starlette.middleware import Middleware

from xlite.access.addresses import check_app_address
from xlite.access.hosts import HostGuard, owner_names
from xlite.data.layout import data_roots
from xlite.errors import XliteError
from xlite.messages import literal
from xlite.public import is_public, listed_folders
from xlite.runs.default_data import default_data, default_run
from xlite.serving import notice
from xlite.serving.address import keep

ROOT = Path(__file__).resolve().parents[1]
FIRST = "overview"
PAGES = {
    "Read": [
        ("overview", "Overview", ":material/home:"),
        ("classify", "Read a film", ":material/radiology:"),
    ],
    "Train": [
        ("explore", "Explore the data", ":material/query_stats:"),
        ("label", "Label", ":material/edit_note:"),
        ("train", "Train", ":material/model_training:"),
        ("sweeps", "Sweeps", ":material/grid_view:"),
        ("runs", "Runs", ":material/table_rows:"),
        ("results", "Results", ":material/show_chart:"),
    ],
    "Help": [("about", "About", ":material/info:")],
}


def show() -> None:
    """What a visitor sees: the frame, and in it the page; the door, if they have to sign in first."""
    # A file of our own, and before the pages are named: of their symbols the browser would ask
    # fonts.gstatic.com.
    st.set_page_config(page_icon=str(ROOT / "app" / "icon.svg"), layout="wide")
    if not sign_in.admits(name for pages in PAGES.values() for name, _, _ in pages):
        return
    public = is_public()
    page = st.navigation(
        {
            section: [
                st.Page(
                    # Streamlit runs nothing of a page that it is not given, whatever is asked.
                    partial(refuse_page, name) if hidden else ROOT / "pages" / f"{name}.py",
                    title=title,
                    icon=icon,
                    url_path="start" if name == FIRST else name,
                    default=name == FIRST,
                    visibility="hidden" if hidden else "visible",
                )
                for name, title, icon in pages
                for hidden in [public and name in OWNERS]
            ]
            for section, pages in PAGES.items()
        }
        # The first page answers at the root alone, but people type its name, and links have it.
        | {"": [st.Page(ROOT / "pages" / f"{FIRST}.py", title="Overview", visibility="hidden")]},
        expanded=True,
    )
    st.set_page_config(page_title=f"{page.title} · X-Lite")
    st.html(ROOT / "app" / "style.css")
    held = follow_address()
    keep(st.session_state)
    with st.sidebar:
        choose_data(public)
        st.caption("What X-Lite says is neither a diagnosis nor medical advice.")
        sign_in.show_visitor()
        let_keys_reach()
    # Above each page's title: on a phone the sidebar is closed, and the foot of a page far away.
    st.caption("**Research software, not for clinical use**")
    ask_to_read()
    page.run()
    tidy_address(held)


def choose_data(public: bool) -> None:
    """The data folder, or several: paths, but for strangers those that the owner listed."""
    folders = list(listed_folders())
    if not public:
        if "data" not in st.session_state and "data" not in st.query_params:
            st.session_state["data"], run = default_data(), default_run()
            if st.session_state["data"]:  # else Back would reach an address that says no folder
                st.query_params["data"] = st.session_state["data"]
            st.session_state["data-of-run"] = (st.session_state["data"], run.name if run else "")
        st.text_input(
            "Data folder",
            key="data",
            bind="query-params",
            placeholder="/path/to/ChestX-ray14",
            help="A folder in the NIH layout, real or phantom. Several, such as those of two hospitals, are "
            "taken as one: write commas between them. Make a phantom with `xlite data phantom OUT`.",
        )
        if len(roots := data_roots(st.session_state["data"] or "")) > 1:
            st.caption(f"{len(roots)} folders as one: {literal(', '.join(root.name for root in roots))}.")
        folder, name = st.session_state.get("data-of-run", ("", ""))
        if name and folder == st.session_state["data"]:
            st.caption(f"That of the newest run, {literal(name)}.")
        return
    say_unknown("data", folders, "data folder")
    if folders:
        st.multiselect(
            "Data folder",
            folders,
            folders[:1],
            key="data",
            bind="query-params",
            placeholder="choose one",
            help="Several are taken as one.",
        )


def ask_to_read() -> None:
    """What X-Lite is not for, above the page until somebody says that they read it; it blocks nothing."""
    if not notice.is_read(st.session_state):
        with st.container(border=True, key="notice"):
            st.markdown(notice.NOTICE)
            st.button(notice.BUTTON, on_click=notice.note_read, args=(st.session_state,))


@asynccontextmanager
async def open_browser(_: st.App) -> AsyncIterator[None]:
    """Shows the app to whoever started it from a desktop."""
    if not st.get_option("server.headless"):
        scheme = "https" if st.get_option("server.sslCertFile") else "http"
        path = st.get_option("server.baseUrlPath").strip("/")
        address = f"{scheme}://localhost:{st.get_option('browser.serverPort')}/{path}"
        # Some browsers return only when they are closed.
        Thread(target=webbrowser.open, args=[address], daemon=True).start()
    yield


def guards() -> list[Middleware]:
    """Who is answered; ends the server with a sentence if it would answer others than its owner allows."""
    address = st.get_option("server.address")
    try:
        check_app_address(address)
        public = is_public()  # on every address: a word that is neither yes nor no ends the server here
        if public:
            listed_folders()
        names = owner_names(address)
        sign_in.check(names)
        strangers = [Middleware(PublicSocket, script=str(Path(__file__).resolve()))] if public else []
        return [Middleware(HostGuard, names=names), *strangers]
    except XliteError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    show()
else:
    # `streamlit run` finds this name in the file, and serves it instead of running the script bare.
    app = st.App(
        __file__,
        lifespan=open_browser,
        routes=page_routes(name for pages in PAGES.values() for name, _, _ in pages),
        middleware=guards(),
    )
