"""Trains a model on rows: the model, the trainer, checkpoints, the dev set."""
