"""The last layer of a cross-encoder, computed for the one token that its head reads.

BERT and its kin score a pair by the vector of its first token alone. What the last layer makes of the others is thrown
away, yet it costs most of that layer: only their keys and values are needed. The score is the same, up to rounding,
and so are the gradients.
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
"""Models whose head reads the first token, and whose layers have the same parts by the same names."""
ATTENTION = ("eager", "sdpa")  # where masks have a row for each token


def compute_first_token_only(model: CrossEncoder) -> bool:
    """Make the last layer compute the first token alone, where the model is of a kind that reads no other.

    Weights, their names and what is saved stay as they are. Gives whether it was done.
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


def _first_token(layer: Any, hidden: Tensor, mask: Tensor | None = None, *_: Any, **__: Any) -> Tensor:
    """(pairs, 1, width) of (pairs, tokens, width); `mask` is added to, or chooses from, what each token looks at."""
    attention = layer.attention.self

    def heads(values: Tensor) -> Tensor:
        """(pairs, heads, tokens, width of a head)."""
        return values.view(*values.shape[:2], attention.num_attention_heads, -1).transpose(1, 2)

    first = hidden[:, :1]
    seen = functional.scaled_dot_product_attention(
        heads(attention.query(first)),
        heads(attention.key(hidden)),
        heads(attention.value(hidden)),
        attn_mask=None if mask is None else mask[..., :1, :],
        dropout_p=attention.dropout.p if layer.training else 0.0,
    )
    attended = layer.attention.output(seen.transpose(1, 2).flatten(2), first)
    scored: Tensor = layer.feed_forward_chunk(attended)
    return scored
