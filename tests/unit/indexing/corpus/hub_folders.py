"""Local folders laid out as data sets on the hub are."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from indexing.corpus.corpus import Corpus

Records = Sequence[Mapping[str, object]]
NANO: dict[str, Records] = {
    "corpus": [{"_id": "7", "text": "The cat\tsat\non a mat."}, {"_id": "8", "text": "The dog ran."}],
    "queries": [{"_id": "q1", "text": "where is  the cat"}, {"_id": "q2", "text": "not judged"}],
    "qrels": [{"query-id": "q1", "corpus-id": "7"}],
}
MSMARCO: dict[str, Records] = {
    "corpus": [{"passage_id": "0", "passage": "The cat sat."}, {"passage_id": "1", "passage": "The dog ran."}],
    "queries": [{"query_id": "5", "query": "where is the cat"}],
}


def repository(folder: Path, tables: Mapping[str, Records]) -> str:
    """A folder as the hub lays a data set out: a Parquet file for each configuration, named in README.md."""
    return in_splits(folder, {name: {"train": records} for name, records in tables.items()})


def in_splits(folder: Path, tables: Mapping[str, Mapping[str, Records]]) -> str:
    """The same, of configurations that have several splits."""
    lines = ["---", "configs:"]
    for name, splits in tables.items():
        (folder / name).mkdir(parents=True)
        lines += [f"- config_name: {name}", "  data_files:"]
        for split, records in splits.items():
            pq.write_table(pa.Table.from_pylist(list(records)), folder / name / f"{split}-00000-of-00001.parquet")
            lines += [f"  - split: {split}", f"    path: {name}/{split}-*"]
    (folder / "README.md").write_text("\n".join([*lines, "---", "# A data set", ""]))
    return str(folder)


def texts(folder: Path) -> list[str]:
    return [f"{passage.id} {passage.text}" for passage in Corpus(folder)]
