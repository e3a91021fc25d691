"""The command line of `python -m indexing`."""
