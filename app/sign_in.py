"""The door of the app: who is asked to sign in first, by Streamlit's own OpenID Connect."""

import os
from collections.abc import Collection, Iterable
from functools import cache

import streamlit as st
from streamlit import config
from streamlit.errors import StreamlitSecretNotFoundError

from xlite.access.members import owner_members, refusal, visitor
from xlite.access.sign_in import check_sign_in, unreadable
from xlite.errors import RunError
from xlite.extras import lacking
from xlite.messages import literal
from xlite.places import bundled


@cache
def is_asked() -> bool:
    """Whether visitors sign in: the secrets have an `[auth]`.

    Found out once, when the server starts: whatever becomes of the file later, the door stays as it is.
    Raises RunError if the secrets cannot be read: Streamlit would go on as if there were none.
    """
    try:
        return "auth" in st.secrets.to_dict()
    except (StreamlitSecretNotFoundError, OSError, UnicodeDecodeError) as error:
        paths, are_said = st.get_option("secrets.files"), config.is_manually_set("secrets.files")
        if getattr(error, "error_id", None) != "no-secrets-found":
            raise RunError(unreadable(list(filter(os.path.exists, paths)), error)) from error
        if are_said:
            raise RunError(
                f"there are no secrets at {', '.join(paths)}, where they are said to be"
            ) from error
        return False


def check(names: Collection[str]) -> None:
    """Raises RunError if visitors were to sign in, or an owner lists who may enter, and nobody could."""
    members = owner_members()
    if is_asked():
        if told := lacking("sign-in", "[auth] of the secrets"):
            raise RunError(told)
        check_sign_in(st.secrets.to_dict()["auth"], names)
    elif members:
        raise RunError(
            "XLITE_MEMBERS lists who may enter, but nobody signs in: write [auth] as docs/DEPLOY.md says"
        )


def admits(paths: Iterable[str]) -> bool:
    """Whether the visitor may see a page; else they see the door, whichever of the pages they came to."""
    if not is_asked() or (st.user.get("is_logged_in") is True and not _refusal()):
        return True
    door = [st.Page(_show_door, title="Sign in", url_path=path) for path in paths]
    first = st.Page(_show_door, title="Sign in", url_path="start", default=True)
    page = st.navigation([first, *door], position="hidden")
    st.set_page_config(page_title="X-Lite", page_icon=str(bundled("app", "icon.svg")))
    st.html(bundled("app", "style.css"))
    page.run()
    return False


def show_visitor() -> None:
    """Who is signed in, and the way out; nothing if nobody has to."""
    if is_asked():
        st.caption(f"Signed in as {literal(visitor(st.user))}")
        st.button("Sign out", on_click=st.logout)


def _show_door() -> None:
    st.title("X-Lite")
    st.caption("**Research software, not for clinical use**")
    if st.user.get("is_logged_in") is not True:
        st.button("Sign in", type="primary", on_click=st.login)
        return
    st.warning(literal(_refusal() or ""))
    st.button("Sign out", on_click=st.logout)


def _refusal() -> str | None:
    return refusal(st.user, owner_members())
