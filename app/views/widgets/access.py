"""Who may see what: a read-only mode for showing the app to others, and a login where one is configured."""

import os
import sys
from importlib.util import find_spec

import streamlit as st

from app.views.widgets.notices import plain

FLAG = "--read-only"


def read_only() -> bool:
    """Whether only searching and comparing are offered: --read-only, or SECOND_LOOK_READ_ONLY set and not 0."""
    return FLAG in sys.argv[1:] or os.environ.get("SECOND_LOOK_READ_ONLY", "0") not in ("", "0")


def signed_in() -> bool:
    """Whether the page may be drawn; draws the way to the login where one is configured and nobody is logged in.

    A login is configured by the section [auth] of .streamlit/secrets.toml (OpenID Connect).
    """
    if not _login_configured() or st.user.get("is_logged_in"):
        return True
    st.title("Second Look")
    if find_spec("authlib") is None:
        st.error(
            "A login is configured in .streamlit/secrets.toml, but Authlib, which does it, isn't installed. "
            'Run pip install -e ".[login]" and start the app again.'
        )
        return False
    st.write("Log in to search.")
    st.button("Log in", on_click=st.login, key="login", type="primary")
    return False


def offer_logout() -> None:
    """Below the sidebar's controls, who is logged in and the way out; nothing where no login is configured."""
    if not _login_configured():
        return
    with st.sidebar.container(key="access"):
        st.caption(f"Logged in as {plain(str(st.user.get('email') or st.user.get('name') or 'someone'))}")
        st.button("Log out", on_click=st.logout, key="logout", icon=":material/logout:")


def _login_configured() -> bool:
    return st.secrets.load_if_toml_exists() and "auth" in st.secrets
