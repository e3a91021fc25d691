"""White space as every reader treats it: each run of it in a text is one space, and ids have none at their ends."""

UNSEEN = "\u00ad\u180e\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
"""Characters that nobody sees: hyphens that may be, spaces without width, marks of direction and of byte order."""
ENDS = UNSEEN + "".join(filter(str.isspace, map(chr, range(0x3001))))


def squeeze(text: str) -> str:
    """Every run of white space as one space, none at the ends. Most texts have that form already: checked first."""
    if text.isprintable() and "  " not in text and text[:1] != " " and text[-1:] != " ":
        return text  # of all white space only the plain space is printable
    return " ".join(text.split())


def bare(key: str) -> str:
    """An id or another value without white space at its ends, nor anything UNSEEN there, as pages and editors add."""
    return key.strip() if key.isascii() else key.strip(ENDS)
