"""About how long a build will take and how large its index will be, by what another build took on this machine."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from indexing.catalogue import current_build, index_names
from indexing.errors import SecondLookError
from indexing.manifest import Manifest


@dataclass(frozen=True, kw_only=True)
class BuildPace:
    """What a build on this machine took."""

    index: str
    """Its name."""
    seconds: float
    """A byte of passages."""
    bytes: float
    """On disk a passage."""


def build_pace(bi_encoder: str, *, root: Path) -> BuildPace | None:
    """The pace of the largest current build by this bi-encoder that took no vectors from another; None for none."""
    largest = max(_builds(bi_encoder, root), key=lambda manifest: manifest.passages, default=None)
    if largest is None:
        return None
    read = sum(row["bytes"] for name, row in largest.files.items() if name.startswith("passages/"))
    return BuildPace(
        index=largest.name,
        seconds=sum(largest.seconds.values()) / max(read, 1),
        bytes=largest.bytes / max(largest.passages, 1),
    )


def _builds(bi_encoder: str, root: Path) -> Iterator[Manifest]:
    """The current builds that encoded all of their passages once, in one process."""
    for name in index_names(root):
        with suppress(SecondLookError):
            manifest = Manifest.load(current_build(name, root=root))
            encoded_once = manifest.encoded == manifest.passages and not manifest.token_vectors
            if encoded_once and manifest.bi_encoder == bi_encoder:
                yield manifest
