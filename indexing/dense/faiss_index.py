"""FAISS over unit vectors: inner product equals cosine. The only module that imports faiss."""

import logging
import math
import os
import re
import struct
import time
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import faiss
import numpy as np

from indexing.dense.settings import PRESETS
from indexing.dense.vectors import BLOCK, VectorStore, check_finite
from indexing.errors import SettingsError, first_line
from indexing.manifest import broken
from indexing.progress import Progress, silent
from indexing.records import Floats, Rows

EXACT_UP_TO = 50_000  # passages below which a scan of every vector takes under 5 ms on one core
SCAN_UP_TO = 2_000_000  # passages below which a scan of every 4-bit code does
TRAINING_ROWS = 65_536  # vectors that FAISS learns its codes from; its k-means itself samples 256 per centroid
LEAST_IN_A_CLUSTER = 39  # vectors per cluster below which FAISS's k-means warns
WRITTEN_AT_ONCE = 1 << 20  # bytes
CODES = 16  # of one part of a vector, in 4 bits
MEMORY_SHARE = 0.5  # of the machine's memory that `auto` allows an index
PROBE_ROWS = 4096
KNOBS = {
    "nprobe": (1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
    "efSearch": (16, 32, 64, 128, 256, 512),
    "k_factor_rf": (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 32),
}
"""FAISS's search parameters: clusters visited, length of the graph's queue, candidates refined per result."""
HEADER = struct.Struct("<4siq")
"""How every FAISS file begins: its kind, the dimensions, the number of vectors."""
SOURCE_LINE = re.compile(r"^Error in .*? at \S+:\d+: (Error: )?")
"""The C++ source line that FAISS's messages begin with, which is of no use to a user."""
log = logging.getLogger(__name__)


class PresetChoice(NamedTuple):
    """The preset that `auto` chose, and why."""

    preset: str
    reason: str


class DensePlan(NamedTuple):
    """The FAISS index to build."""

    preset: str
    kind: str
    """Its index_factory string."""
    reason: str
    """Why this kind was chosen, if the preset was `auto`; else empty."""


class DenseSearcher(Protocol):
    """Finds the nearest passages to a query's vector."""

    def __len__(self) -> int:
        """Number of vectors."""

    def search(self, vector: Floats, *, depth: int) -> tuple[Rows, Floats]:
        """The nearest rows to one (dim,) vector, best first, with cosines; fewer if the index holds fewer."""


def gpus() -> int:
    """GPUs that FAISS can use: 0 with faiss-cpu, whatever the machine has."""
    return int(faiss.get_num_gpus())


def choose(passages: int, *, dim: int, memory: int) -> PresetChoice:
    """The preset for a corpus of this size on a machine with `memory` bytes, and why."""
    limit = memory * MEMORY_SHARE
    exact = 4 * dim * passages
    scan = (dim // 8 + dim) * passages
    if gpus() and exact / 2 < limit:
        return PresetChoice("flat", "a GPU compares every vector in half precision: exact")
    if passages <= EXACT_UP_TO and exact < limit:
        return PresetChoice("flat", f"{passages:,} vectors are compared exactly in milliseconds")
    if dim % 4:
        return PresetChoice("sq8", f"{dim} dimensions aren't a multiple of 4, which 4-bit codes need")
    if passages <= SCAN_UP_TO and scan < limit:
        return PresetChoice(
            "pq-fastscan", f"{scan / 1e9:.1f} GB in place of {exact / 1e9:.1f} GB, and faster than exact"
        )
    return PresetChoice("ivf-pq", f"with {passages:,} vectors only the clusters near the query are looked at")


def factory_string(preset: str, *, dim: int, passages: int) -> str:
    """The `faiss.index_factory` string of a preset; any other string is returned unchanged."""
    codes = f"PQ{dim // 4}x4fs"  # 4 bits for every 4 dimensions
    clusters = max(1, min(round(4 * math.sqrt(passages)), passages // LEAST_IN_A_CLUSTER))
    return {
        "flat": "Flat",
        "sq8": "SQ8",
        "pq-fastscan": f"{codes},Refine(SQ8)",
        "ivf-pq": f"IVF{clusters},{codes},Refine(SQ8)",
        "hnsw": "HNSW32,Flat",
    }.get(preset, preset)


def plan(preset: str, *, dim: int, passages: int) -> DensePlan:
    """Resolve a preset (`auto` included) or an index_factory string for this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    chosen, reason = choose(passages, dim=dim, memory=memory) if preset == "auto" else (preset, "")
    return DensePlan(chosen, factory_string(chosen, dim=dim, passages=passages), reason)


class DenseIndex:
    """A FAISS index, searched with one query at a time."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index
        self._path = Path("dense.faiss")
        self.parameters = ""

    @classmethod
    def build(cls, vectors: VectorStore, *, kind: str, seed: int = 0, progress: Progress = silent) -> "DenseIndex":
        """Train on a sample if this kind needs training, then add every vector, block by block.

        `kind` is an `index_factory` string; `progress` counts vectors.
        """
        try:
            index = faiss.index_factory(vectors.dim, kind, faiss.METRIC_INNER_PRODUCT)
            if not index.is_trained:
                _quiet(index)
                tell_few(kind, len(vectors), clusters=_clusters(index))
                index.train(vectors.sample(max(TRAINING_ROWS, 64 * _clusters(index)), seed=seed))
            for block in vectors.blocks(_block_rows(len(vectors))):
                check_finite(block)
                index.add(block)
                progress("dense", len(block), len(vectors))
        except RuntimeError as error:
            raise _unusable(kind, f"{len(vectors):,} vectors of {vectors.dim} dimensions", error) from error
        return cls(index)

    def save(self, path: Path) -> None:
        """Write the index in FAISS's own format.

        FAISS's own file doesn't notice that the last bytes find no space, so Python's is written.
        """
        failures: list[OSError] = []
        with path.open("wb") as file:

            def write(content: bytes) -> None:
                try:
                    file.write(content)
                except OSError as error:
                    failures.append(error)
                    raise

            try:
                writer = faiss.PyCallbackIOWriter(write, WRITTEN_AT_ONCE)  # type: ignore[attr-defined]  # SWIG's
                faiss.write_index(self._index, writer)
            except RuntimeError as error:
                raise failures[0] if failures else error from error

    @classmethod
    def open(
        cls, path: Path, *, parameters: str = "", count: int | None = None, dim: int | None = None
    ) -> "DenseIndex":
        """Read an index; its header must say `count` vectors of `dim` dimensions, where they are given.

        Raises:
            IndexingError: the file or the parameters are broken. FAISS's files have no checksum: check the manifest's.
        """
        _check_header(path, count=count, dim=dim)
        try:
            opened = cls(faiss.read_index(str(path)))
            opened._path = path
            opened._check_parameters(parameters)
            opened.set(parameters)
        except (RuntimeError, MemoryError, ValueError, AssertionError) as error:
            raise broken(path.parent, f"{path.name} can't be read by FAISS ({_reason(error)})") from error
        return opened

    def _check_parameters(self, parameters: str) -> None:
        """Raise ValueError for parameters that no build chooses."""
        for pair in filter(None, parameters.split(",")):
            name, _, value = pair.partition("=")
            if name not in KNOBS or not value.isdecimal() or not 1 <= int(value[:9]) <= KNOBS[name][-1]:
                raise ValueError(f"the manifest's search parameters are {parameters[:80]!r}")

    def set(self, parameters: str) -> None:
        """Set search parameters, such as `nprobe=32,k_factor_rf=8`; an empty string changes nothing."""
        if parameters:
            for name, value in (pair.split("=") for pair in parameters.split(",")):
                faiss.ParameterSpace().set_index_parameter(self._index, name, float(value))
        self.parameters = parameters

    def knobs(self) -> dict[str, tuple[int, ...]]:
        """The search parameters that this kind of index has, each with its values in ascending order."""
        knobs = {}
        for name, values in KNOBS.items():
            try:
                faiss.ParameterSpace().set_index_parameter(self._index, name, values[0])
                knobs[name] = values
            except RuntimeError:
                continue  # this kind has no such parameter
        self.set(self.parameters)
        return knobs

    def to_gpus(self) -> "DenseIndex":
        """A half-precision copy on every GPU that FAISS can use; this index itself if none can hold it."""
        if gpus() == 0:
            return self
        options = faiss.GpuMultipleClonerOptions()
        options.useFloat16 = True
        try:
            moved = DenseIndex(faiss.index_cpu_to_all_gpus(self._index, co=options))
        except RuntimeError as error:
            log.warning("FAISS can't hold this index on a GPU (%s); it stays on the CPU.", _reason(error))
            return self
        moved.parameters, moved._path = self.parameters, self._path
        return moved

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(self, vector: Floats, *, depth: int) -> tuple[Rows, Floats]:
        """The nearest rows to one (dim,) vector, best first, with cosines; fewer if the index holds fewer.

        Raises:
            ModelError: the vector is zero or not finite.
            IndexingError: the index is broken.
        """
        check_finite(vector.reshape(1, -1))
        try:
            scores, rows = self._index.search(vector.reshape(1, -1), min(depth, max(len(self), 1)))
        except (RuntimeError, MemoryError, AssertionError) as error:
            raise broken(self._path.parent, f"FAISS can't search {self._path.name} ({_reason(error)})") from error
        valid = rows[0] >= 0  # FAISS pads missing results with -1
        if rows[0].max(initial=-1) >= len(self) or not np.isfinite(scores[0][valid]).all():
            raise broken(self._path.parent, f"{self._path.name} holds rows or vectors that can't be")
        return rows[0][valid].astype(np.int64), scores[0][valid].astype(np.float32)


def _check_header(path: Path, *, count: int | None, dim: int | None) -> None:
    """Compare what a FAISS file says of itself with what it should hold, before FAISS allocates what it says."""
    try:
        with path.open("rb") as file:
            _, found_dim, found_count = HEADER.unpack(file.read(HEADER.size))
    except (OSError, struct.error) as error:
        raise broken(path.parent, f"{path.name} can't be read ({first_line(error)})") from None
    if dim is not None and found_dim != dim:
        raise broken(path.parent, f"{path.name} holds vectors of {found_dim:,} dimensions, the manifest says {dim:,}")
    if count is not None and found_count != count:
        raise broken(path.parent, f"{path.name} holds {found_count:,} vectors, the manifest says {count:,}")


def _block_rows(count: int) -> int:
    """Rows to add at a time, chosen so that FAISS's arrays, which double when full, end up exactly full."""
    rows = max(count, 1)
    while rows > BLOCK:
        rows = (rows + 1) // 2
    return rows


def _clusters(index: faiss.Index) -> int:
    """Clusters of an IVF index; 0 for any other kind."""
    inner = faiss.try_extract_index_ivf(index)
    return 0 if inner is None else int(inner.nlist)


def _quiet(index: faiss.Index) -> None:
    """Let every part of an index train on few vectors without a line for each; `tell_few` says it once."""
    index = faiss.downcast_index(index)
    owners: list[Any] = [index, *(getattr(index, name, None) for name in ("pq", "lsq"))]
    for owner in owners:
        if hasattr(owner, "cp"):
            owner.cp.min_points_per_centroid = 1
    for name in ("base_index", "index", "quantizer"):
        if isinstance(part := getattr(index, name, None), faiss.Index):
            _quiet(part)


def tell_few(kind: str, count: int, *, clusters: int) -> None:
    """Log a warning if an index is to be trained on fewer vectors than its clusters, or any code, should have."""
    wanted = LEAST_IN_A_CLUSTER * max(clusters, CODES)
    if count < wanted:
        log.warning(
            "FAISS learns the index %s from only %s vectors, where %s are advised; --dense flat is exact, and fast at "
            "this size.",
            kind,
            f"{count:,}",
            f"{wanted:,}",
        )


def probe(preset: str, *, dim: int) -> tuple[float, float]:
    """Bytes and seconds that each further vector costs this kind of index, measured with random vectors.

    Raises SettingsError if FAISS can't make such an index of PROBE_ROWS vectors.
    """
    vectors = np.random.default_rng(0).normal(size=(2 * PROBE_ROWS, dim)).astype(np.float32)  # (rows, dim)
    kind = factory_string(preset, dim=dim, passages=PROBE_ROWS)
    try:
        index = faiss.index_factory(dim, kind, faiss.METRIC_INNER_PRODUCT)
        _quiet(index)
        index.train(vectors)
        index.add(vectors[:PROBE_ROWS])
        before = len(faiss.serialize_index(index))
        begun = time.perf_counter()
        index.add(vectors[PROBE_ROWS:])
        seconds = time.perf_counter() - begun
    except RuntimeError as error:
        raise _unusable(kind, f"{2 * PROBE_ROWS:,} vectors of {dim} dimensions", error) from error
    return (len(faiss.serialize_index(index)) - before) / PROBE_ROWS, seconds / PROBE_ROWS


def check_kind(preset: str, *, dim: int) -> None:
    """Raise SettingsError if this is neither a preset nor an index_factory string; called before encoding begins."""
    kind = factory_string("flat" if preset == "auto" else preset, dim=dim, passages=PROBE_ROWS)
    try:
        faiss.index_factory(dim, kind, faiss.METRIC_INNER_PRODUCT)
    except RuntimeError as error:
        raise _unusable(kind, f"vectors of {dim} dimensions", error) from error


def _reason(error: Exception) -> str:
    """FAISS's message without the C++ source line."""
    return first_line(RuntimeError(SOURCE_LINE.sub("", str(error).strip())))


def _unusable(kind: str, what: str, error: Exception) -> SettingsError:
    return SettingsError(
        f"FAISS can't make the index {kind!r} of {what} ({_reason(error)}); choose {', '.join(PRESETS)} or another "
        "index_factory string."
    )
