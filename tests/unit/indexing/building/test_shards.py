"""A shard is whole or not there, its record tells when a file changed, and what is shared is never written into."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexing.bm25.postings import Postings
from indexing.building import shards
from indexing.building.shards import SHARD_FORMS, KnownVectors, Shard, ShardMaker
from indexing.dense.encoder import BiEncoder
from indexing.dense.vectors import VectorStore
from indexing.records import Passage, PassageId
from indexing.store.ids import IdTable, write_ids
from indexing.store.passages import PassageStore, digest, shard_ids
from indexing.store.token_vectors import TokenVectorStore
from indexing.store.tokens import PassageTokenizer, TokenStore
from indexing.words.analyzers import analyzer_for
from tests.conftest import PASSAGES
from tests.support.fakes import Reports

ALL = [Passage(PassageId(key), text) for key, text in PASSAGES.items()]
FIVE = ALL[:5]


@pytest.fixture(scope="module")
def tokenizer(tiny_cross_encoder: Path) -> PassageTokenizer:
    return PassageTokenizer(str(tiny_cross_encoder))


@pytest.fixture
def maker(bi_encoder: BiEncoder, tokenizer: PassageTokenizer) -> ShardMaker:
    """Makes shards with every form."""
    return ShardMaker(encoder=bi_encoder, tokenizer=tokenizer, token_vectors="int8")


def make(maker: ShardMaker, work: Path, number: int, content: list[Passage]) -> Shard:
    work.mkdir(exist_ok=True)
    shard, _ = maker.make(work, number, content, f"{digest(content):032x}")
    return shard


def files(work: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path."""
    return {path.relative_to(work).as_posix(): path.read_bytes() for path in work.rglob("*") if path.is_file()}


def flip(path: Path) -> None:
    """Change one bit in the middle of a file, in place."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_shard_holds_its_passages_in_every_form(
    maker: ShardMaker, tmp_path: Path, tokenizer: PassageTokenizer
) -> None:
    shard = make(maker, tmp_path, 0, FIVE)
    texts = [passage.content for passage in FIVE]
    write_ids(tmp_path / "ids", shard_ids(tmp_path / "passages"))
    assert list(PassageStore(tmp_path / "passages", IdTable(tmp_path / "ids"))) == FIVE
    assert Postings(tmp_path / "terms").lengths().tolist() == [len(terms) for terms in analyzer_for().analyze(texts)]
    held = TokenStore(tmp_path / "tokens")
    assert [held.ids(row).tolist() for row in range(5)] == [ids.tolist() for ids in tokenizer.encode(texts)]
    vectors = VectorStore(tmp_path / "vectors").rows(np.arange(5))
    exact = np.stack([maker.encoder.encode_query(text) for text in texts])
    assert (vectors * exact).sum(axis=1) == pytest.approx(1, abs=5e-3)
    stored = TokenVectorStore(tmp_path / "token_vectors", form="int8", dim=maker.encoder.dim)
    for row, tokens in enumerate(maker.encoder.encode_tokens(texts)):
        assert (stored.vectors(row) * tokens).sum(axis=1) == pytest.approx(1, abs=5e-3)
    assert (shard.passages, shard.digest, set(shard.files)) == (5, f"{digest(FIVE):032x}", set(SHARD_FORMS))


def test_without_a_tokenizer_no_tokens_are_stored(bi_encoder: BiEncoder, tmp_path: Path) -> None:
    shard = make(ShardMaker(encoder=bi_encoder), tmp_path, 0, FIVE)
    assert set(shard.files) == {"passages", "terms", "vectors"}
    assert {path.name for path in tmp_path.iterdir()} == {"passages", "terms", "vectors", "shards"}


def test_a_finished_shard_is_read_back_as_it_was_made(maker: ShardMaker, tmp_path: Path) -> None:
    shard = make(maker, tmp_path, 7, FIVE)
    assert shards.load(tmp_path, 7) == shard
    assert shard.sound(tmp_path, 7)
    assert not shard.sound(tmp_path, 6)


def test_the_same_passages_give_the_same_files(maker: ShardMaker, tmp_path: Path) -> None:
    for name in ("one", "two"):
        make(maker, tmp_path / name, 0, FIVE)
    assert files(tmp_path / "one") == files(tmp_path / "two")


@pytest.mark.parametrize("damage", [flip, Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-1])])
@pytest.mark.parametrize("form", SHARD_FORMS)
def test_a_shard_with_a_changed_file_is_not_sound(
    maker: ShardMaker, tmp_path: Path, form: str, damage: Callable[[Path], object]
) -> None:
    shard = make(maker, tmp_path, 0, FIVE)
    damage(tmp_path / form / f"00000{SHARD_FORMS[form]}")
    assert not shard.sound(tmp_path, 0)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '"text"', '{"passages": 5}', '{"passages": 5, "more": 1}'])
def test_a_record_that_is_broken_is_no_shard(maker: ShardMaker, tmp_path: Path, content: str) -> None:
    make(maker, tmp_path, 0, FIVE)
    (tmp_path / "shards/00000.json").write_text(content)
    assert shards.load(tmp_path, 0) is None


def test_a_shard_without_its_record_is_not_there(maker: ShardMaker, tmp_path: Path) -> None:
    make(maker, tmp_path, 0, FIVE)
    (tmp_path / "shards/00000.json").unlink()
    assert shards.load(tmp_path, 0) is None


@pytest.mark.parametrize("phase", ["read", "encode"])
def test_a_shard_that_is_stopped_while_it_is_made_is_not_there(
    bi_encoder: BiEncoder, tokenizer: PassageTokenizer, tmp_path: Path, phase: str
) -> None:
    def stop(at: str, *_: int) -> None:
        if at == phase:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(ShardMaker(encoder=bi_encoder, tokenizer=tokenizer, progress=stop), tmp_path, 0, FIVE)
    assert shards.load(tmp_path, 0) is None


def test_a_shard_made_anew_is_not_there_until_it_is_whole(
    bi_encoder: BiEncoder, maker: ShardMaker, tokenizer: PassageTokenizer, tmp_path: Path
) -> None:
    def stop(at: str, *_: int) -> None:
        raise KeyboardInterrupt

    make(maker, tmp_path, 0, FIVE)
    with pytest.raises(KeyboardInterrupt):
        make(ShardMaker(encoder=bi_encoder, tokenizer=tokenizer, progress=stop), tmp_path, 0, ALL[5:9])
    assert shards.load(tmp_path, 0) is None


def test_shards_are_read_up_to_the_first_that_is_missing(maker: ShardMaker, tmp_path: Path) -> None:
    made = [make(maker, tmp_path, number, [passage]) for number, passage in enumerate(ALL[:4])]
    assert shards.load_all(tmp_path) == made
    (tmp_path / "shards/00002.json").unlink()
    assert shards.load_all(tmp_path) == made[:2]
    assert shards.load_all(tmp_path / "nowhere") == []


def test_a_removed_shard_leaves_the_others(maker: ShardMaker, tmp_path: Path) -> None:
    for number in range(2):
        make(maker, tmp_path, number, FIVE)
    before = files(tmp_path)
    shards.remove_shards(tmp_path, 1)
    assert files(tmp_path) == {name: content for name, content in before.items() if "00001" not in name}
    shards.remove_shards(tmp_path, 1)  # where nothing is, nothing is done


def test_a_shard_is_taken_over_without_copying(maker: ShardMaker, tmp_path: Path) -> None:
    shard = make(maker, tmp_path / "old", 3, FIVE)
    (tmp_path / "new").mkdir()
    assert shards.link(shard, tmp_path / "old", 3, tmp_path / "new", 0) == shard
    assert shards.load(tmp_path / "new", 0) == shard
    assert shard.sound(tmp_path / "new", 0)
    for form, end in SHARD_FORMS.items():
        assert (tmp_path / f"new/{form}/00000{end}").samefile(tmp_path / f"old/{form}/00003{end}")


def test_making_a_shard_anew_does_not_write_into_the_build_it_was_taken_from(maker: ShardMaker, tmp_path: Path) -> None:
    shard = make(maker, tmp_path / "old", 0, FIVE)
    before = files(tmp_path / "old")
    (tmp_path / "new").mkdir()
    shards.link(shard, tmp_path / "old", 0, tmp_path / "new", 0)
    make(maker, tmp_path / "new", 0, ALL[5:8])
    shards.link(shard, tmp_path / "old", 0, tmp_path / "new", 0)
    shards.remove_shards(tmp_path / "new", 0)
    assert files(tmp_path / "old") == before


def known(maker: ShardMaker, folder: Path, *parts: list[Passage]) -> KnownVectors:
    """Vectors of a build that holds these shards."""
    for number, content in enumerate(parts):
        make(maker, folder, number, content)
    write_ids(folder / "ids", shard_ids(folder / "passages"))
    return KnownVectors(folder)


def test_known_vectors_are_found_by_id_and_text(maker: ShardMaker, tmp_path: Path) -> None:
    held = known(maker, tmp_path / "old", ALL[:3], ALL[3:6])
    other = Passage(ALL[1].id, "another text")
    titled = Passage(ALL[2].id, ALL[2].text, "A title")
    # rows 0 to 5; places 1, 2 and 4 aren't held as they are here
    assert held.find([ALL[4], other, titled, ALL[0], ALL[9]]) == {0: 4, 3: 0}
    assert held.vectors([4, 0]).tolist() == VectorStore(tmp_path / "old/vectors").rows(np.array([4, 0])).tolist()


def test_only_what_is_not_known_is_encoded(maker: ShardMaker, tmp_path: Path) -> None:
    reports = Reports()
    held = known(maker, tmp_path / "old", ALL[:3], ALL[3:6])
    saving = ShardMaker(encoder=maker.encoder, known=held, progress=reports)
    (tmp_path / "new").mkdir()
    _, encoded = saving.make(tmp_path / "new", 0, ALL[4:8], "")
    assert encoded == 2  # rows 6 and 7 of 4, 5, 6, 7
    assert [sum(count for at, count, _ in reports.rows if at == phase) for phase in ("read", "encode")] == [4, 4]
    new = VectorStore(tmp_path / "new/vectors").rows(np.arange(4))
    assert new[:2].tolist() == held.vectors([4, 5]).tolist()  # the same, to the bit
    exact = np.stack([maker.encoder.encode_query(passage.content) for passage in ALL[6:8]])
    assert (new[2:] * exact).sum(axis=1) == pytest.approx(1, abs=5e-3)


def test_where_all_is_known_nothing_is_encoded(maker: ShardMaker, tmp_path: Path) -> None:
    held = known(maker, tmp_path / "old", FIVE)
    (tmp_path / "new").mkdir()
    shard, encoded = replace(maker, known=held).make(tmp_path / "new", 0, FIVE, "")
    assert encoded == 0
    assert shard.files == json.loads((tmp_path / "old/shards/00000.json").read_text())["files"]  # bytes and checksums


def test_known_vectors_that_have_changed_on_disk_are_not_taken(maker: ShardMaker, tmp_path: Path) -> None:
    whole = make(maker, tmp_path / "whole", 0, FIVE)
    held = known(maker, tmp_path / "old", FIVE)
    flip(tmp_path / "old/vectors/00000.npy")
    (tmp_path / "new").mkdir()
    shard, encoded = replace(maker, known=held).make(tmp_path / "new", 0, FIVE, "")
    assert encoded == 5
    assert shard.files == whole.files
