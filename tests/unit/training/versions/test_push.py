"""A version is pushed whole with its card, or one sentence says why not."""

from pathlib import Path
from unittest.mock import create_autospec

import pytest
from huggingface_hub import constants
from sentence_transformers import CrossEncoder

from indexing.errors import HubError, ModelError, SettingsError
from tests.support.versions import make_version
from training.versions.push import push, upload
from training.versions.registry import Version, find_version

COMMIT = "https://huggingface.co/ann/reranker/commit/1"


class FakeHub:
    """Takes an upload and remembers it, or refuses."""

    def __init__(self, error: Exception | None = None) -> None:
        self.taken: list[tuple[str, str, bool, set[str]]] = []
        self._error = error

    def __call__(self, folder: Path, repository: str, token: str, private: bool) -> str:
        if self._error is not None:
            raise self._error
        self.taken.append((repository, token, private, {path.name for path in folder.iterdir()}))
        return COMMIT


@pytest.fixture
def version(tmp_path: Path, tiny_cross_encoder: Path) -> Version:
    make_version(tmp_path / "models", "mine/1", tiny_cross_encoder)
    return find_version("mine/1", tmp_path / "models", shipped=tmp_path)


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HF_TOKEN", "hf_made_up")
    return "hf_made_up"


def test_a_version_is_pushed_with_weights_tokenizer_manifest_and_card(version: Version, token: str) -> None:
    hub = FakeHub()
    assert push(version, "ann/reranker", send=hub) == COMMIT
    ((repository, used_token, private, names),) = hub.taken
    assert (repository, used_token, private) == ("ann/reranker", token, True)
    assert {"model.safetensors", "tokenizer.json", "manifest.json", "README.md", "config.json"} <= names


def test_it_is_public_only_where_that_is_asked_for(version: Version, token: str) -> None:
    hub = FakeHub()
    push(version, "ann/reranker", private=False, send=hub)
    assert hub.taken[0][2] is False


def test_without_a_token_nothing_is_sent(version: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(version.folder / "no-token"))
    hub = FakeHub()
    with pytest.raises(HubError, match=r"no token .* `hf auth login`"):
        push(version, "ann/reranker", send=hub)
    assert hub.taken == []


@pytest.mark.parametrize("name", ["", "reranker", "ann/", "a/b/c", "../x", "ann/re ranker", "https://x/y"])
def test_a_repository_is_owner_and_name(version: Version, token: str, name: str) -> None:
    with pytest.raises(SettingsError, match="must be OWNER/NAME"):
        push(version, name, send=FakeHub())


def test_a_hub_that_refuses_the_connection_is_reported(
    version: Version, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # nothing listens at port 9 of this machine; offline mode is off, so that it is really tried
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    hub = FakeHub()
    with pytest.raises(HubError, match=r"can't be reached at http://127\.0\.0\.1:9, so mine/1 was not pushed"):
        push(version, "ann/reranker", send=hub)
    assert hub.taken == []


def test_what_the_hub_refuses_becomes_one_sentence(version: Version, token: str) -> None:
    with pytest.raises(HubError, match=r"didn't accept mine/1 as ann/reranker \(403 Forbidden\)") as refused:
        push(version, "ann/reranker", send=FakeHub(OSError("403 Forbidden\nRequest id 7")))
    assert "\n" not in str(refused.value)


def test_what_is_wrong_with_the_version_is_not_blamed_on_the_hub(version: Version, token: str) -> None:
    with pytest.raises(ModelError, match="no cross-encoder"):
        push(version, "ann/reranker", send=FakeHub(ModelError("no cross-encoder")))


def test_sentence_transformers_uploads_the_folder_as_it_is(version: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    pushed = create_autospec(CrossEncoder.push_to_hub, return_value=COMMIT)
    monkeypatch.setattr(CrossEncoder, "push_to_hub", pushed)
    assert upload(version.folder, "ann/reranker", "hf_made_up", True) == COMMIT
    used_token = pushed.call_args
    assert used_token.args[1:] == ("ann/reranker",)
    assert (used_token.kwargs["local_model_path"], used_token.kwargs["token"]) == (str(version.folder), "hf_made_up")
    assert used_token.kwargs["private"] is True
