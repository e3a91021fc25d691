"""The last layer of a cross-encoder, computed for the one token that its head reads.

BERT and its kin score a pair by the vector of its first token alone. The other tokens' vectors of the last layer are
thrown away, yet they cost most of that layer, though only their keys and values are needed. The score is the same, up
to rounding, and so are the gradients.
"""

from functools import partial
from typing import Any

from sentence_transformers import CrossEncoder
from torch import Tensor
from torch.nn import functional
from transformers import (
    BertForSequenceClassification,
    ElectraForSequenceClassification,
    RobertaForSequenceClassification,
    XLMRobertaForSequenceClassification,
)

READ_FIRST = (
    BertForSequenceClassification,
    ElectraForSequenceClassification,
    RobertaForSequenceClassification,
    XLMRobertaForSequenceClassification,
)
"""Models whose head reads the first token, and whose layers have the same parts under the same names."""
ATTENTION = ("eager", "sdpa")  # implementations whose masks have a row for each token


def compute_first_token_only(model: CrossEncoder) -> bool:
    """Make the last layer compute the first token alone if the model's head reads no other.

    The weights, their names and the saved files don't change. False if the model is left as it was.
    """
    for part in model.modules():
        if isinstance(part, READ_FIRST):
            inner: Any = part
            if inner.config._attn_implementation not in ATTENTION or inner.config.is_decoder:
                return False
            last = inner.base_model.encoder.layer[-1]
            last.forward = partial(_first_token, last)
            return True
    return False


def _first_token(
    layer: Any,
    hidden_states: Tensor,
    attention_mask: Tensor | None = None,
    encoder_hidden_states: Tensor | None = None,
    encoder_attention_mask: Tensor | None = None,
    past_key_values: Any = None,
    *,
    position_ids: Tensor | None = None,  # noqa: ARG001  # passed to every layer; only flash attention reads it
) -> Tensor:
    """(pairs, 1, width) of (pairs, tokens, width), in place of the layer's own `forward`.

    `attention_mask` is added to the attention's logits, or chooses among them. Its parameters are those of the
    layers of READ_FIRST, which a test compares; another argument raises TypeError, as ignoring it could change scores.
    """
    for value in (encoder_hidden_states, encoder_attention_mask, past_key_values):
        if value is not None:
            raise TypeError("a layer that computes the first token only has no cross-attention and no cache")
    attention = layer.attention.self

    def heads(values: Tensor) -> Tensor:
        """(pairs, heads, tokens, width of a head)."""
        return values.view(*values.shape[:2], attention.num_attention_heads, -1).transpose(1, 2)

    first = hidden_states[:, :1]
    context = functional.scaled_dot_product_attention(
        heads(attention.query(first)),
        heads(attention.key(hidden_states)),
        heads(attention.value(hidden_states)),
        attn_mask=None if attention_mask is None else attention_mask[..., :1, :],
        dropout_p=attention.dropout.p if layer.training else 0.0,
    )
    attended = layer.attention.output(context.transpose(1, 2).flatten(2), first)
    scored: Tensor = layer.feed_forward_chunk(attended)
    return scored
