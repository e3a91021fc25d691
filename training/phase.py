"""What a training tells of its preparations."""

from collections.abc import Callable

Phase = Callable[[str, int, int], None]
"""Called with what is done, queries or examples done since the last call, and those in all, 0 where nobody knows."""
