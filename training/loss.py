"""Listwise cross-entropy over target logits (ListNet, Cao et al. 2007), computed in batches of like length."""

from collections.abc import Sequence
from typing import Any

import torch
from sentence_transformers import CrossEncoder
from torch import Tensor

from search.pairs import encode_pairs

TOKEN_BUDGET = 2048  # tokens in one forward pass; larger ones don't run faster on a CPU


class ListwiseLoss(torch.nn.Module):
    """Cross-entropy between the softmax of the targets and that of the logits, mean over the groups.

    sentence-transformers' ListNetLoss is the same loss; here pairs are encoded as in serving (only the
    passage is cut) and run in batches sorted by length, which is what makes it fast: padding to the
    longest of 128 pairs would more than double the work.
    """

    def __init__(self, model: CrossEncoder, *, max_length: int, token_budget: int = TOKEN_BUDGET) -> None:
        super().__init__()
        self.model = model
        self.max_length = max_length
        self.token_budget = token_budget

    def forward(self, inputs: Sequence[Any], labels: Sequence[Tensor], **_: Any) -> Tensor:
        """`inputs` is (queries, lists of passages); `labels` one (passages,) tensor of targets a query."""
        queries, lists = inputs
        pairs = [(query, passage) for query, passages in zip(queries, lists, strict=True) for passage in passages]
        logits = self._logits([query for query, _ in pairs], [passage for _, passage in pairs])
        losses = []
        start = 0
        for targets in labels:
            part = logits[start : start + len(targets)]  # (passages,) of one query
            start += len(targets)
            aim = targets.float().to(part.device).softmax(0)
            losses.append(-(aim * part.log_softmax(0)).sum())
        return torch.stack(losses).mean()

    def _logits(self, queries: Sequence[str], passages: Sequence[str]) -> Tensor:
        tokenizer = self.model.tokenizer
        encoded = encode_pairs(tokenizer, queries, passages, max_length=self.max_length)
        rows: list[int] = []
        parts = []
        for batch in encoded.batches(tokenizer, token_budget=self.token_budget):
            features = {name: tensor.to(self.model.device) for name, tensor in batch.features.items()}
            parts.append(self.model(features)["scores"].float().reshape(-1))  # (pairs in batch,)
            rows += batch.rows
        order = torch.tensor(rows, device=parts[0].device).argsort()
        return torch.cat(parts)[order]  # (pairs,) in the order given

    def get_config_dict(self) -> dict[str, Any]:
        """What the trainer writes into the model card."""
        return {"max_length": self.max_length}
