"""The commands of `python -m search`: each module adds one with `add`, reads its options, and prints."""
