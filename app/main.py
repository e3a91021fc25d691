"""The app: lists its pages and runs the chosen one. To start: python -m streamlit run app/main.py [-- --read-only].

Streamlit imports this file once, for the server with its gate, and runs it as a script for every session.
"""

import logging
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from app.environment import read_only
from app.gate import Gate
from app.keys import show_keys
from app.login import offer_logout, signed_in
from app.memory import limit_arenas
from app.resources import settle
from app.strip import show_strip
from app.style import apply_style
from app.views.indexes.opened import close_dialog
from app.views.widgets.notices import problem

PAGES_FOR_ALL = [("search", "Search", ":material/search:"), ("compare", "Compare", ":material/compare_arrows:")]
PAGES_FOR_OWNERS = [
    ("teach", "Teach", ":material/school:"),
    ("train", "Train", ":material/model_training:"),
    ("models", "Models", ":material/deployed_code:"),
    ("evaluate", "Evaluate", ":material/monitoring:"),
    ("indexes", "Indexes", ":material/database:"),
]
log = logging.getLogger(__name__)


def draw() -> None:
    """Draw the page that is open, or the login."""
    st.set_page_config(page_title="Second Look", page_icon=str(Path(__file__).with_name("icon.svg")), layout="wide")
    apply_style()  # here and on no page, so that it holds while one page gives way to the next
    if not signed_in():
        return
    listed = PAGES_FOR_ALL if read_only() else PAGES_FOR_ALL + PAGES_FOR_OWNERS
    pages = [
        st.Page(f"views/{name}/page.py", title=title, icon=icon, url_path=name, default=name == "search")
        for name, title, icon in listed
    ]
    page = st.navigation(pages, position="sidebar", expanded=True)  # on every page in the same place
    strip = st.container(key="strip")
    if page.url_path != "indexes":
        close_dialog()  # it stays open while its page is drawn anew, and is closed once that is left
    page.run()
    show_keys(page.url_path)
    if not read_only():
        with strip:
            show_strip()
    offer_logout()
    settle(page.url_path)


def report(error: Exception) -> bool:
    """Log an error that nobody foresaw, and say so on the page, which shows no path and no line of the program."""
    log.error("The page failed", exc_info=error)
    problem("This page failed; the server's log says how. Reload it, or go to another page.")
    return True


if __name__ == "__main__":
    draw()
else:
    limit_arenas()
    app = st.App(__file__, middleware=[Middleware(Gate)], on_script_error=report)
