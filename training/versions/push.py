"""Publishes a version on the Hugging Face hub, with its model card, by sentence-transformers' own push_to_hub."""

from collections.abc import Callable
from pathlib import Path

from huggingface_hub import constants, get_token

from indexing.errors import HubError, SecondLookError, SettingsError, first_line
from indexing.pretrained import reach_hub
from training.versions.card import HUB_NAME
from training.versions.export.original import load_exact
from training.versions.registry import Version

HubUpload = Callable[[Path, str, str, bool], str]
"""Takes a folder, the repository's name, a token and whether it is private; returns the address of the commit."""


def upload(folder: Path, repository: str, token: str, private: bool) -> str:
    """Create the repository if it doesn't exist, and upload the folder unchanged, model card included."""
    return str(
        load_exact(folder).push_to_hub(
            repository,
            token=token,
            private=private,
            exist_ok=True,
            local_model_path=str(folder),
            commit_message="Re-ranker trained by Second Look",
        )
    )


def push(version: Version, repository: str, *, private: bool = True, send: HubUpload = upload) -> str:
    """Upload a version that `find` returned, so that its files match its manifest; return the commit's address.

    Raises:
        SettingsError: `repository` isn't OWNER/NAME.
        HubError: there is no token, or the hub can't be reached or refuses.
    """
    if not HUB_NAME.fullmatch(repository):
        raise SettingsError(f"Repository {repository!r} must be OWNER/NAME, as in alice/my-reranker.")
    token = get_token()
    if not token:
        raise HubError("There is no token for the Hugging Face hub; log in with `hf auth login`, or set HF_TOKEN.")
    try:
        reach_hub(repository)
    except HubError as error:
        raise HubError(
            f"The Hugging Face hub can't be reached at {constants.ENDPOINT}, so {version.id} was not pushed; check the "
            "network and push again."
        ) from error
    try:
        return send(version.folder, repository, token, private)
    except SecondLookError:
        raise
    except Exception as error:  # huggingface_hub raises its own errors, httpx's and OSError
        raise HubError(
            f"The hub didn't accept {version.id} as {repository} ({first_line(error)}). Check the name, the network "
            "and that the token may write there."
        ) from error
