"""The grades that people gave become a file beside a job, with the texts of their passages."""

from pathlib import Path

from indexing.catalogue import current_build
from indexing.errors import IndexingError, SettingsError
from indexing.records import PassageId
from indexing.store.ids import IdTable
from indexing.store.passages import PassageStore
from training.judgments.export import Written, export_jsonl
from training.judgments.feedback import FeedbackStore

FEEDBACK = "feedback.jsonl"


def write_feedback(store: FeedbackStore, folder: Path, *, root: Path | None = None) -> Written:
    """Write all grades of passages that are still in their indexes into `folder`; protected ones are marked.

    Nothing of an index is loaded but the passages that are asked for.
    """
    stores: dict[str, PassageStore | None] = {}

    def text(index: str, passage_id: str) -> str:
        if index not in stores:
            stores[index] = _passages(index, root)
        passages = stores[index]
        if passages is None:
            raise KeyError(passage_id)
        return passages.by_id(PassageId(passage_id)).content

    return export_jsonl(store, folder / FEEDBACK, text)


def _passages(index: str, root: Path | None) -> PassageStore | None:
    """An index's passages; None where it is gone."""
    try:
        build = current_build(index, root=root)
        return PassageStore(build / "passages", IdTable(build / "ids"))
    except (IndexingError, SettingsError, OSError):
        return None
