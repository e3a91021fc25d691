"""Reads a report's HTML as a browser would: its elements must close, and it may load nothing."""

from html.parser import HTMLParser

VOID = {"meta"}


class ReportPage(HTMLParser):
    """The parts of a report that tests look at."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.document = document
        self.text = ""
        self.captions: list[str] = []
        self.rows: list[list[str]] = []
        self.labels: list[str] = []
        """What its plots tell a screen reader."""
        self.names: set[str] = set()
        self.loads: list[str] = []
        """Whatever a browser would fetch."""
        self._open: list[str] = []
        self.feed(document)
        self.close()
        assert self._open == [], f"left open: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.names.add(tag)
        self.loads += [f"{tag} {name}" for name in ("src", "href", "srcset", "data", "action") if name in given]
        self.loads += [f"{tag} {name}" for name in given if name.startswith("on")]
        if "aria-label" in given:
            self.labels.append(str(given["aria-label"]))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "figcaption":
            self.captions.append("")
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            return
        self.text += data
        if "figcaption" in self._open:
            self.captions[-1] += data
        if {"td", "th"} & set(self._open):
            self.rows[-1][-1] += data

    def row(self, name: str) -> list[str]:
        """The first row that begins with a name."""
        return next(row for row in self.rows if row[0] == name)


def checked(document: str, *, basis: str) -> ReportPage:
    """A report that loads nothing and says under every plot and table what it rests on."""
    read = ReportPage(document)
    assert read.loads == []
    assert not read.names & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    assert "url(" not in document
    assert "@import" not in document
    assert "default-src 'none'" in document
    assert read.captions
    assert [caption for caption in read.captions if not caption.endswith(basis)] == []
    return read
