"""What the browser's Back button reaches: each page as it was left.

It is a script in the first answer of the server, and no component: the first changes of an address come
before the browser has loaded any.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from streamlit.runtime.scriptrunner import get_script_run_ctx

from xlite.serving.address import taken_out

_INDEX = Path(st.__file__).parent / "static" / "index.html"
_SCRIPT = Path(__file__).with_name("page_history.js")


def page_routes(names: Iterable[str]) -> list[Route]:
    """The root and the pages of these names: Streamlit's own page, which begins with the script."""
    base = st.get_option("server.baseUrlPath").strip("/")
    paths = [base, *(f"{base}/{name}".strip("/") for name in names)]
    return [Route(f"/{path}", _answer) for path in paths]


def _answer(_: Request) -> HTMLResponse:
    script = f"<head><script>\n{_SCRIPT.read_text(encoding='utf-8')}</script>"
    html = _INDEX.read_text(encoding="utf-8").replace("<head>", script, 1)
    return HTMLResponse(html, headers={"Cache-Control": "no-cache"})


def follow_address() -> dict[str, Any]:
    """Gives a page what its address asks for, also under keys that the page left has too; called before it.

    Streamlit takes these out of the address, for values of the page left. Returns, for `tidy_address`, what
    the session had under them.
    """
    context, session = get_script_run_ctx(), st.session_state
    if context is None:
        return {}
    found = taken_out(context.query_string, st.query_params, session, context.is_history_navigation)
    if not found:
        return {}
    st.query_params.update(found)
    with context.session_state.query_params() as params:
        params.set_initial_query_params_from_current()  # where Streamlit looks when it draws a widget
    held = {key: session.get(key) for key in found}
    for key, value in found.items():
        if key in session and session[key] != value:
            del session[key]  # what is asked for outranks what was chosen before
    return held


def tidy_address(held: Mapping[str, Any]) -> None:
    """Takes out of the address what the page had no widget for; called after the page."""
    context = get_script_run_ctx()
    if context is None:
        return
    with context.session_state.query_params() as params:
        unused = [key for key in held if key in params and not params.is_bound(key)]
    for key in unused:
        del st.query_params[key]
        if held[key] is not None:  # for the pages that do have one
            st.session_state[key] = held[key]
