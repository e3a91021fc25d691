"""Messages to the user, in which names, queries and paths are text, never markup."""

import re
from html import escape
from pathlib import Path

import streamlit as st

from app.environment import read_only
from indexing import places

_MARKUP = re.compile(
    r"""([\\`*_{}\[\]<>()\#!|~$:@]         # emphasis, links, images, tables, formulas, :red[...], addresses
    |&(?=\#|\w+;)                        # entities
    |(?<=\bwww)\.                        # a link without a scheme
    |(?<=^)[-+=](?=\s|[-=]|$)|(?<=^\d)[.)](?=\s))  # lists, rules, underlined headings""",
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
COMMAND = "python -m"  # in a sentence that tells what to type, options stay as they are
_HIDDEN = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Characters that turn the direction of what follows them."""
_FIELDS = {
    "--on-bad-line skip": "“Leave out lines that can't be read”",
    "--id-field": "“Id field”",
    "--text-field": "“Text field”",
    "--title-field": "“Title field”",
    "--learning-rate": "“Learning rate”",
    "--max-length": "“Maximum pair length”",
    "--budget": "“Time”",
    "--batch": "“Batch”",
    "--index": "index",
    "--split": "split",
}
"""What the pages call what a shell's option sets, by the option as sentences for both name it."""
_BUTTONS = {
    r"python -m indexing build --corpus \S+ --index ([\w.-]*\w)(?:, or on the app's Indexes page)?": (
        r"“Build” on the Indexes page, under the name \1"
    ),
    r"python -m training decide \S+ --serve": "“Decide” on the Evaluate page",
    r"python -m training calibrate \S+ --serve": "“Serve it” on the Evaluate page",
    r"`python -m training rollback`": "“Roll back” on the Models page",
    r"python -m training judgments measure-judge \S+ --address URL --model NAME": (
        "“Measure it on my grades” on the Teach page"
    ),
}
"""What to press in place of a shell's command, by the command as sentences for both give it; others stay."""
_OPTION = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, _FIELDS))})(?![\w-])")
_PATH = re.compile(r"(?<![\w:/.])~?(?:/[^\s/'\"“”,;:()]+)*/(?P<last>[^\s/'\"“”,;:()]+)")


def plain(text: str) -> str:
    """The text with every character escaped that Streamlit's Markdown would treat as markup.

    Characters that would show what follows them in the other direction are left out.
    """
    return _MARKUP.sub(r"\\\1", _HIDDEN.sub("", text))


def shown(sentence: str) -> str:
    """A sentence as a page's reader may see it: with the names of its buttons and fields.

    In read-only mode, whose readers have no such buttons, commands stay, and of each path the last part.
    """
    if not read_only():
        for command, button in _BUTTONS.items():
            sentence = re.sub(command, button, sentence)
    if COMMAND not in sentence:
        sentence = _OPTION.sub(lambda found: _FIELDS[found[0]], sentence)
    if not read_only():
        return sentence
    for root in (places.home().absolute(), places.CHECKOUT, Path.cwd(), Path.home()):  # which may hold blanks
        sentence = sentence.replace(f"{root}/", "/")
    return _PATH.sub(r"…/\g<last>", sentence)


def problem(error: Exception | str) -> None:
    """Show what went wrong and what to do."""
    st.error(plain(shown(str(error))), icon=":material/error:")


def hint(sentence: str) -> None:
    """Show what can be done next; nothing went wrong."""
    st.info(plain(shown(sentence)), icon=":material/info:")


def note(*sentences: str) -> None:
    """Show quiet lines, one a sentence."""
    st.html('<div class="sl-note">' + "".join(f"<p>{escape(shown(sentence))}</p>" for sentence in sentences) + "</div>")
