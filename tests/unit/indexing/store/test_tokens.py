"""Token ids of passages are those of the tokenizer, and come back from disk by row."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import PreTrainedTokenizerFast

from indexing.errors import HubError, ModelError, SettingsError
from indexing.store.tokens import (
    MAX_PASSAGE_TOKENS,
    PassageTokenizer,
    TokenIds,
    TokenStore,
    tokenizer_fingerprint,
    write_tokens,
)
from tests.conftest import REPOSITORY
from tests.support.tiny_models import tokenizer, tokenizer_folder


@pytest.fixture(scope="module")
def loaded() -> PassageTokenizer:
    return PassageTokenizer(str(tokenizer_folder()))


def lists(rows: list[TokenIds]) -> list[list[int]]:
    return [row.tolist() for row in rows]


def numbers(*values: int) -> TokenIds:
    return np.array(values, dtype=np.uint16)  # (tokens,) uint16


def test_a_passage_becomes_the_ids_of_its_words_without_special_ones(loaded: PassageTokenizer) -> None:
    pieces = ["the", "lighthouse", "stood", "at", "cafe", "token", "##izer", "."]
    assert lists(loaded.encode(["The  lighthouse stood at CAFÉ tokenizer."])) == [
        tokenizer().convert_tokens_to_ids(pieces)
    ]


def test_ids_are_uint16_one_array_a_text(loaded: PassageTokenizer) -> None:
    rows = loaded.encode(["the sea", "", "sea"])
    assert [(row.dtype, row.shape) for row in rows] == [(np.dtype(np.uint16), (count,)) for count in (2, 0, 1)]


def test_no_texts_become_no_rows(loaded: PassageTokenizer) -> None:
    assert loaded.encode([]) == []


def test_a_passage_is_cut_one_over_the_longest_input(loaded: PassageTokenizer) -> None:
    rows = loaded.encode([" ".join(["sea"] * count) for count in (512, 513, 514, 2000)])
    assert [len(row) for row in rows] == [512, 513, 513, 513]
    assert MAX_PASSAGE_TOKENS == 512 + 1


def test_every_text_of_several_chunks_stands_in_its_place(loaded: PassageTokenizer) -> None:
    counts = [number % 7 for number in range(2_005)]  # a chunk is 1,000
    assert [len(row) for row in loaded.encode(["sea " * count for count in counts])] == counts


def saved(folder: Path, **changes: object) -> str:
    """The tokenizer again, in another folder, with other settings."""
    words = tokenizer()
    words.save_pretrained(str(folder))
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")
    return str(folder)


def test_the_fingerprint_is_of_the_tokenizer_not_of_its_folder(loaded: PassageTokenizer, tmp_path: Path) -> None:
    assert len(loaded.fingerprint) == 16
    assert int(loaded.fingerprint, 16) >= 0
    assert PassageTokenizer(saved(tmp_path, model_max_length=77)).fingerprint == loaded.fingerprint


def test_cutting_and_padding_leave_the_fingerprint_as_it_is(loaded: PassageTokenizer) -> None:
    words = tokenizer()
    words(["sea", "the sea"], truncation=True, max_length=4, padding="max_length")
    assert words.backend_tokenizer.truncation is not None
    assert words.backend_tokenizer.padding is not None
    assert tokenizer_fingerprint(words) == loaded.fingerprint
    assert words.backend_tokenizer.truncation is not None  # it was only looked at


@pytest.mark.parametrize("change", [{"do_lower_case": False}, {"split_special_tokens": True}])
def test_what_changes_ids_changes_the_fingerprint(
    loaded: PassageTokenizer, tmp_path: Path, change: dict[str, bool]
) -> None:
    other = PassageTokenizer(saved(tmp_path, **change))
    assert lists(other.encode(["The [SEP] Sea"])) != lists(loaded.encode(["The [SEP] Sea"]))
    assert other.fingerprint != loaded.fingerprint


def test_another_token_changes_the_fingerprint(loaded: PassageTokenizer) -> None:
    words = tokenizer()
    words.add_tokens(["lighthousekeeper"])
    assert tokenizer_fingerprint(words) != loaded.fingerprint


def with_largest_id(folder: Path, largest: int) -> str:
    backend = Tokenizer(WordLevel({"<unk>": 0, "sea": 1, "last": largest}, unk_token="<unk>"))
    backend.pre_tokenizer = WhitespaceSplit()
    words = PreTrainedTokenizerFast(tokenizer_object=backend)  # type: ignore[no-untyped-call]  # transformers' own
    words.save_pretrained(str(folder))
    return str(folder)


def test_the_largest_id_of_uint16_is_taken(tmp_path: Path) -> None:
    assert lists(PassageTokenizer(with_largest_id(tmp_path, 65_535)).encode(["sea last"])) == [[1, 65_535]]


def test_a_larger_id_is_refused_with_its_number(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="ids up to 65,536") as caught:
        PassageTokenizer(with_largest_id(tmp_path, 65_536))
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=str(tmp_path)) as caught:
        PassageTokenizer(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_tokenizer_that_the_hub_does_not_give_is_told_in_one_line() -> None:
    with pytest.raises(HubError, match="no-such/model") as caught:
        PassageTokenizer("no-such/model")
    assert "\n" not in str(caught.value)


def test_a_tokenizer_without_a_fast_form_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "ByT5Tokenizer"}')
    with pytest.raises(ModelError, match="no fast form"):
        PassageTokenizer(str(tmp_path))


def test_a_folders_own_code_is_never_run(tmp_path: Path) -> None:
    mark = tmp_path / "was-run"
    (tmp_path / "own.py").write_text(f"open({str(mark)!r}, 'w').close()\nclass Own: pass\n")
    (tmp_path / "tokenizer_config.json").write_text('{"auto_map": {"AutoTokenizer": ["own.Own", "own.Own"]}}')
    with pytest.raises(ModelError, match="custom code"):
        PassageTokenizer(str(tmp_path))
    assert not mark.exists()


ROWS = [numbers(1, 2, 3), numbers(), numbers(65_535, 0), numbers(7), numbers(), numbers(8, 9), numbers()]


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    for number, (start, end) in enumerate([(0, 3), (3, 4), (4, 4), (4, 7)]):
        write_tokens(tmp_path / f"{number:05}.arrow", ROWS[start:end])
    return TokenStore(tmp_path)


def test_rows_count_on_from_shard_to_shard(store: TokenStore) -> None:
    found = lists([store.ids(row) for row in range(7)])
    assert found == [[1, 2, 3], [], [65_535, 0], [7], [], [8, 9], []]
    assert len(store) == 7


def test_ids_come_back_as_uint16_that_nobody_can_change(store: TokenStore) -> None:
    assert {store.ids(row).dtype for row in range(7)} == {np.dtype(np.uint16)}
    with pytest.raises(ValueError, match="read-only"):
        store.ids(0)[0] = 5


@pytest.mark.parametrize("row", [-1, 7])
def test_a_row_outside_is_refused(store: TokenStore, row: int) -> None:
    with pytest.raises(IndexError, match=str(row)):
        store.ids(row)


def test_an_empty_folder_holds_no_rows(tmp_path: Path) -> None:
    assert len(TokenStore(tmp_path)) == 0


def test_a_shard_is_one_column_of_lists_of_uint16_in_batches(tmp_path: Path) -> None:
    write_tokens(tmp_path / "00000.arrow", [numbers(number) for number in range(10_005)])
    shard = pa.ipc.open_file(str(tmp_path / "00000.arrow"))
    assert shard.schema == pa.schema([("ids", pa.list_(pa.uint16()))])
    assert [shard.get_batch(number).num_rows for number in range(shard.num_record_batches)] == [10_000, 5]
    kept = TokenStore(tmp_path)
    assert [kept.ids(row).tolist() for row in (0, 9_999, 10_000, 10_004)] == [[0], [9_999], [10_000], [10_004]]


def test_a_store_opens_without_a_model_library() -> None:
    code = (
        "import sys, indexing.store.tokens; print(sorted({'torch', 'transformers', 'tokenizers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
