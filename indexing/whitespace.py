"""White space as every reader of texts treats it: each run of it becomes one space."""


def squeeze(text: str) -> str:
    """Every run of white space as one space, none at the ends. Most texts have that form already: checked first."""
    if text.isprintable() and "  " not in text and text[:1] != " " and text[-1:] != " ":
        return text  # of all white space only the plain space is printable
    return " ".join(text.split())
