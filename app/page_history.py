"""What the browser's Back button reaches: each page as it was left.

It is a script in the first answer of the server, and no component: the first changes of an address come
before the browser has loaded any.
"""

from collections.abc import Iterable
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

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
