"""Who may see what: a read-only mode for showing the app to others, and a login where one is configured."""

import os
import sys

import streamlit as st

FLAG = "--read-only"


def read_only() -> bool:
    """Whether only searching and comparing are offered: --read-only, or SECOND_LOOK_READ_ONLY set and not 0."""
    return FLAG in sys.argv[1:] or os.environ.get("SECOND_LOOK_READ_ONLY", "0") not in ("", "0")


def signed_in() -> bool:
    """Whether the page may be drawn; draws the way to the login where one is configured and nobody is logged in.

    A login is configured by the section [auth] of .streamlit/secrets.toml (OpenID Connect).
    """
    if not st.secrets.load_if_toml_exists() or "auth" not in st.secrets:
        return True
    if st.user.is_logged_in:
        return True
    st.title("Second Look")
    st.write("Log in to search.")
    st.button("Log in", on_click=st.login, key="login", type="primary")
    return False
