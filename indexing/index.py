"""An index on disk, found by name and opened for searching: passages, BM25, FAISS."""

import re
from collections.abc import Callable, Sized
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import torch

from indexing import analyzer, atomic
from indexing.bm25 import Bm25, Bm25s, RankBm25
from indexing.bm25_postings import PostingsBm25
from indexing.corpus_files import corpus_files
from indexing.dense import DenseIndex, DenseSearcher, gpus
from indexing.encoder import BiEncoder
from indexing.errors import IndexingError, SettingsError
from indexing.exact import TorchExact
from indexing.ids import IdTable
from indexing.manifest import FILE, Manifest, rebuild
from indexing.passages import PassageStore
from indexing.tokens import TokenStore
from indexing.vectors import VectorStore

ROOT = Path("data/indexes")
GPU_SHARE = 0.5  # of a GPU's free memory that torch's exact search may take; the models need the rest
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class Index:
    """One build, open. Rows are shared by its parts."""

    folder: Path
    manifest: Manifest
    passages: PassageStore
    bm25: Bm25
    postings: PostingsBm25 | None
    """BM25 with another k1 and b than `bm25` has; None where the build keeps no postings."""
    dense: DenseSearcher
    vectors: VectorStore
    """Of every passage, as the bi-encoder gave them; what `dense` searches may be quantised."""
    tokens: TokenStore | None
    """Token ids of every passage for the re-ranker that the manifest names; None where they aren't stored."""


def check_name(name: str) -> None:
    """Refuse a name that isn't a plain folder name."""
    if not NAME.fullmatch(name):
        raise SettingsError(f"Index name {name!r} must be letters, digits, '.', '_' or '-', at most 64 of them.")


def index_names(root: Path = ROOT) -> list[str]:
    """Names of the indexes below `root` that have a current build."""
    return sorted(path.parent.name for path in root.glob("*/current"))


def build_folders(folder: Path) -> dict[str, Path]:
    """The complete builds of one index, by build id, oldest first."""
    return {path.parent.name: path.parent for path in sorted(folder.glob(f"[!.]*/{FILE}"))}


def set_current(folder: Path, build_id: str) -> None:
    """Serve this build from now on; readers see the old one or the new one."""
    atomic.write_text(folder / "current", build_id + "\n")


def current_build(name: str, *, root: Path = ROOT) -> Path:
    """The folder of an index's current build. Raises IndexingError where there is none."""
    check_name(name)
    pointer = root / name / "current"
    if not pointer.is_file():
        known = ", ".join(index_names(root)) or "none"
        raise IndexingError(
            f"There is no index {name!r} in {root} (there: {known}). "
            f"Build it: python -m indexing build --corpus CORPUS --name {name}"
        )
    build_id = pointer.read_text(encoding="utf-8", errors="replace").strip()
    folders = build_folders(root / name)
    if build_id not in folders:
        raise IndexingError(f"{pointer} names build {build_id!r}, which isn't there. {rebuild(pointer)}")
    return folders[build_id]


def verify(folder: Path, *, full: bool, progress: Callable[[int], None] = lambda _: None) -> list[str]:
    """What differs from the manifest: sizes, and if `full` every checksum. Empty means sound.

    `progress` is called with the bytes read since the last call.
    """
    files = {name: dict(row) for name, row in Manifest.load(folder).files.items()}
    return atomic.changed_files(folder, files, full=full, progress=progress)


def check_encoder(folder: Path, manifest: Manifest, encoder: BiEncoder) -> None:
    """Refuse a bi-encoder whose weights aren't those that an index was built with."""
    if encoder.fingerprint != manifest.bi_encoder_fingerprint:
        raise IndexingError(
            f"Index {folder} was built by bi-encoder weights {manifest.bi_encoder_fingerprint}, "
            f"{encoder.name} has {encoder.fingerprint}. {rebuild(folder)}"
        )


def up_to_date(name: str, *, corpus: Path, root: Path = ROOT) -> Path | None:
    """The current build's folder, if it is sound, was built from this corpus, and is newer than its files."""
    if name not in index_names(root):
        return None
    try:
        folder = current_build(name, root=root)
        manifest = Manifest.load(folder)
        changed = max(file.stat().st_mtime for file in corpus_files(corpus))
        built = datetime.fromisoformat(manifest.created).timestamp()
        same = manifest.corpus == str(corpus) and manifest.analyzer_fingerprint == analyzer.fingerprint()
        return folder if same and changed < built and not verify(folder, full=False) else None
    except IndexingError:
        return None


def open_index(name: str, *, root: Path = ROOT) -> Index:
    """Open the current build after checking its manifest and the size of every file.

    Raises:
        IndexingError: it is absent, incomplete, changed, or from another analyzer.
    """
    folder = current_build(name, root=root)
    manifest = Manifest.load(folder)
    faults = verify(folder, full=False)
    if faults:
        raise IndexingError(f"Index {folder} is broken: {faults[0]}. {rebuild(folder)}")
    if manifest.analyzer_fingerprint != analyzer.fingerprint():
        raise IndexingError(f"Index {folder} was built with another analyzer than this program's. {rebuild(folder)}")
    passages = PassageStore(folder / "passages", IdTable(folder / "ids"))
    vectors = VectorStore(folder / "vectors")
    dense = _open_dense(folder, manifest, vectors)
    tokens = TokenStore(folder / "tokens") if manifest.tokenizer else None
    parts: list[tuple[str, Sized]] = [
        ("passages", passages),
        ("vectors", vectors),
        ("searched vectors", dense),
        ("tokens", tokens or passages),
    ]
    for part, held in parts:
        if len(held) != manifest.passages:
            raise IndexingError(
                f"Index {folder} holds {len(held):,} {part}, its manifest says {manifest.passages:,}. {rebuild(folder)}"
            )
    bm25 = _open_bm25(folder, manifest, passages)
    postings = PostingsBm25(folder / "terms") if manifest.has_postings else None
    return Index(folder, manifest, passages, bm25, postings, dense, vectors, tokens)


def _open_bm25(folder: Path, manifest: Manifest, passages: PassageStore) -> Bm25:
    if manifest.bm25.backend == "rank-bm25":
        return RankBm25(analyzer.analyze(passage.content for passage in passages), manifest.bm25)
    return Bm25s.open(folder / "bm25")


def _open_dense(folder: Path, manifest: Manifest, vectors: VectorStore) -> DenseSearcher:
    """FAISS's index, on the GPUs that it can use; where only torch can use one and it holds every vector, torch's."""
    if not gpus() and torch.cuda.is_available():
        free, _ = torch.cuda.mem_get_info()
        if 2 * manifest.dim * manifest.passages < GPU_SHARE * free:
            return TorchExact(vectors, device="cuda")
    return DenseIndex.open(folder / "dense.faiss", parameters=manifest.dense.quality.parameters).to_gpus()
