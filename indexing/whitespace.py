"""White space as every reader of texts treats it: each run of it becomes one space."""


def squeezed(text: str) -> str:
    """Every run of white space as one space, none at the ends. Most texts are so already, which is told sooner."""
    if text.isprintable() and "  " not in text and text[:1] != " " and text[-1:] != " ":
        return text  # of all white space only the plain space is printable
    return " ".join(text.split())
