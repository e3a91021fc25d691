"""A button that downloads a result as one HTML file, which needs no server and loads nothing."""

import time
from collections.abc import Callable

import streamlit as st


def report_button(write: Callable[[str], str], *, file_name: str, key: str) -> None:
    """A button for the document that `write` makes, when it is pressed, of the date that it is to bear."""
    st.download_button(
        "Report (HTML)",
        lambda: write(time.strftime("%-d %B %Y")).encode(),
        file_name,
        "text/html",
        key=key,
        icon=":material/download:",
        on_click="ignore",
        width="content",
        help="Tables and plots in one file that opens in any browser, without this app.",
    )
