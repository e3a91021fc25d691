"""Ratios against what an engineer would use today, side by side in one run."""
