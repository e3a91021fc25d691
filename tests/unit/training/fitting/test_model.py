"""The model in training gives the scores that it will be served with, in the order asked, whatever the batches."""

from pathlib import Path

import pytest
import torch
from sentence_transformers import CrossEncoder
from transformers import BertConfig, BertForSequenceClassification
from transformers.models.bert.modeling_bert import BertLayer

from indexing.errors import HubError, ModelError
from tests.conftest import PASSAGES
from tests.support.tiny_models import POSITIONS, tokenizer
from training.fitting.model import PAIRS, PairModel, open_pair_model

# by length 1, 3, 2, 0, 4: an order that isn't its own inverse, so that putting scores back the wrong way shows
PAIRED = [
    ("how do bees make honey", "wasps build nests"),
    ("how do bees make honey", PASSAGES["a1"] + PASSAGES["a2"]),
    ("why", "d"),
    ("how does a lighthouse lens bend the light of a lamp", "Bees make honey."),
    ("why does bread rise", PASSAGES["c1"]),
]


def opened(base: Path | str, *, max_length: int = 160, dropout: float = 0.0, seed: int = 1) -> PairModel:
    return open_pair_model(str(base), max_length=max_length, dropout=dropout, seed=seed)


@pytest.fixture(scope="module")
def model(tiny_cross_encoder: Path) -> PairModel:
    return opened(tiny_cross_encoder).eval()


def scores(model: PairModel, pairs: list[tuple[str, str]] = PAIRED) -> torch.Tensor:
    """(pairs,) float32."""
    with torch.inference_mode():
        found = model(model.preprocess(pairs))["scores"]
    assert found.shape == (len(pairs), 1)
    scores: torch.Tensor = found.reshape(-1).cpu()
    return scores


@pytest.mark.parametrize("budget", [1, 40, 100, 100_000])
def test_scores_are_a_plain_cross_encoder_s_in_the_order_of_the_pairs(
    model: PairModel, tiny_cross_encoder: Path, budget: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = CrossEncoder(str(tiny_cross_encoder), device="cpu", activation_fn=torch.nn.Identity())
    expected = plain.predict(PAIRED, show_progress_bar=False)
    assert expected.std() > 0.05  # else any order would do
    monkeypatch.setattr(model, "token_budget", budget)
    assert scores(model).tolist() == pytest.approx(expected.tolist(), abs=1e-5)


def test_its_features_of_the_usual_kind_are_scored_as_the_base_does(model: PairModel) -> None:
    features = model.tokenizer([query for query, _ in PAIRED], [text for _, text in PAIRED], padding=True)
    tensors = {name: torch.tensor(values).to(model.device) for name, values in features.items()}
    with torch.inference_mode():
        found = model(tensors)["scores"].reshape(-1)
    assert found.tolist() == pytest.approx(scores(model).tolist(), abs=1e-5)


def test_only_the_passage_is_cut(tiny_cross_encoder: Path) -> None:
    short = opened(tiny_cross_encoder, max_length=48)
    query = "how do the bees of this hive make honey from flowers"
    (encoded,) = short.preprocess([(query, PASSAGES["b1"])])[PAIRS].ids
    read = short.tokenizer.decode(encoded["input_ids"])
    whole = short.tokenizer(query, PASSAGES["b1"])["input_ids"]
    assert len(encoded["input_ids"]) == 48 < len(whole)
    assert read.startswith(f"[CLS] {query} [SEP] a lighthouse lamp turns so that every ship")
    assert encoded["input_ids"][:-1] == whole[:47]  # then [SEP]


def test_a_short_pair_is_not_padded(model: PairModel) -> None:
    long, short = model.preprocess([PAIRED[1], PAIRED[2]])[PAIRS].ids
    assert len(short["input_ids"]) == 5 < len(long["input_ids"])  # [CLS] why [SEP] d [SEP]


def test_of_no_pairs_there_is_nothing_to_encode(model: PairModel) -> None:
    assert model.preprocess([]) == {}


@pytest.mark.parametrize(("asked", "read"), [(32, 32), (8192, POSITIONS)])
def test_pairs_are_no_longer_than_asked_and_than_the_model_reads(
    tiny_cross_encoder: Path, asked: int, read: int
) -> None:
    assert opened(tiny_cross_encoder, max_length=asked).training_length == read


def test_without_dropout_scores_are_the_same_while_training(tiny_cross_encoder: Path) -> None:
    still, shaken = opened(tiny_cross_encoder).train(), opened(tiny_cross_encoder, dropout=0.5).train()
    assert torch.equal(scores(still), scores(still))
    assert not torch.equal(scores(shaken), scores(shaken))


def test_the_head_that_a_bi_encoder_lacks_is_drawn_from_the_seed(tiny_bi_encoder: Path) -> None:
    one, two, other = (dict(opened(tiny_bi_encoder, seed=seed).state_dict()) for seed in (1, 1, 2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    differing = {name.rpartition("model.")[2] for name in one if not torch.equal(one[name], other[name])}
    assert "classifier.weight" in differing
    assert not any("encoder.layer" in name for name in differing)  # what the bi-encoder has is kept


@pytest.mark.parametrize(("base", "error"), [("no-such/model", HubError), ("folder", ModelError)])
def test_a_base_that_cannot_be_loaded_is_named(tmp_path: Path, base: str, error: type[Exception]) -> None:
    name = str(tmp_path) if base == "folder" else base
    with pytest.raises(error, match=name):
        opened(name)


def test_a_base_with_several_outputs_is_refused(tmp_path: Path) -> None:
    config = BertConfig(vocab_size=len(tokenizer()), hidden_size=32, num_hidden_layers=1, num_attention_heads=2)
    config.num_labels = 3
    BertForSequenceClassification(config).save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=str(tmp_path)):
        opened(tmp_path)


def test_under_autocast_layers_hand_on_bfloat16_and_the_scores_stay(tiny_cross_encoder: Path) -> None:
    model = opened(tiny_cross_encoder).train()
    layer = next(part for part in model.modules() if isinstance(part, BertLayer))
    seen: list[torch.dtype] = []
    layer.register_forward_hook(lambda _, __, output: seen.append(_first(output).dtype))
    with torch.autocast(model.device.type, dtype=torch.bfloat16):
        found = model(model.preprocess(PAIRED))["scores"].reshape(-1)
    found.sum().backward()
    if model.device.type == "cpu":
        assert set(seen) == {torch.bfloat16}
    assert found.tolist() == pytest.approx(scores(model.eval()).tolist(), rel=0.05, abs=0.05)
    assert set(seen[-1:]) == {torch.float32}  # without autocast nothing is rounded
    assert {parameter.grad.dtype for parameter in model.parameters() if parameter.grad is not None} == {torch.float32}


def _first(output: object) -> torch.Tensor:
    found = output[0] if isinstance(output, tuple) else output
    assert isinstance(found, torch.Tensor)
    return found
