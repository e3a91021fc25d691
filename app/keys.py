"""Keys that work on every page: `/` goes to the query, `?` lists the keys, and the first Tab reaches the query."""

import streamlit as st

EVERYWHERE = (("/", "Go to the query"), ("?", "Show these keys"), ("Tab", "Go on to the next control"))
OF_SEARCHES = (("Enter", "Search for the query"), ("Esc", "Close what lies above the page"))
OF_PAGES = {
    "search": OF_SEARCHES,
    "compare": OF_SEARCHES,
    "teach": (
        ("0 1 2 3", "Grade the passage"),
        ("←", "Back to the passage before"),
        ("→", "Skip the passage"),
        ("U", "Take back the last grade"),
        ("N", "Go on to the next query without grades of yours"),
    ),
}
"""By the page's address; pages without a query list only the keys that work there."""

HTML = """
<button type="button" class="open" aria-haspopup="dialog">Keys <kbd>?</kbd></button>
<dialog aria-labelledby="title">
  <h2 id="title">Keys</h2>
  <dl></dl>
  <label><input type="checkbox" checked> Keys of a single character work outside fields</label>
  <form method="dialog"><button type="submit">Close</button></form>
</dialog>
"""
CSS = """
button { font: inherit; font-size: .86rem; color: inherit; background: none; cursor: pointer; min-height: 1.75rem;
  padding: .15rem .6rem; border: 1px solid var(--sl-ring); border-radius: .5rem; }
button:focus-visible, input:focus-visible { outline: 2px solid var(--sl-accent); outline-offset: 2px; }
kbd { font: inherit; font-weight: 600; }
dialog { font: inherit; color: inherit; background: var(--sl-card); border: 1px solid var(--sl-line);
  border-radius: .6rem; padding: 1.1rem 1.3rem; max-width: min(26rem, calc(100vw - 2rem)); }
dialog::backdrop { background: rgb(0 0 0 / 45%); }
h2 { font-size: 1.1rem; font-weight: 650; margin: 0 0 .7rem; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .35rem 1.1rem; margin: 0 0 .9rem; font-size: .92rem; }
dt { font-weight: 600; } dd { margin: 0; }
label { display: flex; gap: .5rem; align-items: center; min-height: 1.75rem; font-size: .86rem; margin-bottom: .9rem; }
input { width: 1.2rem; height: 1.2rem; margin: 0; accent-color: var(--sl-accent); flex: none; }
@media (hover: none) { .open { display: none; } }
"""
# Whoever speaks to the computer, or types by accident, can turn the single keys off; the choice stays in the browser.
JS = """
const QUERY = ":is(.st-key-search_query, .st-key-compare_query, .st-key-teach_query) input";
const FIELD = "input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable=true]";
const KEPT = "second-look-single-keys";
let began = false, known = null;

export default function ({ parentElement, data }) {
  known?.abort();
  known = new AbortController();
  const options = { capture: true, signal: known.signal };
  const dialog = parentElement.querySelector("dialog");
  const single = parentElement.querySelector("input");
  const term = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
  const rows = data.flatMap(([key, what]) => [term("dt", key), term("dd", what)]);
  parentElement.querySelector("dl").replaceChildren(...rows);
  single.checked = localStorage.getItem(KEPT) !== "off";
  single.onchange = () => localStorage.setItem(KEPT, single.checked ? "on" : "off");
  const open = () => { if (!dialog.open) dialog.showModal(); };
  parentElement.querySelector(".open").onclick = open;

  const pressed = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const box = document.querySelector(QUERY);
    if (event.key === "Tab" && !event.shiftKey && !began && document.activeElement === document.body && box) {
      began = true;
      event.preventDefault();
      box.focus();
    }
    if (event.key.length > 1 || event.key === " " || event.composedPath()[0].matches?.(FIELD)) return;
    if (!single.checked) event.stopImmediatePropagation();
    else if (event.key === "?") { event.preventDefault(); open(); }
    else if (event.key === "/" && box && !dialog.open && !document.querySelector("[role=dialog]")) {
      event.preventDefault();
      box.focus();
      box.select();
    }
  };
  window.addEventListener("keydown", pressed, options);
  for (const name of ["pointerdown", "focusin"]) window.addEventListener(name, () => { began = true; }, options);
  document.documentElement.dataset.slKeys = "on";
  return () => known.abort();
}
"""
_keys = st.components.v2.component("second_look_keys", html=HTML, css=CSS, js=JS)


def show_keys(page: str) -> None:
    """Listen to the keys, and offer their list below the sidebar's settings; `page` is the page's address."""
    own = OF_PAGES.get(page or "search", ())
    listed = [*EVERYWHERE, *own] if own else list(EVERYWHERE[1:])
    with st.sidebar:
        _keys(key="second_look_keys", data=[list(row) for row in listed])
