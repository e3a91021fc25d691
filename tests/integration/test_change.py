"""Passages come and go by new builds in which only what is new is encoded; what was there before isn't touched."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from indexing.bm25.settings import Bm25Settings
from indexing.building import shards
from indexing.building.build import UNFINISHED, build
from indexing.building.change import add_passages, delete_passages
from indexing.building.prune import prune
from indexing.building.settings import BuildSettings
from indexing.catalogue import build_folders, current_build, verify
from indexing.corpus.corpus import Corpus
from indexing.dense.encoder import BiEncoder
from indexing.errors import BusyError, CorpusError, IndexingError, SettingsError
from indexing.index import open_index
from indexing.manifest import Manifest
from indexing.records import Floats, PassageId
from indexing.words.analyzers import analyzer_for
from search.pipeline import RetrieveAndRerank
from search.retrieve import retrieve_bm25, retrieve_dense
from search.settings import PipelineSettings
from tests.conftest import PASSAGES, write_lines

LINES = [f"{key}\t{text}" for key, text in PASSAGES.items()]  # in the index `small` in shards of 7, 7 and 6
NEW = {
    "n1": "Beeswax candles burn slowly and smell of honey.",
    "n2": "A foghorn warns ships where no lamp can be seen.",
    "n3": "Barley bread was the bread of the poor.",
}
QUERIES = ("how do bees make honey", "a lamp that ships can see", "bread of flour without yeast", "ice")


class Shelf:
    """The index `small` below a folder that a test may change."""

    def __init__(self, root: Path, work: Path) -> None:
        self.root, self._work = root, work

    @property
    def folder(self) -> Path:
        return current_build("small", root=self.root)

    @property
    def ids(self) -> list[str]:
        return [passage.id for passage in open_index("small", root=self.root).passages]

    def corpus(self, lines: Iterable[str], **more: Any) -> Corpus:
        return Corpus(write_lines(self._work / "more.tsv", list(lines)), **more)

    def add(self, passages: dict[str, str], *, on_existing: str = "stop", **more: Any) -> Manifest:
        corpus = self.corpus(f"{key}\t{text}" for key, text in passages.items())
        return add_passages(corpus, name="small", root=self.root, on_existing=on_existing, **more)

    def delete(self, *names: str) -> Manifest:
        return delete_passages([PassageId(name) for name in names], name="small", root=self.root)

    def build(self, lines: Iterable[str], settings: BuildSettings, *, name: str = "small") -> Manifest:
        corpus = self.corpus(lines)
        return build(corpus, name=name, root=self.root, settings=settings)


@pytest.fixture
def shelf(own_root: Path, tmp_path: Path) -> Shelf:
    return Shelf(own_root, tmp_path)


def checksums(folder: Path) -> dict[str, str]:
    """Of every file of a build, the manifest too."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def shared(old: Path, new: Path, number: int) -> bool:
    """Whether a shard's passages, terms and vectors are one and the same file in both builds."""
    found = [
        (old / form / f"{number:05}{end}").samefile(new / form / f"{number:05}{end}")
        for form, end in shards.SHARD_FORMS.items()
        if (old / form / f"{number:05}{end}").exists() and (new / form / f"{number:05}{end}").exists()
    ]
    assert len(set(found)) <= 1
    return bool(found) and found[0]


def test_added_passages_fill_the_last_shard_and_then_make_their_own(shelf: Shelf) -> None:
    old = shelf.folder
    manifest = shelf.add(NEW)
    assert (manifest.passages, manifest.encoded) == (23, 3)
    assert [shard.passages for shard in shards.load_all(shelf.folder)] == [7, 7, 7, 2]  # 6 + 1, and 2
    assert [shared(old, shelf.folder, number) for number in range(4)] == [True, True, False, False]
    assert shelf.ids == [*PASSAGES, *NEW]
    assert shelf.folder.name == manifest.build != old.name
    assert manifest.change == f"3 added from {shelf.corpus([]).path}; before: build {old.name}"
    assert verify(shelf.folder, full=True) == []


def test_added_passages_are_found(shelf: Shelf, bi_encoder: BiEncoder) -> None:
    shelf.add(NEW)
    pipeline = RetrieveAndRerank(open_index("small", root=shelf.root), bi_encoder, None)
    for key, text in NEW.items():
        assert pipeline.search(text, PipelineSettings()).final.passage_ids[0] == key


def test_a_passage_that_is_there_with_the_same_text_is_passed_over(shelf: Shelf) -> None:
    manifest = shelf.add({"a1": PASSAGES["a1"], "n1": NEW["n1"], "d5": PASSAGES["d5"]})
    assert (manifest.passages, manifest.encoded) == (21, 1)
    assert shelf.ids == [*PASSAGES, "n1"]


def test_another_text_for_an_id_that_is_there_stops_it_by_itself(shelf: Shelf) -> None:
    before = checksums(shelf.root)
    with pytest.raises(CorpusError, match=r"'b2'.*--on-existing skip.*--on-existing replace"):
        shelf.add({"n1": NEW["n1"], "b2": "Another text."})
    assert checksums(shelf.root) == before


def test_another_text_is_left_out_where_it_is_asked_to(shelf: Shelf) -> None:
    manifest = shelf.add({"n1": NEW["n1"], "b2": "Another text."}, on_existing="skip")
    assert (manifest.passages, manifest.encoded) == (21, 1)
    passages = open_index("small", root=shelf.root).passages
    assert passages[passages.row_of(PassageId("b2"))].text == PASSAGES["b2"]


def test_another_text_takes_the_place_of_the_old_one_where_it_is_asked_to(shelf: Shelf) -> None:
    old = shelf.folder
    manifest = shelf.add({"n1": NEW["n1"], "b2": "A marmalade of oranges."}, on_existing="replace")
    index = open_index("small", root=shelf.root)
    assert (manifest.passages, manifest.encoded) == (21, 2)
    assert manifest.change.startswith("1 added, 1 replaced from ")
    assert index.passages[index.passages.row_of(PassageId("b2"))].text == "A marmalade of oranges."
    assert retrieve_bm25(index, "marmalade", depth=5)[0].passage_ids == ("b2",)
    assert retrieve_bm25(index, "Fresnel", depth=5)[0].passage_ids == ()  # of the old text
    # b2 was in the first shard (a1 to a5, b1, b2), which has 6 left now; the last has 6 + 1, and the next the other
    assert [shard.passages for shard in shards.load_all(shelf.folder)] == [6, 7, 7, 1]
    assert [shared(old, shelf.folder, number) for number in range(3)] == [False, True, False]


def test_another_title_is_another_text(shelf: Shelf) -> None:
    corpus = shelf.corpus([f"{LINES[0]}\tA title"])
    with pytest.raises(CorpusError, match="'a1'"):
        add_passages(corpus, name="small", root=shelf.root)


@pytest.mark.parametrize(
    ("passages", "on_existing"),
    [({"a1": PASSAGES["a1"]}, "stop"), ({"a1": "Another text."}, "skip")],
    ids=["the same", "skipped"],
)
def test_nothing_new_is_refused(shelf: Shelf, passages: dict[str, str], on_existing: str) -> None:
    before = shelf.folder
    with pytest.raises(CorpusError, match="holds no passage that index small doesn't hold"):
        shelf.add(passages, on_existing=on_existing)
    assert list(build_folders(shelf.root / "small").values()) == [before]


def test_lines_left_out_of_what_is_added_are_told(shelf: Shelf) -> None:
    corpus = shelf.corpus(["n1\tA text.", "no tab here"], skip_bad_lines=True)
    manifest = add_passages(corpus, name="small", root=shelf.root)
    assert (manifest.passages, manifest.skipped_count) == (21, 1)
    assert manifest.skipped[0].startswith(f"{corpus.path}:2: ")


def test_what_was_said_of_passages_that_are_kept_stays_with_the_index(shelf: Shelf) -> None:
    first = shelf.corpus(["n1\tA \u00e2\u20ac\u0153text\u00e2\u20ac\u009d.", "no tab here"], skip_bad_lines=True)
    add_passages(first, name="small", root=shelf.root)
    second = shelf.corpus(["n2\tOther.", "no tab here", "nor here"], skip_bad_lines=True)
    add_passages(second, name="small", root=shelf.root)
    manifest = shelf.delete("b3")
    assert manifest.skipped_count == len(manifest.skipped) == 1 + 2
    assert [fault.partition(":")[2][:1] for fault in manifest.skipped] == ["2", "2", "3"]
    assert [note.partition(",")[0] for note in manifest.notes] == ["1 texts were encoded twice"]


def test_an_id_twice_in_what_is_added_is_refused(shelf: Shelf) -> None:
    with pytest.raises(CorpusError, match="'n1' appeared before"):
        add_passages(shelf.corpus(["n1\tone", "n1\ttwo"]), name="small", root=shelf.root)


def test_passages_are_deleted_without_encoding_any(shelf: Shelf) -> None:
    old = shelf.folder
    manifest = shelf.delete("b3", "b4")  # both in the second shard
    assert (manifest.passages, manifest.encoded) == (18, 0)
    assert [shard.passages for shard in shards.load_all(shelf.folder)] == [7, 5, 6]
    assert [shared(old, shelf.folder, number) for number in range(3)] == [True, False, True]
    assert shelf.ids == [key for key in PASSAGES if key not in ("b3", "b4")]
    assert manifest.change == f"2 deleted; before: build {old.name}"


def test_a_shard_of_which_nothing_is_left_is_gone(shelf: Shelf) -> None:
    old = shelf.folder
    shelf.delete(*list(PASSAGES)[:7])
    assert [shard.passages for shard in shards.load_all(shelf.folder)] == [7, 6]
    assert (old / "vectors/00001.npy").samefile(shelf.folder / "vectors/00000.npy")
    assert shelf.ids == list(PASSAGES)[7:]


def test_deleted_passages_are_found_no_more(shelf: Shelf, bi_encoder: BiEncoder) -> None:
    shelf.delete("d2")
    index = open_index("small", root=shelf.root)
    assert PassageId("d2") not in index.passages
    assert retrieve_bm25(index, "moraine", depth=20)[0].passage_ids == ()
    assert "d2" not in retrieve_dense(index, bi_encoder.encode_query(PASSAGES["d2"]), depth=20)[0].passage_ids


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a1", "zz"], "no passage 'zz'"),
        (["z1", "z2"], "no passage 'z1'"),
        ([], "holds no passage"),
        (list(PASSAGES), "would be empty without these 20"),
    ],
    ids=["one unknown", "unknown", "none", "all"],
)
def test_what_cannot_be_deleted_is_refused_and_nothing_is_deleted(shelf: Shelf, names: list[str], message: str) -> None:
    before = shelf.folder
    with pytest.raises(SettingsError, match=message):
        shelf.delete(*names)
    assert list(build_folders(shelf.root / "small").values()) == [before]


def test_an_id_that_is_named_twice_is_deleted_once(shelf: Shelf) -> None:
    manifest = shelf.delete("a1", "a1")
    assert manifest.passages == 19
    assert manifest.change.startswith("1 deleted")


@pytest.mark.usefixtures("in_float32")
def test_answers_after_changes_are_those_of_a_fresh_build(shelf: Shelf, tiny_bi_encoder: Path) -> None:
    encoder = BiEncoder(str(tiny_bi_encoder))
    shelf.add(NEW)
    shelf.delete("a3", "c1", "n2")
    shelf.add({"a2": "A marmalade of oranges and honey.", "n4": "Rye and barley."}, on_existing="replace")
    passages = {passage.id: passage.text for passage in open_index("small", root=shelf.root).passages}
    expected = PASSAGES | NEW | {"a2": "A marmalade of oranges and honey.", "n4": "Rye and barley."}
    assert passages == {key: text for key, text in expected.items() if key not in ("a3", "c1", "n2")}
    lines = [f"{key}\t{text}" for key, text in sorted(passages.items())]
    shelf.build(lines, BuildSettings(bi_encoder=str(tiny_bi_encoder)), name="fresh")
    changed, fresh = (open_index(name, root=shelf.root) for name in ("small", "fresh"))
    for query in (*QUERIES, *passages.values()):
        one, other = (retrieve_bm25(index, query, depth=30)[0] for index in (changed, fresh))
        assert dict(zip(one.passage_ids, one.scores, strict=True)) == pytest.approx(
            dict(zip(other.passage_ids, other.scores, strict=True)), abs=1e-6
        )
        one, other = (retrieve_dense(index, encoder.encode_query(query), depth=30)[0] for index in (changed, fresh))
        assert one.passage_ids[:5] == other.passage_ids[:5]
        assert dict(zip(one.passage_ids, one.scores, strict=True)) == pytest.approx(
            dict(zip(other.passage_ids, other.scores, strict=True)), abs=1e-3
        )  # stored in half precision
    assert changed.manifest.corpus_fingerprint == fresh.manifest.corpus_fingerprint


def test_an_open_index_answers_as_before_while_and_after_it_is_changed(shelf: Shelf, bi_encoder: BiEncoder) -> None:
    pipeline = RetrieveAndRerank(open_index("small", root=shelf.root), bi_encoder, None)
    settings = PipelineSettings(depth=20, rerank_depth=0)

    def answers() -> list[Any]:
        return [pipeline.search(query, settings).final for query in QUERIES]

    before, during = answers(), []

    def meanwhile(phase: str, *_: int) -> None:
        during.append((phase, answers() == before))

    corpus = shelf.corpus(f"{key}\t{text}" for key, text in NEW.items())
    add_passages(corpus, name="small", root=shelf.root, progress=meanwhile)
    assert {same for _, same in during} == {True}
    assert {"read", "encode", "ids", "bm25", "dense"} <= {phase for phase, _ in during}
    shelf.delete("a1")
    assert answers() == before
    prune("small", root=shelf.root, keep=1)
    assert not pipeline.index.folder.exists()
    assert answers() == before


@pytest.fixture
def settings(tiny_bi_encoder: Path) -> BuildSettings:
    """As the index `small` was built."""
    return BuildSettings(bi_encoder=str(tiny_bi_encoder), shard_size=7)


def changed(settings: BuildSettings, **values: Any) -> BuildSettings:
    return replace(settings, **values)


@pytest.mark.parametrize(
    ("lines", "encoded"),
    [
        ([*LINES[:3], "a4\tAnother text.", *LINES[4:]], 1),
        ([*LINES, "n1\tA new text.", "n2\tAnother one."], 2),
        (["n1\tA new text.", *LINES], 1),  # every shard begins one passage earlier
        (LINES[1:], 0),
        (LINES[::-1], 0),
        ([*LINES[:-1], f"{LINES[-1]}\tA title"], 1),
    ],
    ids=["changed", "more", "first", "fewer", "turned", "title"],
)
def test_a_build_of_a_changed_corpus_encodes_only_what_changed(
    shelf: Shelf, settings: BuildSettings, lines: list[str], encoded: int
) -> None:
    manifest = shelf.build(lines, settings)
    assert (manifest.passages, manifest.encoded) == (len(lines), encoded)
    assert shelf.ids == [line.partition("\t")[0] for line in lines]
    assert verify(shelf.folder, full=True) == []


@pytest.mark.parametrize(
    "values",
    [
        {"bm25": Bm25Settings(k1=1.2, b=0.75)},
        {"bm25": Bm25Settings(backend="rank-bm25")},
        {"dense": "hnsw"},
        {"dense": "ivf-pq"},
        {"shard_size": 4},
    ],
    ids=str,
)
def test_other_settings_encode_nothing_and_leave_the_build_before_alone(
    shelf: Shelf, settings: BuildSettings, values: dict[str, Any]
) -> None:
    old, before = shelf.folder, checksums(shelf.folder)
    manifest = shelf.build(LINES, changed(settings, **values))
    assert manifest.encoded == 0
    assert shelf.folder != old
    assert checksums(old) == before


def test_tokens_are_stored_later_without_encoding(
    shelf: Shelf, settings: BuildSettings, tiny_cross_encoder: Path
) -> None:
    manifest = shelf.build(LINES, changed(settings, tokenizer=str(tiny_cross_encoder)))
    assert manifest.encoded == 0
    assert len(open_index("small", root=shelf.root).tokens or ()) == 20


def test_the_other_bi_encoder_encodes_all(shelf: Shelf, settings: BuildSettings, tmp_path: Path) -> None:
    shutil.copytree(settings.bi_encoder, tmp_path / "other")
    path = tmp_path / "other/model.safetensors"
    content = bytearray(path.read_bytes())
    content[-2] ^= 1  # in the last weight
    path.write_bytes(content)
    assert shelf.build(LINES, changed(settings, bi_encoder=str(tmp_path / "other"))).encoded == 20


def test_no_change_writes_into_a_file_of_a_build_before(
    shelf: Shelf, settings: BuildSettings, tiny_cross_encoder: Path
) -> None:
    steps: Sequence[Callable[[], object]] = [
        lambda: shelf.add(NEW),
        lambda: shelf.delete("b3", "n1"),
        lambda: shelf.add({"a1": "Another text."}, on_existing="replace"),
        lambda: shelf.build(LINES[2:], settings),
        lambda: shelf.build(LINES, changed(settings, tokenizer=str(tiny_cross_encoder))),
        lambda: shelf.add(NEW),
        lambda: shelf.delete(*list(PASSAGES)[:10]),
    ]
    seen = {shelf.folder: checksums(shelf.folder)}
    for step in steps:
        step()
        assert {folder: checksums(folder) for folder in seen} == seen
        seen[shelf.folder] = checksums(shelf.folder)
    assert len(seen) == 8


def test_a_change_keeps_the_settings_of_the_index(
    shelf: Shelf, settings: BuildSettings, tiny_cross_encoder: Path
) -> None:
    bm25 = Bm25Settings(k1=1.2, b=0.75, backend="rank-bm25")
    shelf.build(LINES, changed(settings, bm25=bm25, dense="sq8", tokenizer=str(tiny_cross_encoder)))
    one, two = shelf.add(NEW), shelf.delete("a1")
    for manifest in (one, two):
        assert (manifest.bm25, manifest.dense.preset, manifest.shard_size) == (bm25, "sq8", 7)
        assert manifest.tokenizer == str(tiny_cross_encoder)
    index = open_index("small", root=shelf.root)
    assert index.tokens is not None
    assert (len(index.tokens), len(index.passages)) == (22, 22)
    terms = analyzer_for().terms("beeswax")
    assert [index.passages.id_at(int(row)) for row in index.bm25.search(terms, depth=5)[0]] == ["n1"]


def test_token_vectors_follow_their_passages_through_additions_and_deletions(
    shelf: Shelf, settings: BuildSettings, bi_encoder: BiEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = shelf.build(LINES, changed(settings, token_vectors="int8"))
    assert manifest.token_vectors == "int8"
    encoded: list[str] = []
    encode = BiEncoder.encode_tokens

    def counting(self: BiEncoder, texts: Sequence[str]) -> list[Floats]:
        encoded.extend(texts)
        return encode(self, texts)

    monkeypatch.setattr(BiEncoder, "encode_tokens", counting)
    shelf.add(NEW)
    assert sorted(encoded) == sorted(NEW.values())  # those of the shard that was filled up are copied
    replaced = {"a1": "Wax moths eat the combs of weak colonies."}
    shelf.delete("b1", "c2")
    manifest = shelf.add(replaced, on_existing="replace")
    assert sorted(encoded) == sorted([*NEW.values(), *replaced.values()])
    index = open_index("small", root=shelf.root)
    assert (manifest.token_vectors, index.manifest.token_vectors) == ("int8", "int8")
    assert index.token_vectors is not None
    assert len(index.token_vectors) == len(index.passages) == 21
    for row, passage in enumerate(index.passages):
        (expected,) = encode(bi_encoder, [passage.content])
        assert (index.token_vectors.vectors(row) * expected).sum(axis=1) == pytest.approx(1, abs=5e-3), passage.id
    assert verify(shelf.folder, full=True) == []


def test_an_index_that_stored_none_gets_token_vectors_by_a_build_that_encodes_no_passage(
    shelf: Shelf, settings: BuildSettings
) -> None:
    manifest = shelf.build(LINES, changed(settings, token_vectors="int4"))
    assert manifest.encoded == 0  # the passages' own vectors are those of the build before
    index = open_index("small", root=shelf.root)
    assert index.token_vectors is not None
    assert len(index.token_vectors) == 20


def test_a_change_says_the_corpus_that_the_index_was_built_from(shelf: Shelf, small_corpus: Path) -> None:
    assert shelf.add(NEW).corpus == shelf.delete("a1").corpus == str(small_corpus)


def test_a_build_from_the_corpus_brings_back_what_was_deleted_and_says_of_no_change(
    shelf: Shelf, settings: BuildSettings
) -> None:
    shelf.delete("a1", "d5")
    manifest = shelf.build(LINES, settings)
    assert (manifest.passages, manifest.encoded, manifest.change) == (20, 0, "")  # the build before last has them


def test_a_change_that_is_stopped_leaves_the_index_and_goes_on(shelf: Shelf) -> None:
    before = shelf.folder

    def stop(phase: str, *_: int) -> None:
        if phase == "ids":
            raise KeyboardInterrupt

    corpus = shelf.corpus(f"{key}\t{text}" for key, text in NEW.items())
    with pytest.raises(KeyboardInterrupt):
        add_passages(corpus, name="small", root=shelf.root, progress=stop)
    assert shelf.folder == before
    manifest = shelf.add(NEW)
    assert (manifest.passages, manifest.encoded) == (23, 0)
    assert list((shelf.root / "small").glob(f"{UNFINISHED}*")) == []


def test_a_change_and_a_build_that_were_stopped_do_not_meet(shelf: Shelf, settings: BuildSettings) -> None:
    def stop(phase: str, *_: int) -> None:
        if phase == "ids":
            raise KeyboardInterrupt

    corpus = shelf.corpus([*LINES, "n9\tA new text."])
    with pytest.raises(KeyboardInterrupt):
        build(corpus, name="small", root=shelf.root, settings=settings, progress=stop)
    assert shelf.delete("a1").passages == 19
    assert shelf.build([*LINES, "n9\tA new text."], settings).encoded == 0


def test_a_change_is_refused_while_another_goes_on(shelf: Shelf) -> None:
    refused: list[str] = []

    def meanwhile(phase: str, *_: int) -> None:
        if not refused:
            with pytest.raises(BusyError) as caught:
                shelf.delete("a1")
            refused.append(str(caught.value))
            with pytest.raises(BusyError) as caught:
                prune("small", root=shelf.root, keep=1)
            refused.append(str(caught.value))

    corpus = shelf.corpus(f"{key}\t{text}" for key, text in NEW.items())
    assert add_passages(corpus, name="small", root=shelf.root, progress=meanwhile).passages == 23
    assert refused == [f"Another process is building {shelf.root / 'small'}; wait for it, or stop it."] * 2


def test_a_change_of_an_index_that_is_not_there_is_told(shelf: Shelf) -> None:
    with pytest.raises(IndexingError, match="no index 'other'"):
        delete_passages([PassageId("a1")], name="other", root=shelf.root)
    with pytest.raises(IndexingError, match="no index 'other'"):
        add_passages(shelf.corpus(["n1\ttext"]), name="other", root=shelf.root)
    assert not (shelf.root / "other").exists()


def changes(shelf: Shelf) -> tuple[Callable[[], Manifest], ...]:
    """One of each kind."""
    return lambda: shelf.add(NEW), lambda: shelf.delete("a1")


def test_a_change_by_other_weights_than_the_index_was_built_with_is_refused(shelf: Shelf) -> None:
    path = shelf.folder / "manifest.json"
    values = json.loads(path.read_text()) | {"bi_encoder_fingerprint": "0" * 16}
    del values["sha256"]
    path.write_text(json.dumps(values))
    for change in changes(shelf):
        with pytest.raises(IndexingError, match="built by bi-encoder weights 0000000000000000"):
            change()


def remove_record(folder: Path) -> None:
    (folder / "shards/00001.json").unlink()


def empty_record(folder: Path) -> None:
    path = folder / "shards/00001.json"
    path.write_bytes(b" " * path.stat().st_size)


def remove_passages(folder: Path) -> None:
    (folder / "passages/00002.arrow").unlink()


def change_passages(folder: Path) -> None:
    path = folder / "passages/00001.arrow"
    path.write_bytes(path.read_bytes().replace(b"clockwork", b"clackwork"))


@pytest.mark.parametrize("damage", [remove_record, empty_record, remove_passages, change_passages])
def test_a_change_of_a_broken_index_is_refused_before_anything_is_lost(
    shelf: Shelf, damage: Callable[[Path], None]
) -> None:
    damage(shelf.folder)
    before = shelf.folder
    for change in changes(shelf):
        with pytest.raises(IndexingError, match=r"broken.*Rebuild it"):
            change()
    assert shelf.folder == before


@pytest.mark.parametrize("form", ["passages", "vectors", "terms"])
def test_what_changed_on_disk_is_not_taken_over_into_the_next_build(
    shelf: Shelf, settings: BuildSettings, form: str
) -> None:
    whole = Manifest.load(shelf.folder).files
    path = shelf.folder / form / f"00001{shards.SHARD_FORMS[form]}"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    manifest = shelf.build(LINES, settings)
    assert manifest.encoded <= 7  # of that shard
    assert verify(shelf.folder, full=True) == []
    assert shelf.ids == list(PASSAGES)
    for name, row in manifest.files.items():  # the same corpus and settings: as the index was before
        # a passage that is encoded alone may get a vector that differs in its last place
        if form != "passages" or not name.startswith(("vectors", "dense", "shards")):
            assert row == whole[name], name


def test_an_index_whose_folder_was_renamed_can_be_changed(shelf: Shelf) -> None:
    (shelf.root / "small").rename(shelf.root / "renamed")
    manifest = delete_passages([PassageId("a1")], name="renamed", root=shelf.root)
    assert current_build("renamed", root=shelf.root).name == manifest.build
    assert [path.name for path in shelf.root.iterdir()] == ["renamed"]
