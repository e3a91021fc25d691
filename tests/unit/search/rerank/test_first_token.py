"""A last layer that computes only the token that is read gives the same scores and the same gradients."""

import inspect
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from sentence_transformers import CrossEncoder
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    ElectraConfig,
    ElectraForSequenceClassification,
    PreTrainedModel,
    RobertaConfig,
    RobertaForSequenceClassification,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
)

from search.rerank.first_token import _first_token, compute_first_token_only
from tests.support.tiny_models import tokenizer

KINDS = {
    "bert": (BertConfig, BertForSequenceClassification),
    "electra": (ElectraConfig, ElectraForSequenceClassification),
    "roberta": (RobertaConfig, RobertaForSequenceClassification),
    "xlm-roberta": (XLMRobertaConfig, XLMRobertaForSequenceClassification),
}
SIZES = {
    "vocab_size": 30522,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 140,
    "initializer_range": 0.3,
    "num_labels": 1,
}
PAIRS = [("why is the sky blue", "Air scatters blue light more than red."), ("who", "a " * 100), ("bees", "Honey.")]


def opened(kind: str, folder: Path, *, attention: str = "eager", dropout: float = 0.0) -> CrossEncoder:
    config, model = KINDS[kind]
    torch.manual_seed(3)
    made: PreTrainedModel = model(config(**SIZES, embedding_size=32, type_vocab_size=2))
    return saved(made, folder, attention=attention, dropout=dropout)


def saved(model: PreTrainedModel, folder: Path, *, attention: str, dropout: float = 0.0) -> CrossEncoder:
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    names = ("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout")
    found: CrossEncoder = CrossEncoder(
        str(folder),
        device="cpu",
        activation_fn=torch.nn.Identity(),
        model_kwargs={"attn_implementation": attention},
        config_kwargs=dict.fromkeys(names, dropout),
    )
    return found


def scores(model: CrossEncoder, pairs: list[tuple[str, str]] = PAIRS) -> torch.Tensor:
    """(pairs,) float32, with gradients."""
    encoded = model.tokenizer(
        [query for query, _ in pairs], [text for _, text in pairs], padding=True, return_tensors="pt"
    )
    found: torch.Tensor = model(dict(encoded))["scores"].reshape(-1)
    return found


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pairs", [PAIRS, PAIRS[:1]], ids=["padded", "one, no mask"])
def test_scores_and_gradients_are_the_whole_layer_s(
    kind: str, attention: str, pairs: list[tuple[str, str]], tmp_path: Path
) -> None:
    whole, first = (opened(kind, tmp_path / name, attention=attention).train() for name in ("whole", "first"))
    assert compute_first_token_only(first)
    expected, found = scores(whole, pairs), scores(first, pairs)
    assert found.tolist() == pytest.approx(expected.tolist(), abs=1e-5)
    assert len(pairs) == 1 or expected.std() > 0.01  # else a constant would do
    for values in (expected, found):
        loss: Any = (values * torch.arange(1, len(pairs) + 1)).sum()
        loss.backward()
    gradients = dict(first.named_parameters())
    for name, parameter in whole.named_parameters():
        ours = gradients[name].grad
        if parameter.grad is None or ours is None:
            assert parameter.grad is ours is None
        else:
            scale = max(1.0, float(parameter.grad.abs().max()))
            assert torch.allclose(ours, parameter.grad, atol=1e-4 * scale), name


def test_the_last_layer_hands_on_one_token(tmp_path: Path) -> None:
    model = opened("bert", tmp_path)
    compute_first_token_only(model)
    shapes: list[torch.Size] = []
    layers = next(part for part in model.modules() if isinstance(part, torch.nn.ModuleList) and len(part) == 3)
    for layer in layers:
        layer.register_forward_hook(lambda _, __, output: shapes.append(output.shape))
    scores(model)
    assert [shape[1] for shape in shapes] == [shapes[0][1], shapes[0][1], 1]
    assert shapes[0][1] > 1


def test_weights_and_their_names_stay(tmp_path: Path) -> None:
    model = opened("bert", tmp_path / "base")
    before = {name: values.clone() for name, values in model.state_dict().items()}
    compute_first_token_only(model)
    model.save_pretrained(str(tmp_path / "kept"), create_model_card=False)
    after = CrossEncoder(str(tmp_path / "kept"), device="cpu").state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], values) for name, values in before.items())


def test_dropout_shakes_what_the_token_looks_at(tmp_path: Path) -> None:
    model = opened("bert", tmp_path, dropout=0.5).train()
    compute_first_token_only(model)
    assert not torch.equal(scores(model), scores(model))
    model.eval()
    assert torch.equal(scores(model), scores(model))


def test_a_model_of_another_kind_is_left_as_it_is(tmp_path: Path) -> None:
    config = DistilBertConfig(vocab_size=30522, dim=32, n_layers=2, n_heads=4, hidden_dim=64)
    config.num_labels = 1
    model = saved(DistilBertForSequenceClassification(config), tmp_path, attention="eager").eval()
    encoded = {name: torch.ones((2, 5), dtype=torch.int64) for name in ("input_ids", "attention_mask")}
    before = model(dict(encoded))["scores"]
    assert not compute_first_token_only(model)
    assert torch.equal(model(dict(encoded))["scores"], before)


@pytest.mark.parametrize("kind", KINDS)
def test_the_layer_it_replaces_has_the_same_parameters(kind: str, tmp_path: Path) -> None:
    """A newer transformers that passes another argument is noticed here, before it is noticed in scores."""
    inner: Any = KINDS[kind][1](KINDS[kind][0](**SIZES, embedding_size=32, type_vocab_size=2))
    theirs = inspect.signature(inner.base_model.encoder.layer[-1].forward).parameters.values()
    ours = inspect.signature(partial(_first_token, None)).parameters.values()
    named = [parameter.name for parameter in ours if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]
    assert [parameter.name for parameter in theirs if parameter.kind is not parameter.VAR_KEYWORD] == named


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"position_bias": None}, "position_bias"),
        ({"past_key_values": object()}, "no cross-attention and no cache"),
        ({"encoder_hidden_states": torch.zeros(1, 4, 32)}, "no cross-attention and no cache"),
    ],
)
def test_an_argument_that_would_be_ignored_is_refused(arguments: dict[str, Any], message: str, tmp_path: Path) -> None:
    model = opened("bert", tmp_path)
    compute_first_token_only(model)
    inner: Any = next(part for part in model.modules() if isinstance(part, BertForSequenceClassification))
    with pytest.raises(TypeError, match=message):
        inner.base_model.encoder.layer[-1](torch.zeros(1, 4, 32), **arguments)
