"""The commands of `python -m training`: each module adds its own with `add`, reads their options, and prints."""
