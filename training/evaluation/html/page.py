"""The page around a report: title, facts, and the style, for light and dark screens, narrow ones, and paper."""

from collections.abc import Mapping, Sequence

from training.evaluation.html.markup import Markup, element, join

STYLE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--faint:#59626d;--rule:#d5dae0;--band:#f4f6f8;--up:#0b62bd;
--down:#b3261e;--ceiling:#7a828c}
@media(prefers-color-scheme:dark){:root{--paper:#14171a;--ink:#e7e9ec;--faint:#a7afb9;--rule:#383f47;--band:#1d2125;
--up:#74b6ff;--down:#ff9389;--ceiling:#8f98a3}}
@media print{:root{color-scheme:light;--paper:#fff;--ink:#000;--faint:#444;--rule:#bbb;--band:#fff;--up:#0b62bd;
--down:#b3261e;--ceiling:#666}}
*{box-sizing:border-box}
html{background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
-webkit-text-size-adjust:100%}
body{max-width:66rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .75rem;text-wrap:balance}
h2{font-size:1.25rem;margin:3rem 0 .25rem;padding-top:1rem;border-top:1px solid var(--rule)}
h3{font-size:1rem;margin:2.25rem 0 .5rem}
p{margin:.5rem 0;max-width:46rem}
.finding{font-size:1.12rem;line-height:1.45;margin:1rem 0}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1.25rem;margin:1rem 0;font-size:.92rem}
dt{color:var(--faint)}dd{margin:0;overflow-wrap:anywhere}
figure{margin:0 0 .5rem}
figcaption{color:var(--faint);font-size:.85rem;margin-top:.5rem;max-width:50rem}.basis{display:block}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{padding:.32rem .55rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--rule)}
th{font-weight:600}thead th{color:var(--faint);font-weight:500;vertical-align:bottom}
tbody th,th:first-child,td.text,th.text{text-align:left}
tbody th{white-space:normal;min-width:9rem;max-width:17rem;overflow-wrap:anywhere}
td.text{white-space:normal;min-width:11rem;overflow-wrap:anywhere}th.word,td.word{text-align:left;white-space:normal;min-width:5.5rem}
th:first-child,td:first-child{padding-left:0}
tr.main th,tr.main td{background:var(--band)}
td.plot{padding-top:0;padding-bottom:0}td.plot svg{max-width:none}
.ends{display:flex;justify-content:space-between}
svg{display:block;max-width:100%;overflow:visible}svg.lettered{min-width:30rem}
svg text{fill:var(--ink);font-size:13px}svg text.faint{fill:var(--faint)}
.axis{stroke:var(--rule);stroke-width:1}.zero{stroke:var(--faint);stroke-width:1;stroke-dasharray:3 3}
.range{stroke:var(--ink);stroke-width:2}.dot{fill:var(--ink)}
.better .range,.better.range{stroke:var(--up)}.better .dot{fill:var(--up)}
.worse .range,.worse.range{stroke:var(--down)}.worse .dot{fill:var(--down)}
.line{fill:none;stroke:var(--up);stroke-width:2.5;stroke-linejoin:round}.point{fill:var(--up)}
.ceiling{fill:none;stroke:var(--ceiling);stroke-width:2;stroke-dasharray:5 4}
.gain{fill:var(--up)}.loss{fill:var(--down)}
.won{fill:var(--up)}.ranking{fill:var(--up);opacity:.5}.recall{fill:var(--ceiling);opacity:.55}.absent{fill:var(--rule)}
.key{display:inline-block;width:.8em;height:.8em;margin-right:.4em;vertical-align:-.05em}
.up{color:var(--up)}.down{color:var(--down)}
ul{padding-left:1.2rem;margin:.5rem 0;max-width:46rem}li{margin:.25rem 0;overflow-wrap:anywhere}
footer{margin-top:3rem;color:var(--faint);font-size:.85rem}
@media(max-width:40rem){tbody th{min-width:6.5rem}
dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.4rem}body{padding-top:1.25rem}}
@media print{body{max-width:none;padding:0;font-size:10.5pt}h2{break-before:auto}.scroll{overflow:visible}
figure,table,tr{break-inside:avoid}h2,h3{break-after:avoid}td.text{min-width:0}table{font-size:8pt}th{white-space:normal}
tbody th{min-width:5rem}th,td{padding:.15rem .3rem}td.text{min-width:5rem}
th.word,td.word{min-width:4rem}figcaption{font-size:8pt}}
"""
"""Nothing is told by color alone: outcomes are words too, and bars stand above or below a line."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(title: str, facts: Mapping[str, str], *body: Markup, made: str) -> str:
    """A whole document. It may load nothing, as its policy says; `made` is the line at its foot."""
    head = join(
        [
            Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
            Markup(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'),
            element("title", title),
            Markup(f"<style>{STYLE}</style>"),
        ]
    )
    listed = element("dl", *(join([element("dt", name), element("dd", value)]) for name, value in facts.items()))
    main = element("main", element("h1", title), listed, *body, element("footer", made))
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>{main}</body></html>\n'


def figure(content: Markup, *caption: str, basis: str) -> Markup:
    """A plot or table with its caption, and what it rests on: queries, depth, index and build."""
    under = element("figcaption", *caption, element("span", basis, class_="basis"))
    return element("figure", element("div", content, class_="scroll", tabindex="0"), under)


def table(heads: Sequence[Markup], rows: Sequence[Markup]) -> Markup:
    """A table of rows made by `row`."""
    return element("table", element("thead", element("tr", *heads)), element("tbody", *rows))


def head(text: str, **attributes: str) -> Markup:
    """A column's head."""
    return element("th", text, scope="col", **attributes)


def ends(low: str, high: str) -> Markup:
    """The head of a column of plots: the two ends of their scale."""
    return element("th", element("span", element("span", low), element("span", high), class_="ends"), scope="col")


def row(name: str, *cells: Markup, main: bool = False) -> Markup:
    """A row that begins with its name; `main` sets it off."""
    attributes = {"class_": "main"} if main else {}
    return element("tr", element("th", name, scope="row"), *cells, **attributes)


def cell(text: str, **attributes: str) -> Markup:
    """A cell."""
    return element("td", text, **attributes)


def notes(sentences: Sequence[str]) -> Markup:
    """A list of notes with its heading; nothing without any."""
    if not sentences:
        return Markup("")
    listed = element("ul", *(element("li", sentence) for sentence in dict.fromkeys(sentences)))
    return join([element("h3", "What was left out or counted"), listed])
