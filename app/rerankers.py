"""Which re-rankers a link may name: those that are here, and those that a user of this server has typed.

A link may come from a stranger. Were whatever it names loaded, it could fetch a model, open a folder, or find out by
the answer which folders there are.
"""

from pathlib import Path

from app.environment import default_reranker, read_only
from search.served import DEFAULT_RERANKER, LATE, NO_RERANKER, SHIPPED, version_id, version_ids

MOST_TYPED = 100
_typed: dict[str, None] = {}
"""Names that were typed into a field since the server started, oldest first; all sessions share them."""


def is_offered(name: str) -> bool:
    """Whether a link may choose this re-ranker: a usual one, a version, or, outside read-only mode, a typed one."""
    if name in (default_reranker(), DEFAULT_RERANKER, SHIPPED, LATE, NO_RERANKER):
        return True
    if read_only():
        return name in version_ids()
    return name in _typed or (version_id(Path(name)) or name) in version_ids()


def accept(name: str) -> None:
    """Offer this re-ranker from now on, as a user chose it by hand; in read-only mode nothing is accepted."""
    if not read_only():
        _typed.pop(name, None)
        _typed[name] = None
        while len(_typed) > MOST_TYPED:
            del _typed[next(iter(_typed))]


def usable(name: str) -> str:
    """The name, or the default in its place where read-only mode doesn't offer it, whoever sent it."""
    return name if not read_only() or is_offered(name) else default_reranker()
