"""Pretrained models on disk: whether a folder holds a whole one, and how much of a long text one reads."""
