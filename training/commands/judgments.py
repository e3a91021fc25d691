"""A judged split beside the corpus of an index, or one sentence that says which are there."""

from indexing.errors import SettingsError
from indexing.index import Index
from indexing.judged import JudgedSet, judged_sets
from training.first_stage import open_corpus_folder


def judged_split(index: Index, split: str) -> JudgedSet:
    """The queries and judgments of a split. Raises SettingsError where the corpus has none of that name."""
    sets = judged_sets(open_corpus_folder(index))
    if split not in sets:
        raise SettingsError(
            f"The corpus of index {index.manifest.name} has no judged {split} queries (there: "
            f"{', '.join(sets) or 'none'}); give another --split or --index."
        )
    return sets[split]
