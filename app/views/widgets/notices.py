"""Messages to the user, in which names, queries and paths are text, never markup."""

import re
from html import escape

import streamlit as st

_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#!|~$:])")


def plain(text: str) -> str:
    """The text with every character escaped that Streamlit's Markdown would treat as markup."""
    return _MARKUP.sub(r"\\\1", text)


def problem(error: Exception | str) -> None:
    """Show what went wrong and what to do."""
    st.error(plain(str(error)), icon=":material/error:")


def hint(sentence: str) -> None:
    """Show what can be done next; nothing went wrong."""
    st.info(plain(sentence), icon=":material/info:")


def note(*sentences: str) -> None:
    """Show quiet lines, one a sentence."""
    st.html('<div class="sl-note">' + "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences) + "</div>")
