"""What the app reads from its environment and command line: the default index and re-ranker, and read-only mode.

The functions read it when they are called, never at import.
"""

import os
import sys

from search.served import DEFAULT_RERANKER

READ_ONLY_FLAG = "--read-only"


def default_index() -> str:
    """The index that is searched unless another is chosen: SECOND_LOOK_INDEX, else `sample`."""
    return os.environ.get("SECOND_LOOK_INDEX") or "sample"


def default_reranker() -> str:
    """The re-ranker that is used unless another is chosen: SECOND_LOOK_RERANKER, else `default`."""
    return os.environ.get("SECOND_LOOK_RERANKER") or DEFAULT_RERANKER


def judge_address() -> str:
    """The address of the language model that may grade: SECOND_LOOK_JUDGE_ADDRESS, else empty."""
    return os.environ.get("SECOND_LOOK_JUDGE_ADDRESS", "").strip()


def read_only() -> bool:
    """Whether nothing may be changed through the app: --read-only, or SECOND_LOOK_READ_ONLY set and not 0."""
    return READ_ONLY_FLAG in sys.argv[1:] or os.environ.get("SECOND_LOOK_READ_ONLY", "0") not in ("", "0")
