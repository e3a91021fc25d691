"""The names of judged collections on the Hugging Face hub, and the folders in which they are stored."""

import re
from collections.abc import Mapping
from pathlib import Path

HUB_CORPORA: Mapping[str, str] = {
    "nano-msmarco": "zeta-alpha-ai/NanoMSMARCO",
    "msmarco": "sentence-transformers/msmarco",
}
"""Short names, and the repositories they stand for."""
NANO_BEIR = "sentence-transformers/NanoBEIR-en"
MS_MARCO_VERSIONS = ("v1.1", "v2.1")
HUB_FORMS = (
    f"{', '.join(HUB_CORPORA)}, microsoft/ms_marco[:v2.1], BeIR/NAME, zeta-alpha-ai/NanoNAME, {NANO_BEIR}:NanoNAME"
)
"""The names that are accepted, for a command's help."""
PLAIN = r"[A-Za-z0-9][A-Za-z0-9._-]*"
REPOSITORY = re.compile(
    rf"microsoft/ms_marco|sentence-transformers/msmarco|{NANO_BEIR}|(BeIR/|zeta-alpha-ai/Nano){PLAIN}"
)


def is_hub_corpus(corpus: str) -> bool:
    """Whether a corpus is fetched from the hub: its name is a hub name, and no such path exists."""
    known = corpus in HUB_CORPORA or REPOSITORY.fullmatch(corpus.partition(":")[0]) is not None
    return known and not Path(corpus).exists()


def folder_name(name: str) -> str:
    """The name of the folder that holds a collection: `BeIR--scifact` for `BeIR/scifact`."""
    if name in HUB_CORPORA:
        return name
    repository, _, part = name.partition(":")
    if repository == "microsoft/ms_marco":
        part = part or MS_MARCO_VERSIONS[0]
    return repository.replace("/", "--") + (f"-{part}" if part else "")
