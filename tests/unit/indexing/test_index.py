"""An index opens only where it is whole and made for this program; what is wrong is said with the command to run."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexing.catalogue import build_folders, current_build, index_names, set_current, verify
from indexing.dense.exact import TorchExact
from indexing.dense.faiss_index import DenseIndex
from indexing.dense.vectors import VectorStore
from indexing.errors import IndexingError, SettingsError
from indexing.index import Index, open_index
from indexing.names import check_name
from indexing.store.tokens import PassageTokenizer, write_tokens

REBUILD = "python -m indexing build --corpus CORPUS --index small"


def refusal(root: Path, name: str = "small") -> str:
    with pytest.raises(IndexingError) as caught:
        open_index(name, root=root)
    return str(caught.value)


def change_manifest(root: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = current_build("small", root=root) / "manifest.json"
    values = json.loads(path.read_text())
    del values["sha256"]  # as in a manifest of before, so that the other checks are tried
    change(values)
    path.write_text(json.dumps(values))


def test_an_open_index_holds_its_passages_in_all_three_parts(small_index: Index) -> None:
    assert len(small_index.passages) == len(small_index.dense) == len(small_index.bm25.scores(["bee"])) == 20


def test_a_copied_index_bears_the_name_of_its_folder(own_root: Path) -> None:
    shutil.copytree(own_root / "small", own_root / "copy")
    assert open_index("copy", root=own_root).manifest.name == "copy"
    assert open_index("small", root=own_root).manifest.name == "small"


def test_names_are_those_of_the_indexes_that_have_a_current_build(own_root: Path) -> None:
    (own_root / "begun").mkdir()
    assert index_names(own_root) == ["small"]


def test_a_sound_build_has_no_faults(built_root: Path) -> None:
    assert verify(current_build("small", root=built_root), full=True) == []


def every_file(root: Path) -> list[Path]:
    folder = current_build("small", root=root)
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")


def test_verify_finds_a_flipped_byte_in_any_file(own_root: Path) -> None:
    folder = current_build("small", root=own_root)
    for path in every_file(own_root):
        content = path.read_bytes()
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        name = path.relative_to(folder).as_posix()
        assert verify(folder, full=True) == [f"{name} has another checksum than the manifest says"]
        path.write_bytes(content)


def test_verify_finds_a_changed_size_without_reading(own_root: Path) -> None:
    folder = current_build("small", root=own_root)
    path = folder / "dense.faiss"
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:-1])
    assert verify(folder, full=False) == [f"dense.faiss has {size - 1:,} bytes, the manifest says {size:,}"]


def test_an_index_that_is_cut_short_is_not_opened(own_root: Path) -> None:
    path = current_build("small", root=own_root) / "dense.faiss"
    path.write_bytes(path.read_bytes()[:-1])
    assert "dense.faiss" in refusal(own_root)
    assert REBUILD in refusal(own_root)


def test_an_index_that_lacks_any_file_is_not_opened(own_root: Path) -> None:
    for path in every_file(own_root):
        aside = path.rename(own_root / "aside")
        assert f"{path.name} is absent" in refusal(own_root)
        aside.rename(path)


def test_an_index_without_its_manifest_is_not_opened(own_root: Path) -> None:
    (current_build("small", root=own_root) / "manifest.json").unlink()
    assert REBUILD in refusal(own_root)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '"text"', '{"schema_version": 1}'])
def test_an_index_with_a_broken_manifest_is_not_opened(own_root: Path, content: str) -> None:
    (current_build("small", root=own_root) / "manifest.json").write_text(content)
    assert REBUILD in refusal(own_root)


def test_an_index_of_another_schema_is_not_opened(own_root: Path) -> None:
    change_manifest(own_root, lambda values: values.update(schema_version=99))
    assert "schema 99" in refusal(own_root)
    assert REBUILD in refusal(own_root)


def test_an_index_of_another_analyzer_is_not_opened(own_root: Path) -> None:
    change_manifest(own_root, lambda values: values.update(analyzer_fingerprint="0" * 16))
    assert "another analyzer" in refusal(own_root)
    assert REBUILD in refusal(own_root)


def test_an_index_whose_manifest_counts_other_passages_is_not_opened(own_root: Path) -> None:
    change_manifest(own_root, lambda values: values.update(passages=21))
    assert "20 vectors" in refusal(own_root)
    assert "manifest says 21" in refusal(own_root)


def test_an_absent_index_is_told_with_those_there_and_the_command(built_root: Path) -> None:
    assert "there: small" in refusal(built_root, "other")
    assert "python -m indexing build --corpus CORPUS --index other" in refusal(built_root, "other")


def test_in_a_folder_without_indexes_none_is_there(tmp_path: Path) -> None:
    assert "there: none" in refusal(tmp_path / "nowhere")


@pytest.mark.parametrize("content", ["", "20990101-000000-abcdef\n", "../small"])
def test_a_pointer_to_a_build_that_is_not_there_is_told(own_root: Path, content: str) -> None:
    (own_root / "small/current").write_text(content)
    assert REBUILD in refusal(own_root)


def test_a_pointer_that_is_no_text_is_told(own_root: Path) -> None:
    (own_root / "small/current").write_bytes(b"\xff\xfe\x00")
    assert REBUILD in refusal(own_root)


@pytest.mark.parametrize("name", ["../x", "a/b", "/etc", "", ".", "..", ".hidden", "x" * 65, "a\nb", "a b", "small\n"])
def test_a_name_that_is_no_plain_folder_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="letters, digits"):
        open_index(name, root=tmp_path)


@pytest.mark.parametrize("name", ["sample", "msmarco-mini", "v1.2_x", "x" * 64, "2019"])
def test_a_plain_name_is_taken(name: str) -> None:
    check_name(name)


def test_a_build_without_a_manifest_is_not_among_the_builds(own_root: Path) -> None:
    whole = current_build("small", root=own_root)
    shutil.copytree(whole, own_root / "small/20990101-000000-abcdef")
    (own_root / "small/20990101-000000-abcdef/manifest.json").unlink()
    shutil.copytree(whole, own_root / "small/.unfinished-0123456789abcdef")  # with its manifest, but without a name
    assert list(build_folders(own_root / "small")) == [whole.name]


def test_builds_are_in_the_order_of_their_making(own_root: Path) -> None:
    whole = current_build("small", root=own_root)
    for name in ("20990101-000000-abcdef", "20200101-000000-fedcba", "20200101-000001-abcdef"):
        shutil.copytree(whole, own_root / "small" / name)
    names = ["20200101-000000-fedcba", "20200101-000001-abcdef", whole.name, "20990101-000000-abcdef"]
    assert list(build_folders(own_root / "small")) == names


def test_the_current_build_is_the_one_that_was_set(own_root: Path) -> None:
    whole = current_build("small", root=own_root)
    shutil.copytree(whole, own_root / "small/20200101-000000-abcdef")
    set_current(own_root / "small", "20200101-000000-abcdef")
    assert current_build("small", root=own_root) == own_root / "small/20200101-000000-abcdef"


def test_an_index_with_fewer_tokens_than_passages_is_not_opened(own_root: Path, tiny_cross_encoder: Path) -> None:
    folder = current_build("small", root=own_root)
    (folder / "tokens").mkdir()
    write_tokens(folder / "tokens/00000.arrow", PassageTokenizer(str(tiny_cross_encoder)).encode(["The cat sat."] * 19))
    change_manifest(own_root, lambda values: values.update(tokenizer=str(tiny_cross_encoder)))
    assert "19 tokens" in refusal(own_root)
    assert REBUILD in refusal(own_root)


def test_parameters_that_the_dense_index_does_not_have_are_told(own_root: Path) -> None:
    change_manifest(own_root, lambda values: values["dense"]["quality"].update(parameters="nprobe=4"))
    assert "dense.faiss" in refusal(own_root)


@pytest.mark.parametrize(
    ("free", "kind"),
    # half of what is free has to hold 20 vectors of 32 numbers of 2 bytes: 1,280 bytes
    [(2 * 1280 + 2, TorchExact), (2 * 1280, DenseIndex)],
)
def test_where_torch_alone_can_use_a_gpu_it_searches_while_it_has_room(
    built_root: Path, free: int, kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda: (free, 80 * 10**9))
    monkeypatch.setattr("indexing.index.TorchExact", OnCpu)
    monkeypatch.setattr("indexing.index.gpus", lambda: 0)
    opened = open_index("small", root=built_root).dense
    assert isinstance(opened, kind)
    assert len(opened) == 20


class OnCpu(TorchExact):
    """Torch's search, asked for on a GPU and made on the CPU."""

    def __init__(self, vectors: VectorStore, *, device: str) -> None:
        assert device == "cuda"
        super().__init__(vectors, device="cpu")
