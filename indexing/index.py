"""An index on disk, found by name and opened for searching: passages, BM25, FAISS."""

from collections.abc import Mapping, Sized
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import torch

from indexing.bm25.backends import Bm25, Bm25s, RankBm25
from indexing.bm25.from_postings import PostingsBm25
from indexing.catalogue import current_build, index_names, verify
from indexing.corpus.folder import corpus_files, files_digest
from indexing.dense.encoder import BiEncoder
from indexing.dense.exact import TorchExact
from indexing.dense.faiss_index import DenseIndex, DenseSearcher, gpus
from indexing.dense.vectors import VectorStore
from indexing.errors import IndexingError
from indexing.judged.sets import JudgedSet, judged_sets, pick_split
from indexing.manifest import Manifest, broken, rebuild
from indexing.store.ids import IdTable
from indexing.store.passages import PassageStore
from indexing.store.token_vectors import TokenVectorStore, open_token_vectors
from indexing.store.tokens import TokenStore
from indexing.verification import verifications
from indexing.words.analyzer import Analyzer

SAME_VECTOR = 0.98  # least cosine of a vector computed anew with the stored one, which float16 or bfloat16 rounded
GPU_SHARE = 0.5  # of a GPU's free memory that torch's exact search may take; the models need the rest


@dataclass(frozen=True, kw_only=True)
class Index:
    """One build, open for searching. A row number means the same passage in every part."""

    folder: Path
    manifest: Manifest
    passages: PassageStore
    analyzer: Analyzer
    """Turns passages and queries into the terms that BM25 counts."""
    bm25: Bm25
    postings: PostingsBm25 | None
    """Computes BM25 with any k1 and b; None if the build has no postings."""
    dense: DenseSearcher
    vectors: VectorStore
    """The bi-encoder's vector of every passage; those that `dense` searches may be quantized."""
    tokens: TokenStore | None
    """Token ids of every passage for the re-ranker that the manifest names; None if they aren't stored."""
    token_vectors: TokenVectorStore | None = None
    """The bi-encoder's vectors of every passage's tokens; None if they aren't stored."""

    def check(self) -> None:
        """Raise IndexingError if the build's bytes, which are checked in the background, turned out broken."""
        verifications.check(self.folder)


def check_encoder(
    folder: Path, encoder: BiEncoder, *, manifest: Manifest, passages: PassageStore, vectors: VectorStore
) -> None:
    """Refuse a bi-encoder that isn't the one that an index was built with.

    Weights are compared by their fingerprint. Whatever else makes a vector (tokenizer, pooling, length, prompts) is
    compared by its effect: the first passage is encoded again.

    Raises:
        IndexingError: the weights, or the vectors, are others.
    """
    if encoder.fingerprint != manifest.bi_encoder_fingerprint:
        raise IndexingError(
            f"Index {folder} was built by bi-encoder weights {manifest.bi_encoder_fingerprint}, "
            f"{encoder.name} has {encoder.fingerprint}. {rebuild(folder)}"
        )
    if not len(passages):
        return
    cosine = float(vectors.rows(np.zeros(1, np.int64))[0] @ encoder.encode_passage(passages[0].content))
    if cosine < SAME_VECTOR:
        raise IndexingError(
            f"Index {folder} was built by another bi-encoder than {encoder.name} is now: its vector of passage "
            f"{passages[0].id!r} has a cosine of {cosine:.3f} with the stored one. {rebuild(folder)}"
        )


def up_to_date(name: str, *, corpus: Path, root: Path | None = None) -> Path | None:
    """The current build's folder if it is sound and was built from this corpus as its files are now; else None.

    Builds that don't record the corpus's files count if they are newer than all of them.
    """
    if name not in index_names(root):
        return None
    try:
        folder = current_build(name, root=root)
        manifest = Manifest.load(folder)
        if manifest.corpus != str(corpus) or manifest.analyzer() is None:
            return None
        if manifest.corpus_files:
            unchanged = manifest.corpus_files == files_digest(corpus)
        else:
            changed = max(file.stat().st_mtime for file in corpus_files(corpus))
            unchanged = changed < datetime.fromisoformat(manifest.created).timestamp()
        return folder if unchanged and not verify(folder, full=False) else None
    except IndexingError:
        return None


def open_index(name: str, *, root: Path | None = None) -> Index:
    """Open the current build of an index after checking its manifest and its files.

        index = open_index("sample")
        rows, scores = index.bm25.search(index.analyzer.query_terms("honey bees"), depth=10)
        print(index.passages[int(rows[scores.argmax()])].content)

    `root` defaults to `places.indexes()`. The bytes of a large build are checked in the background: see `Index.check`.

    Raises:
        IndexingError: the index is absent, incomplete or broken, or was built with another analyzer.
    """
    index = open_build(current_build(name, root=root))
    return replace(index, manifest=replace(index.manifest, name=name))  # a copied folder's manifest has another's name


def open_build(folder: Path) -> Index:
    """Open one build by its folder, whichever is current. Raises IndexingError as `open_index` does."""
    manifest = _sound_manifest(folder)
    try:
        return _open_parts(folder, manifest, opened_analyzer(folder, manifest))
    except OSError as error:  # a file went away, or its disk fails
        raise broken(folder, f"a file can't be read ({error.strerror})") from error


def _open_parts(folder: Path, manifest: Manifest, analyzer: Analyzer) -> Index:
    passages = PassageStore(folder / "passages", IdTable(folder / "ids"))
    vectors = VectorStore(folder / "vectors")
    if len(vectors) and vectors.dim != manifest.dim:
        raise broken(folder, f"vectors/ has {vectors.dim:,} dimensions, the manifest says {manifest.dim:,}")
    vectors.check_sample()
    bm25 = _open_bm25(folder, manifest, passages, analyzer)
    dense = _open_dense(folder, manifest, vectors)
    tokens = TokenStore(folder / "tokens") if manifest.tokenizer else None
    token_vectors = open_token_vectors(folder, manifest.token_vectors, dim=manifest.dim)
    parts: dict[str, Sized] = {
        "passages": passages,
        "ids": passages.ids,
        "passages in BM25": bm25,
        "vectors": vectors,
        "searched vectors": dense,
        "tokens": passages if tokens is None else tokens,
        "passages' token vectors": passages if token_vectors is None else token_vectors,
    }
    _check_counts(folder, manifest, parts)
    return Index(
        folder=folder,
        manifest=manifest,
        passages=passages,
        analyzer=analyzer,
        bm25=bm25,
        postings=PostingsBm25(folder / "terms") if manifest.has_postings else None,
        dense=dense,
        vectors=vectors,
        tokens=tokens,
        token_vectors=token_vectors,
    )


def _sound_manifest(folder: Path) -> Manifest:
    manifest = Manifest.load(folder)
    faults = verify(folder, full=False)
    if faults:
        raise broken(folder, faults[0])
    verifications.begin(folder, manifest)
    return manifest


def opened_analyzer(folder: Path, manifest: Manifest) -> Analyzer:
    """The analyzer that an index was built with. Raises IndexingError if this program lacks it."""
    analyzer = manifest.analyzer()
    if analyzer is None:
        raise IndexingError(f"Index {folder} was built with another analyzer than this program's. {rebuild(folder)}")
    return analyzer


def _check_counts(folder: Path, manifest: Manifest, parts: Mapping[str, Sized]) -> None:
    for part, content in parts.items():
        if len(content) != manifest.passages:
            raise broken(folder, f"it holds {len(content):,} {part}, its manifest says {manifest.passages:,}")


def _open_bm25(folder: Path, manifest: Manifest, passages: PassageStore, analyzer: Analyzer) -> Bm25:
    if manifest.bm25.backend == "rank-bm25":
        return RankBm25(analyzer.analyze(passage.content for passage in passages), manifest.bm25)
    return Bm25s.open(folder / "bm25", manifest.bm25)


def _open_dense(folder: Path, manifest: Manifest, vectors: VectorStore) -> DenseSearcher:
    """FAISS's index, on every GPU that FAISS can use; torch's if only torch can use a GPU and all vectors fit on it."""
    if not gpus() and torch.cuda.is_available():
        free, _ = torch.cuda.mem_get_info()
        if 2 * manifest.dim * manifest.passages < GPU_SHARE * free:
            return TorchExact(vectors, device="cuda")
    dense = DenseIndex.open(
        folder / "dense.faiss",
        parameters=manifest.dense.quality.parameters,
        count=manifest.passages,
        dim=manifest.dim,
    )
    return dense.to_gpus()


def open_corpus_folder(index: Index) -> Path:
    """The folder that an index was built from."""
    return _corpus_folder(index.manifest)


def corpus_folder(name: str, *, root: Path | None = None) -> Path:
    """The folder that the index of this name was built from; only its manifest is read.

    Raises IndexingError if no such index exists.
    """
    return _corpus_folder(Manifest.load(current_build(name, root=root)))


def judged_split(index: Index, split: str, *, advice: str = "give another --split or --index") -> JudgedSet:
    """A judged split beside the corpus that an index was built from. Raises SettingsError if it has no queries."""
    return pick_split(judged_sets(open_corpus_folder(index)), split, index=index.manifest.name, advice=advice)


def _corpus_folder(manifest: Manifest) -> Path:
    path = Path(manifest.corpus)
    return path if path.is_dir() else path.parent
