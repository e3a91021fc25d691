"""Trains a cross-encoder on examples with sentence-transformers' trainer, set up to be fast on what there is."""

import logging
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from sentence_transformers import CrossEncoder
from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments, set_seed

from indexing import precision
from indexing.encoder import bundled_path, load_quietly, loading_error, reach_hub
from training.examples import Example
from training.loss import ListwiseLoss
from training.recipes import Recipe, Stage

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StepReport:
    """Where a training is."""

    stage: str
    step: int
    steps: int
    loss: float
    learning_rate: float


Report = Callable[[StepReport], None]


def new_cross_encoder(recipe: Recipe) -> CrossEncoder:
    """A cross-encoder with one output on the recipe's base model; its head is drawn from the seed.

    Raises HubError or ModelError where the base can't be loaded.
    """
    load_quietly()
    reach_hub(bundled_path(recipe.base))
    set_seed(recipe.seed)
    kwargs: dict[str, Any] = {"dtype": torch.float32}
    if precision.device() == "cpu":
        kwargs["attn_implementation"] = "eager"  # SDPA's backward is slow on CPUs
    try:
        model: CrossEncoder = CrossEncoder(
            bundled_path(recipe.base),
            num_labels=1,
            max_length=512,
            device=precision.device(),
            model_kwargs=kwargs,
            config_kwargs={
                "hidden_dropout_prob": recipe.dropout,
                "attention_probs_dropout_prob": recipe.dropout,
                "classifier_dropout": recipe.dropout,
            },
            activation_fn=torch.nn.Identity(),
        )
    except Exception as error:  # transformers raises OSError, ValueError, RuntimeError and its own
        raise loading_error("Re-ranker", recipe.base, error) from error
    return model


def train_stage(
    model: CrossEncoder, examples: Sequence[Example], recipe: Recipe, stage: Stage, *, report: Report
) -> float:
    """One pass over the examples in their order; gives back the mean loss of the last tenth of the steps."""
    dataset = Dataset.from_dict(
        {
            "query": [example.query for example in examples],
            "passages": [list(example.passages) for example in examples],
            "labels": [list(example.scores or ()) for example in examples],
        }
    )
    watcher = _Watcher(stage.name, report)
    with tempfile.TemporaryDirectory(prefix="second-look-training-") as folder:
        trainer = CrossEncoderTrainer(
            model=model,
            args=_arguments(folder, recipe, stage),
            train_dataset=dataset,
            loss=ListwiseLoss(model, max_length=recipe.max_length),
            callbacks=[watcher],
        )
        for name in ("PrinterCallback", "ProgressCallback"):
            for callback in [item for item in trainer.callback_handler.callbacks if type(item).__name__ == name]:
                trainer.remove_callback(callback)
        trainer.train()
    last = watcher.losses[-max(1, len(watcher.losses) // 10) :]
    return sum(last) / len(last)


def _arguments(folder: str, recipe: Recipe, stage: Stage) -> CrossEncoderTrainingArguments:
    on_cpu = precision.device() == "cpu"
    return CrossEncoderTrainingArguments(
        output_dir=folder,
        num_train_epochs=1,
        per_device_train_batch_size=recipe.groups_per_step,
        learning_rate=stage.learning_rate,
        warmup_steps=0.1,
        weight_decay=0.01,
        max_grad_norm=1.0,
        optim="adamw_torch_fused",
        use_cpu=on_cpu,
        bf16=precision.fastest_dtype(precision.device()) == torch.bfloat16,
        seed=recipe.seed,
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        dataloader_pin_memory=not on_cpu,
    )


class _Watcher(TrainerCallback):
    """Hands the trainer's log on to the caller."""

    def __init__(self, stage: str, report: Report) -> None:
        self._stage, self._report = stage, report
        self.losses: list[float] = []

    def on_log(
        self,
        args: TrainingArguments,  # noqa: ARG002  # the trainer passes it by place
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002  # likewise
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        if logs and "loss" in logs:
            self.losses.append(float(logs["loss"]))
            self._report(
                StepReport(
                    self._stage,
                    state.global_step,
                    state.max_steps,
                    float(logs["loss"]),
                    float(logs.get("learning_rate", 0.0)),
                )
            )


def save_weights(model: CrossEncoder, folder: Path) -> None:
    """Write weights (bfloat16 safetensors, half of float32's bytes), tokenizer and configuration."""
    model.bfloat16().save_pretrained(str(folder), create_model_card=False, safe_serialization=True)
