"""The CSS that all pages share; it follows Streamlit's light or dark theme by `light-dark()` and `currentColor`."""

import streamlit as st

CSS = """
<style>
.stApp {
  --sl-up: light-dark(#0b7a64, #45cfb1);
  --sl-down: light-dark(#b25413, #f0a066);
  --sl-accent: light-dark(#4a56c4, #a5adff);
  --sl-line: light-dark(#e1e4ec, #2d313c);
  --sl-card: light-dark(#ffffff, #191c24);
  --sl-soft: light-dark(#f2f4f9, #232733);
  --sl-quiet: light-dark(#5d6478, #a0a7ba);
  --sl-mark: light-dark(#fff0b8, #57491a);
  --sl-ring: light-dark(#767d92, #8a91a5);
}
.stMainBlockContainer { max-width: 1180px; padding: 2.6rem 2.5rem 4rem; }
.stApp:has([data-testid=stExpandSidebarButton]) .stMainBlockContainer { padding-top: 4.2rem; } /* below that button */
[data-testid=stSidebarHeader] { height: 2.6rem; margin-bottom: .2rem; } /* the first page's name beside the title */
[data-testid=stSidebarUserContent] { padding-top: .6rem; }
.sl-top { display: flex; align-items: baseline; flex-wrap: wrap; gap: .2rem .9rem; }
.sl-top h1 { font-size: 1.7rem; font-weight: 650; letter-spacing: -.015em; padding: 0; margin: 0; }
.sl-top p { color: var(--sl-quiet); margin: 0; font-size: .95rem; }
.sl-welcome p { color: var(--sl-quiet); max-width: 44rem; line-height: 1.6; margin: 0 0 .7rem; }
.sl-welcome b { color: inherit; font-weight: 600; }
.sl-quiet { color: var(--sl-quiet); font-size: .86rem; overflow-wrap: anywhere; }
.sl-note p { color: var(--sl-quiet); font-size: .86rem; margin: 0 0 .15rem; overflow-wrap: anywhere; }
.st-key-search_examples button, .st-key-compare_examples button {
  font-size: .9rem; min-height: 2.1rem; padding: .2rem .8rem; border-radius: 1.1rem;
}
.st-key-search_examples button p, .st-key-compare_examples button p { font-size: .9rem; }

.st-key-search_thoroughness p span { font-size: .8rem !important; font-variant-numeric: tabular-nums; }

.sl-figures { display: flex; flex-wrap: wrap; gap: .4rem 2rem; min-height: 2.9rem; align-items: start; }
.sl-figure { display: inline-flex; flex-direction: column; min-width: 0; }
.sl-figure small { color: var(--sl-quiet); font-size: .76rem; line-height: 1.3; }
.sl-figure b { font-weight: 600; font-size: .98rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }

.sl-heading { font-size: 1.02rem; font-weight: 650; margin: 0; padding: 0 0 .1rem; letter-spacing: 0; }
.st-key-models_card h3 { font-size: 1.1rem; }
.sl-heading small { font-weight: 400; font-size: .82rem; color: var(--sl-quiet); margin-left: .35rem; }
.sl-term {
  position: relative; cursor: help; text-decoration: underline dotted var(--sl-ring) 1px; text-underline-offset: .2em;
}
.sl-term:focus-visible { outline: 2px solid var(--sl-accent); outline-offset: 2px; border-radius: .2rem; }
.sl-term:focus-visible::after {
  content: attr(title); position: absolute; z-index: 9; left: 0; top: calc(100% + .3rem); width: max-content;
  max-width: min(20rem, 75vw); padding: .4rem .6rem; font-size: .82rem; font-weight: 400; line-height: 1.4;
  background: var(--sl-card); border: 1px solid var(--sl-ring); border-radius: .4rem;
}
.sl-results { display: grid; grid-auto-flow: row dense; gap: .7rem 1.1rem; }
.sl-two { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
.sl-one { grid-template-columns: minmax(0, 46rem); }
.sl-column, .sl-list { display: contents; }
.sl-column-first > .sl-heading, .sl-column-first .sl-card { grid-column: 1; }
.sl-column-second > .sl-heading, .sl-column-second .sl-card { grid-column: 2; }
.sl-tab, .sl-tab-label { display: none; }

.sl-card {
  display: flex; flex-direction: column; gap: .35rem; list-style: none;
  margin: 0 !important; padding: .75rem .9rem .7rem;
  background: var(--sl-card); border: 1px solid var(--sl-line); border-radius: .6rem; min-width: 0; font-size: .9rem;
}
.sl-column-second .sl-card { border-left: 3px solid var(--sl-line); }
.sl-column-second .sl-card:has(.sl-up) { border-left-color: var(--sl-up); }
.sl-column-second .sl-card:has(.sl-down) { border-left-color: var(--sl-down); }
.sl-waiting { min-height: 9.2rem; background: var(--sl-soft); border-color: transparent; }
[data-stale=true]:has(.sl-results, .sl-figures) { opacity: .45 !important; transition: opacity .1s 80ms !important; }
.sl-head { display: flex; align-items: baseline; gap: .55rem; }
.sl-rank { font-weight: 650; font-size: 1.02rem; font-variant-numeric: tabular-nums; min-width: 1.25rem; }
.sl-worth { margin: 0; font-size: .78rem; color: var(--sl-quiet); }
.sl-bar {
  flex: 0 0 4.5rem; align-self: center; margin-left: auto; height: .3rem; border-radius: .15rem;
  background: var(--sl-soft); overflow: hidden;
}
.sl-bar i { display: block; height: 100%; background: var(--sl-quiet); }
.sl-scale { color: var(--sl-quiet); margin-left: .5rem; }
.sl-move {
  font-size: .82rem; font-weight: 600; font-variant-numeric: tabular-nums;
  white-space: nowrap; color: var(--sl-quiet);
}
.sl-up { color: var(--sl-up); }
.sl-down { color: var(--sl-down); }
.sl-went { font-weight: 400; }
.sl-title { font-weight: 600; margin: 0; overflow-wrap: anywhere; }
.sl-text { margin: 0; line-height: 1.5; overflow-wrap: anywhere; }
.sl-text mark, .sl-title mark { background: var(--sl-mark); color: inherit; border-radius: .2rem; padding: 0 .12em; }
.sl-rest { display: none; }
.sl-card:has(details[open]) .sl-rest { display: inline; }
.sl-card:has(details[open]) .sl-dots { display: none; }
.sl-badges { display: flex; flex-wrap: wrap; gap: .35rem; align-items: center; margin-top: auto; padding-top: .15rem; }
.sl-badge {
  font-size: .74rem; line-height: 1; padding: .28rem .5rem; border-radius: .8rem; color: var(--sl-quiet);
  background: var(--sl-soft); border: 1px solid transparent; white-space: nowrap; font-variant-numeric: tabular-nums;
}
.sl-grade-3 { background: var(--sl-up); color: light-dark(#fff, #0d1512); font-weight: 600; }
.sl-grade-2 { color: var(--sl-up); border-color: var(--sl-up); background: none; font-weight: 600; }
.sl-grade-1 { color: var(--sl-up); background: none; border-color: var(--sl-line); }
.sl-grade-0 { background: none; border-color: var(--sl-line); }
.sl-grade-none { background: none; border: 1px dashed var(--sl-line); }
.sl-cut { color: var(--sl-down); background: none; border-color: var(--sl-down); }
:root:not([data-sl-hears]) .sl-ask { visibility: hidden; }
.sl-more { margin-left: auto; font-size: .8rem; border: 0; }
.sl-more summary {
  cursor: pointer; color: var(--sl-accent); list-style: none; padding: .2rem .25rem; min-height: 24px; min-width: 24px;
  line-height: 1.1rem; border-radius: .2rem;
}
.sl-more summary:focus-visible { outline: 2px solid var(--sl-accent); outline-offset: 0; }
.sl-more summary::-webkit-details-marker { display: none; }
.sl-more summary::after { content: "more"; }
.sl-more[open] summary::after { content: "less"; }

/* What Streamlit draws too faintly or too small: disabled labels, captions, rings, values of sliders, help. */
label[disabled] [data-testid=stMarkdownContainer], [data-testid=stCaptionContainer],
:is([data-testid=stCheckbox], [data-testid=stRadioOption]) label:has(input:disabled) p,
[data-testid=stSliderThumbValue][disabled], button:disabled { color: var(--sl-quiet) !important; opacity: 1; }
.stApp :is(input, textarea):disabled, .stApp :is(input, textarea)::placeholder {
  color: var(--sl-quiet) !important; -webkit-text-fill-color: var(--sl-quiet) !important; opacity: 1;
}
[data-testid=stSliderThumbValue]:not([disabled]), [role=tab][aria-selected=true],
[data-variant=segmented_control][data-selected] :is(p, span) { color: var(--sl-accent) !important; }
[data-testid=stRadioOption]:not([data-selected]) > div > div:first-child { box-shadow: 0 0 0 1px var(--sl-ring); }
[data-testid=stTooltipHoverTarget] > button { min-width: 24px; min-height: 24px; justify-content: center; }
[data-testid=stVegaLiteChart] svg text { fill: var(--sl-quiet); }
.stForm [data-testid=InputInstructions] { display: none; } /* it would cover a long query */

@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after {
    animation-duration: 1ms !important; animation-iteration-count: 1 !important; transition-duration: 1ms !important;
    scroll-behavior: auto !important;
  }
  /* a script moves the picture that Streamlit shows while a page runs */
  [data-testid=stStatusWidgetRunningIcon] > * { display: none; }
  [data-testid=stStatusWidgetRunningIcon]::before { content: "…"; }
}

@media (max-width: 760px) {
  .stMainBlockContainer { padding: 4.2rem 1rem 4rem; } /* below the button that opens the navigation */
  .sl-figures { gap: .4rem 1.3rem; }
  .st-key-search_thoroughness [role=radiogroup] { flex-wrap: nowrap; }
  .st-key-search_thoroughness button { height: auto; padding: .2rem .6rem; }
  .st-key-search_thoroughness p span { display: block; } /* the time below the name: the three fit into one row */
  [class*=st-key-compare_panel_] { display: grid; grid-template-columns: 1fr 1fr; gap: .6rem; }
  [class*=st-key-compare_panel_] > :first-child, [class*=st-key-compare_panel_] > :has(details[open]) {
    grid-column: 1 / -1;
  }
  [class*=st-key-compare_panel_] > :first-child [data-testid=stColumn] { min-width: 0; flex: 1 1 0; }
  .sl-two { grid-template-columns: 1fr 1fr; gap: .7rem 0; }
  .sl-one { grid-template-columns: minmax(0, 1fr); }
  .sl-two .sl-column-first > .sl-heading, .sl-two .sl-column-second > .sl-heading,
  .sl-two .sl-column-first .sl-card, .sl-two .sl-column-second .sl-card { grid-column: 1 / -1; }
  .sl-two .sl-heading span { display: none; }
  .sl-two .sl-heading small { margin: 0; }
  .sl-tab { display: block; position: absolute; opacity: 0; pointer-events: none; }
  .sl-tab-label {
    display: block; text-align: center; padding: .5rem; font-weight: 600; font-size: .92rem; cursor: pointer;
    color: var(--sl-quiet); border-bottom: 2px solid var(--sl-line); grid-row: 1;
  }
  .sl-tab:checked + .sl-tab-label { color: var(--sl-accent); border-bottom-color: var(--sl-accent); }
  .sl-tab:focus-visible + .sl-tab-label {
    outline: 2px solid var(--sl-accent); outline-offset: -2px; border-radius: .3rem;
  }
  .sl-results:has(#sl-tab-second:checked) .sl-column-first,
  .sl-results:has(#sl-tab-first:checked) .sl-column-second { display: none; }
}
</style>
"""


def apply_style() -> None:
    """Add the CSS to the page; it takes up no space."""
    st.html(CSS)
