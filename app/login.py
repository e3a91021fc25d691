"""The login, where one is configured in .streamlit/secrets.toml."""

import os
from importlib.util import find_spec
from pathlib import Path

import streamlit as st
from streamlit import config

from app.views.widgets.notices import plain


def signed_in() -> bool:
    """Whether the page may be drawn; shows the login button where a login is configured and nobody is logged in.

    A login is configured by the section [auth] of .streamlit/secrets.toml (OpenID Connect).
    """
    if broken := broken_secrets():
        _head()
        st.error(
            f"{plain(broken)} can't be read, so nobody is let in: a login may be configured there. Mend or remove it "
            "on the server; its log says what is wrong."
        )
        return False
    if not login_configured() or st.user.get("is_logged_in"):
        return True
    _head()
    if find_spec("authlib") is None:
        st.error(
            "A login is configured in .streamlit/secrets.toml, but Authlib, which it needs, isn't installed. "
            'Run pip install -e ".[login]" and restart the app.'
        )
        return False
    st.write("Log in to search.")
    st.button("Log in", on_click=st.login, key="login", type="primary")
    return False


def _head() -> None:
    """The title, as that of the pages."""
    st.html('<header class="sl-top"><h1>Second Look</h1></header>')


def offer_logout() -> None:
    """Show who is logged in and a logout button below the sidebar's controls; nothing where no login is configured."""
    if not login_configured():
        return
    with st.sidebar.container(key="access"):
        st.caption(f"Logged in as {plain(user_name() or 'someone')}")
        st.button("Log out", on_click=st.logout, key="logout", icon=":material/logout:")


def user_name() -> str:
    """Email address or name of the user who is logged in; empty where nobody is."""
    if not login_configured() or not st.user.get("is_logged_in"):
        return ""
    return str(st.user.get("email") or st.user.get("name") or "")


def broken_secrets() -> str:
    """The name of a file of secrets that is there but can't be read; empty where there is none, or all can be.

    Streamlit takes such a file for an absent one, which would let everybody in.
    """
    files = [Path(file) for file in config.get_option("secrets.files")]
    try:
        if st.secrets.load_if_toml_exists():
            return ""
    except (OSError, ValueError):
        return next((f"{file.parent.name}/{file.name}" for file in files), "A file of secrets")
    return next((f"{file.parent.name}/{file.name}" for file in files if os.path.lexists(file)), "")


def login_configured() -> bool:
    """Whether .streamlit/secrets.toml has a section [auth]."""
    return st.secrets.load_if_toml_exists() and "auth" in st.secrets
